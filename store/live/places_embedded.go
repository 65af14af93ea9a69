package live

import (
	"maps"
	"sync"
	"time"

	"kalami/session/learn"
)

// places is what the scripts of places.go keep in Redis, for the store inside the process.
type places struct {
	mu sync.Mutex // guards what follows
	// users and tenants have sets by whose they are.
	users, tenants placeSets
	swept          time.Time
}

type placeSets map[string]placeSet

// placeSet has places by their ids.
type placeSet map[string]heldPlace

// heldPlace is when a place ends, and whose it is.
type heldPlace struct {
	till   time.Time
	holder string
}

func newPlaces() *places { return &places{users: placeSets{}, tenants: placeSets{}} }

// free tells whether a place can be taken there, and drops those that are over.
func (s placeSet) free(id string, limit int, now time.Time) bool {
	s.drop(now)
	_, taken := s[id]
	return limit == 0 || taken || len(s) < limit
}

func (s placeSet) drop(now time.Time) {
	maps.DeleteFunc(s, func(_ string, h heldPlace) bool { return !h.till.After(now) })
}

// ask says whether there is a place, and takes it if it is to.
func (p *places) ask(place learn.Place, limits learn.PlaceLimits, now time.Time, take bool) learn.Admission {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.users[place.UserID].free(place.ID, limits.User, now) {
		return learn.UserFull
	}
	if !p.tenants[place.TenantID].free(place.ID, limits.Tenant, now) {
		return learn.TenantFull
	}
	if take {
		p.users.put(place.UserID, place, now)
		p.tenants.put(place.TenantID, place, now)
	}
	return learn.Admitted
}

func (s placeSets) put(of string, p learn.Place, now time.Time) {
	if s[of] == nil {
		s[of] = placeSet{}
	}
	s[of][p.ID] = heldPlace{till: now.Add(Lease), holder: p.Holder}
}

func (p *places) renew(all []learn.Place, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, place := range all {
		p.users.renew(place.UserID, place, now)
		p.tenants.renew(place.TenantID, place, now)
	}
	if now.Sub(p.swept) >= time.Minute {
		p.swept = now
		p.users.drop(now)
		p.tenants.drop(now)
	}
}

// renew keeps a place that nobody else holds.
func (s placeSets) renew(of string, p learn.Place, now time.Time) {
	if h, held := s[of][p.ID]; !held || h.holder == p.Holder || !h.till.After(now) {
		s.put(of, p, now)
	}
}

// drop forgets whoever has no places that are not over: one may have been renewed at the
// moment at which it was given back.
func (s placeSets) drop(now time.Time) {
	maps.DeleteFunc(s, func(_ string, of placeSet) bool {
		of.drop(now)
		return len(of) == 0
	})
}

func (p *places) leave(place learn.Place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users.remove(place.UserID, place)
	p.tenants.remove(place.TenantID, place)
}

// remove gives a place back, unless it is somebody else's.
func (s placeSets) remove(of string, p learn.Place) {
	if h, held := s[of][p.ID]; held && h.holder == p.Holder {
		delete(s[of], p.ID)
	}
	if len(s[of]) == 0 {
		delete(s, of)
	}
}
