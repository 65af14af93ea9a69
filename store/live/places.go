package live

import (
	"cmp"
	"context"
	"time"

	"kalami/session/learn"
)

// Places are kept in two sorted sets, of the user's and the tenant's sessions by when they
// end if nobody renews them, and beside each a hash of who holds them. There is no counter
// that a killed node could leave too high: its places are free after [Lease].

// TakePlace takes a place for [Lease] if there is one, or takes over the one that there is
// of that ID. The user's set and the tenant's may be on
// different masters, so that no script can weigh both: the place is reserved in the user's
// and then taken in the tenant's, or given back. So there are never more than the limits
// allow, and a user who asks too often takes nothing from the tenant's others; while a
// tenant is full, a user may be refused for a moment for the sake of a request that will
// be refused as well.
//
// After an error a reservation may be left, which is free again after [Lease]. Invalid for
// a place that lacks an id, Unavailable when Redis does not answer; how many may come in
// then is for each node to say.
func (s *Store) TakePlace(ctx context.Context, p learn.Place, limits learn.PlaceLimits) (learn.Admission, error) {
	const op = "live.TakePlace"
	if err := checkPlace(op, p); err != nil {
		return 0, err
	}
	admission, err := s.askPlace(ctx, p, limits, true)
	if admission == learn.TenantFull && s.embedded == nil {
		// Nothing was taken from the tenant, so what was reserved is given back.
		_, undo := s.ask(context.WithoutCancel(ctx), s.leaveQuestions(p)[:1])
		err = cmp.Or(err, undo)
	}
	if err != nil {
		return 0, fail(op, err)
	}
	return admission, nil
}

// LookForPlace says what TakePlace would, and takes nothing. Invalid for a place that lacks
// an id, Unavailable when Redis does not answer.
func (s *Store) LookForPlace(ctx context.Context, p learn.Place, limits learn.PlaceLimits) (learn.Admission, error) {
	const op = "live.LookForPlace"
	if err := checkPlace(op, p); err != nil {
		return 0, err
	}
	admission, err := s.askPlace(ctx, p, limits, false)
	if err != nil {
		return 0, fail(op, err)
	}
	return admission, nil
}

// askPlace asks for a place in both sets, and takes it there or only looks.
func (s *Store) askPlace(ctx context.Context, p learn.Place, limits learn.PlaceLimits, take bool) (learn.Admission, error) {
	if s.embedded != nil {
		if err := s.embedded.ready(ctx); err != nil {
			return 0, err
		}
		return s.embedded.places.ask(p, limits, time.Now(), take), nil
	}
	user, tenant := s.placesKeys(p)
	if free, err := s.askSet(ctx, user, p, limits.User, take); err != nil || !free {
		return learn.UserFull, err
	}
	if free, err := s.askSet(ctx, tenant, p, limits.Tenant, take); err != nil || !free {
		return learn.TenantFull, err
	}
	return learn.Admitted, nil
}

func checkPlace(op string, p learn.Place) error {
	for field, id := range map[string]string{"id": p.ID, "user_id": p.UserID, "tenant_id": p.TenantID} {
		if id == "" {
			return &learn.Error{Kind: learn.Invalid, Op: op, Msg: "It is no place",
				Fields: []learn.FieldError{{Field: field, Message: "is required"}}}
		}
	}
	return nil
}

func (s *Store) askSet(ctx context.Context, keys []string, p learn.Place, limit int, take bool) (bool, error) {
	return s.scripts.takePlace.Run(ctx, s.client, keys, p.ID, p.Holder, Lease.Milliseconds(), limit, take).Bool()
}

// placesKeys are the keys of the user's and the tenant's set, each with that of its holders.
func (s *Store) placesKeys(p learn.Place) (user, tenant []string) {
	of := func(whose string) []string { return []string{s.key("places", whose), s.key("holders", whose)} }
	return of("u:" + p.UserID), of("t:" + p.TenantID)
}

// RenewPlaces keeps places for another [Lease], in few pipelines; a node calls it every
// [RenewEvery] with all that it has. Those that were lost are taken again, whatever the
// limits say, as their sessions are there; those that somebody else holds now are left to
// them. Invalid for a place that lacks an id, Unavailable when Redis, or one of a cluster's
// masters, does not answer.
func (s *Store) RenewPlaces(ctx context.Context, places []learn.Place) error {
	const op = "live.RenewPlaces"
	for _, p := range places {
		if err := checkPlace(op, p); err != nil {
			return err
		}
	}
	if s.embedded != nil {
		if err := s.embedded.ready(ctx); err != nil {
			return fail(op, err)
		}
		s.embedded.places.renew(places, time.Now())
		return nil
	}
	sets := map[string]*question{} // by the first key
	for _, p := range places {
		user, tenant := s.placesKeys(p)
		for _, keys := range [][]string{user, tenant} {
			q := sets[keys[0]]
			if q == nil {
				q = &question{script: s.scripts.renewPlaces, keys: keys, args: []any{Lease.Milliseconds()}, size: 100}
				sets[keys[0]] = q
			}
			q.args, q.size = append(q.args, p.ID, p.Holder), q.size+90
		}
	}
	questions := make([]question, 0, len(sets))
	for _, q := range sets {
		questions = append(questions, *q)
	}
	_, err := s.ask(ctx, questions)
	return fail(op, err)
}

// LeavePlace gives a place back. One that was not taken, is free already or is somebody
// else's now is no error. Unavailable when Redis does not answer; the place is free after
// [Lease] then.
func (s *Store) LeavePlace(ctx context.Context, p learn.Place) error {
	const op = "live.LeavePlace"
	if s.embedded != nil {
		if err := s.embedded.ready(ctx); err != nil {
			return fail(op, err)
		}
		s.embedded.places.leave(p)
		return nil
	}
	_, err := s.ask(ctx, s.leaveQuestions(p))
	return fail(op, err)
}

// leaveQuestions give a place back in the user's set and the tenant's.
func (s *Store) leaveQuestions(p learn.Place) []question {
	user, tenant := s.placesKeys(p)
	return []question{
		{script: s.scripts.leavePlace, keys: user, args: []any{p.ID, p.Holder}},
		{script: s.scripts.leavePlace, keys: tenant, args: []any{p.ID, p.Holder}},
	}
}

// The scripts work on one set each, whose scores are the ends of places in milliseconds of
// the server's clock, and on the hash of its holders by the places' ids.

// takePlaceScript takes a place, or answers 0. ARGV: its id and holder, how long it is taken
// in milliseconds, how many there may be or 0, and 0 to only look.
const takePlaceScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local lease, limit = tonumber(ARGV[3]), tonumber(ARGV[4])
for _, over in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))) do
  redis.call('ZREM', KEYS[1], over)
  redis.call('HDEL', KEYS[2], over)
end
if limit > 0 and not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= limit then
  return 0
end
if ARGV[5] == '0' then
  return 1
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + lease), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], lease)
redis.call('PEXPIRE', KEYS[2], lease)
return 1
`

// renewPlacesScript keeps places. ARGV: for how many milliseconds, and their ids and holders
// by turns.
const renewPlacesScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local till = string.format('%.0f', now + ARGV[1])
for i = 2, #ARGV, 2 do
  local holder = redis.call('HGET', KEYS[2], ARGV[i])
  if not holder or holder == ARGV[i + 1] or tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i]) or 0) <= now then
    redis.call('ZADD', KEYS[1], till, ARGV[i])
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1
`

// leavePlaceScript gives a place back. ARGV: its id and holder.
const leavePlaceScript = `
local holder = redis.call('HGET', KEYS[2], ARGV[1])
if not holder or holder == ARGV[2] then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
end
return 1
`
