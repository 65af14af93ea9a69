package gateway

import (
	"context"
	crand "crypto/rand"
	"log/slog"
	"math/rand/v2"
	"time"

	"kalami/session/learn"
)

const (
	// placeWait bounds what is asked about one place. It is longer than it takes to know that
	// the store is away.
	placeWait = 2 * time.Second
	// placeAgain is the pause before it is asked again, by a crowd that is too much for it.
	placeAgain = 10 * time.Millisecond
	// leaveWait bounds giving one back.
	leaveWait = 500 * time.Millisecond
	// placesWait bounds the renewal of all places of the node.
	placesWait = 2 * time.Second
)

// placeKeeper sees to it that a user and a tenant have no more sessions over all nodes than
// they may. Each seat with a session has a place, which is taken when the session is let in,
// renewed while the seat is taken, and given back with it; those of a node that is killed
// are free when they were not renewed for ten seconds. A conversation's sessions take over
// the same place, one from another.
//
// While the store of places is away, each node counts its own sessions alone. That it did
// not answer one question is no reason for that: it is asked until it is known to be away.
type placeKeeper struct {
	// Static after newPlaceKeeper.
	store              Places // nil: there is no other node
	live               *registry
	perUser, perTenant int
	log                *slog.Logger
	back               chan struct{} // the store is back, and may be empty; one notice is enough
}

func newPlaceKeeper(store Places, live *registry, perTenant int, log *slog.Logger) *placeKeeper {
	return &placeKeeper{store: store, live: live, perUser: live.maxPerUser, perTenant: perTenant, log: log, back: make(chan struct{}, 1)}
}

// limits are how many sessions a user of a tenant and the tenant may have. The built-in
// tenant of everybody without a school has no bound but its own.
func (k *placeKeeper) limits(tenantID string, set learn.TenantSettings) learn.PlaceLimits {
	most := k.perTenant
	if tenantID == learn.PersonalTenant {
		most = 0
	}
	if set.Sessions.Most > 0 {
		most = set.Sessions.Most
	}
	return learn.PlaceLimits{User: k.perUser, Tenant: most}
}

// look says whether there is a place, without taking it: TooMany when there is none.
func (k *placeKeeper) look(ctx context.Context, p learn.Place, limits learn.PlaceLimits) error {
	if k.store == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, placeWait)
	defer cancel()
	admission, err := k.ask(ctx, func() (learn.Admission, error) { return k.store.LookForPlace(ctx, p, limits) })
	if err != nil {
		return err
	}
	return refusedPlace(admission, limits)
}

// ask puts a question to the store until it answers, or is known to be away: then the admission is
// unknown. Unavailable when it is there and
// there was no answer in time.
func (k *placeKeeper) ask(ctx context.Context, question func() (learn.Admission, error)) (learn.Admission, error) {
	for {
		admission, err := question()
		switch {
		case err == nil:
			return admission, nil
		case k.store.Degraded():
			return unknown, nil
		case learn.KindOf(err) != learn.Unavailable:
			return unknown, err
		}
		again := time.NewTimer(placeAgain/2 + rand.N(placeAgain))
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return unknown, err
		}
	}
}

// take gives a seat the place p, or takes it over from the session before: TooMany when
// there is none, Unavailable when that cannot be said. The caller gives the seat back then.
func (k *placeKeeper) take(ctx context.Context, s *seat, p learn.Place, limits learn.PlaceLimits) error {
	p.Holder = crand.Text()
	if k.store == nil {
		return s.sit(p, limits.Tenant)
	}
	ctx, cancel := context.WithTimeout(ctx, placeWait)
	defer cancel()
	admission, err := k.ask(ctx, func() (learn.Admission, error) { return k.store.TakePlace(ctx, p, limits) })
	switch {
	case err != nil:
		k.leave(p) // it may be taken
		return err
	case admission == unknown:
		return s.sit(p, limits.Tenant)
	case admission == learn.Admitted:
		return s.sit(p, 0)
	}
	return refusedPlace(admission, limits)
}

// unknown is the admission while the store is away.
const unknown learn.Admission = 0

// refusedPlace is an admission as an error, nil for one that is none.
func refusedPlace(a learn.Admission, limits learn.PlaceLimits) error {
	switch a {
	case learn.UserFull:
		return errTooManySessions(limits.User)
	case learn.TenantFull:
		return errTenantFull(limits.Tenant)
	case learn.Admitted:
	}
	return nil
}

// run renews what the node holds until ctx ends.
func (k *placeKeeper) run(ctx context.Context) {
	if k.store == nil {
		return
	}
	renew := time.NewTicker(renewEvery)
	defer renew.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-renew.C:
		case <-k.back:
		}
		k.renew(ctx)
	}
}

// renew keeps the places of all seats. One that is left meanwhile may have been taken
// again by that, and is given back once more.
func (k *placeKeeper) renew(ctx context.Context) {
	places := k.live.places()
	if len(places) == 0 {
		return
	}
	all := make([]learn.Place, 0, len(places))
	for _, p := range places {
		all = append(all, p)
	}
	wait, cancel := context.WithTimeout(ctx, placesWait)
	defer cancel()
	if err := k.store.RenewPlaces(wait, all); err != nil && ctx.Err() == nil {
		k.log.Debug("places were not renewed", "err", err)
	}
	for _, s := range k.live.leftOf(places) {
		k.leave(places[s])
	}
}

// leave gives a place back. It blocks for half a second at most.
func (k *placeKeeper) leave(p learn.Place) {
	if k.store == nil || p.ID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveWait)
	defer cancel()
	if err := k.store.LeavePlace(ctx, p); err != nil {
		k.log.Debug("a place was not given back; it is free when it is over", "err", err)
	}
}

// heedOutage has the places stored again when their store is back. It does not block.
func (k *placeKeeper) heedOutage(degraded bool) {
	if degraded {
		return
	}
	select {
	case k.back <- struct{}{}:
	default:
	}
}

// sit says which place a seat has. most, if not 0, is how many of its tenant there may be
// on this node: TooMany beyond.
func (s *seat) sit(p learn.Place, most int) error {
	r := s.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	if most > 0 {
		n := 0
		for other := range r.seats {
			if other != s && other.place.TenantID == p.TenantID && other.place.ID != p.ID {
				n++
			}
		}
		if n >= most {
			return errTenantFull(most)
		}
	}
	s.place = p
	return nil
}

// places returns those of all seats that are not being left.
func (r *registry) places() map[*seat]learn.Place {
	r.mu.Lock()
	defer r.mu.Unlock()
	places := make(map[*seat]learn.Place, len(r.seats))
	for s := range r.seats {
		if s.place.ID != "" && !s.leaving {
			places[s] = s.place
		}
	}
	return places
}

// leftOf returns which of these seats have been left.
func (r *registry) leftOf(places map[*seat]learn.Place) (left []*seat) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range places {
		if s.leaving {
			left = append(left, s)
		}
	}
	return left
}
