package gateway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kalami/session"
)

const (
	// maxStrangers is how many sockets may be open at once for the sole purpose of
	// telling their clients why they are refused.
	maxStrangers = 256
	// abortWait is how long aborted sessions get to return; they do no more I/O.
	abortWait = 5 * time.Second
)

// registry knows the live sockets of this node: how many there are, whose they are,
// and how to end them all. It exists because http.Server neither closes nor waits for
// connections that were upgraded.
type registry struct {
	// Static after newRegistry.
	maxSeats, maxPerUser int

	mu sync.Mutex // guards what follows
	// seats holds every seat that is taken, strangers' too.
	seats     map[*seat]struct{}
	perUser   map[string]int
	strangers int
	// talks holds the seat that each conversation of this node goes on in.
	talks    map[string]*seat
	draining bool
	// empty is closed when the registry drains and the last seat was left.
	empty chan struct{}
}

func newRegistry(maxSeats, maxPerUser int) *registry {
	return &registry{
		maxSeats: maxSeats, maxPerUser: maxPerUser,
		seats: map[*seat]struct{}{}, perUser: map[string]int{}, talks: map[string]*seat{},
		empty: make(chan struct{}),
	}
}

// seat is the right to one live socket. Whoever gets one from take gives it back: by
// leave, or by hold, which does so when the conversation has ended.
type seat struct {
	// Static after take.
	registry *registry
	user     string // "" for a stranger's
	ctx      context.Context
	cancel   context.CancelCauseFunc

	// Guarded by registry.mu.
	conn         aborter // nil before hold
	conversation string
	epoch        int64
}

// aborter is a connection that can be cut off; see [session.Conn].
type aborter interface{ Abort() }

// take reserves a seat for a user, or for a stranger when userID is empty. It does not
// block. Errors: Unavailable when the node drains or is full, TooMany when the user has
// enough seats.
func (r *registry) take(userID string) (*seat, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refusal(userID == ""); err != nil {
		return nil, err
	}
	if userID == "" {
		r.strangers++
	} else {
		if r.perUser[userID] >= r.maxPerUser {
			return nil, errTooManySessions(r.maxPerUser)
		}
		r.perUser[userID]++
	}
	s := &seat{registry: r, user: userID}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	r.seats[s] = struct{}{}
	return s, nil
}

// refusal says why nobody may take a seat now, or nil; the lock is held.
func (r *registry) refusal(stranger bool) error {
	switch {
	case r.draining:
		return errDraining()
	case stranger && r.strangers >= maxStrangers, !stranger && len(r.seats)-r.strangers >= r.maxSeats:
		return errNoPlace()
	}
	return nil
}

// load is the share of the seats that is taken, strangers' aside, from 0 to 1.
func (r *registry) load() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return float64(len(r.seats)-r.strangers) / float64(r.maxSeats)
}

// hold runs talk, which owns conn and closes it, in a goroutine of its own, and leaves
// the seat when talk returns. drain waits for it. talk's context ends with an
// *[session.End] as its cause when the session is to end.
func (s *seat) hold(conn aborter, talk func(ctx context.Context)) {
	s.registry.mu.Lock()
	s.conn = conn
	s.registry.mu.Unlock()
	go func() {
		defer s.leave()
		talk(s.ctx)
	}()
}

// claim says that this seat's conversation is the one with the given id, taken over at
// the given epoch. Of two seats on this node that claim the same conversation, the one
// with the lower epoch is ended as superseded.
func (s *seat) claim(conversationID string, epoch int64) {
	r := s.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	older, newer := r.talks[conversationID], s
	s.conversation, s.epoch = conversationID, epoch
	if older != nil && older != s {
		if older.epoch > newer.epoch {
			older, newer = newer, older
		}
		older.cancel(&session.End{Reason: session.EndSuperseded, Code: session.Superseded})
	}
	r.talks[conversationID] = newer
}

// leave gives the seat back. Leaving twice is the same as leaving once.
func (s *seat) leave() {
	r := s.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.seats[s]; !taken {
		return
	}
	delete(r.seats, s)
	if s.user == "" {
		r.strangers--
	} else if r.perUser[s.user]--; r.perUser[s.user] == 0 {
		delete(r.perUser, s.user)
	}
	if r.talks[s.conversation] == s {
		delete(r.talks, s.conversation)
	}
	s.cancel(nil)
	if r.draining && len(r.seats) == 0 {
		close(r.empty)
	}
}

// endUser asks every session of a user to end, as it is, for want of a valid sign-in.
// It does not wait for them.
func (r *registry) endUser(userID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.perUser[userID] == 0 {
		return
	}
	for s := range r.seats {
		if s.user == userID {
			s.cancel(&session.End{Reason: session.EndUnauthorised})
		}
	}
}

// active counts the seats of one user.
func (r *registry) active(userID string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.perUser[userID]
}

// total counts the seats of all users.
func (r *registry) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seats) - r.strangers
}

// drain refuses new seats, asks every session to finish its sentence and end as a
// restart, and waits until all have ended. When ctx ends first, it cuts the rest off and
// returns an error that counts them. It may be called again.
func (r *registry) drain(ctx context.Context) error {
	r.mu.Lock()
	if !r.draining {
		r.draining = true
		if len(r.seats) == 0 {
			close(r.empty)
		}
	}
	for s := range r.seats {
		s.cancel(&session.End{Reason: session.EndRestart, Code: session.Draining})
	}
	r.mu.Unlock()
	select {
	case <-r.empty:
		return nil
	case <-ctx.Done():
	}
	cut := r.abort()
	late := time.NewTimer(abortWait)
	defer late.Stop()
	select {
	case <-r.empty:
		return fmt.Errorf("gateway: drain: %d sessions cut off: %w", cut, context.Cause(ctx))
	case <-late.C:
		return fmt.Errorf("gateway: drain: %d sessions do not end: %w", r.total(), context.Cause(ctx))
	}
}

// abort cuts every connection off and counts them.
func (r *registry) abort() int {
	r.mu.Lock()
	var conns []aborter
	for s := range r.seats {
		if s.conn != nil {
			conns = append(conns, s.conn)
		}
	}
	r.mu.Unlock()
	for _, c := range conns {
		c.Abort() // outside the lock: it waits for the connection's own locks
	}
	return len(conns)
}
