package live

import (
	"context"
	"slices"
	"time"

	"kalami/session/learn"
)

const (
	// Lease is how long a conversation, or a place that was taken, counts as held after
	// it was renewed.
	Lease = 10 * time.Second
	// RenewEvery is how often a node should renew what it holds: two renewals may be lost.
	RenewEvery = 3 * time.Second
	// orphanFor is how long a conversation can be found as an orphan.
	orphanFor = time.Hour
	// leasesAtOnce is how many leases are renewed by one run of a script, so that nobody
	// waits for it for long.
	leasesAtOnce = 256
)

// RenewLive says that a node is alive and has these conversations, in one pipeline for 256
// of them. A node calls it every [RenewEvery] with all that it has, and at once with one
// that it has taken over: from then on the owner before is refused. It lengthens the life of
// what is kept and leaves what an older epoch has kept as it is, until the first
// [Store.KeepLive].
//
// A lease tells who lives and not who may write: a superseded node is told so here at the
// latest, but what stops it is the epoch in the database.
//
// The answer counts even beside an error. Lost are also those of which nothing was kept at
// this epoch so far. Invalid for a lease without an id or an epoch, Unavailable when Redis,
// or one of a cluster's masters, does not answer.
func (s *Store) RenewLive(ctx context.Context, node string, leases []learn.LiveLease) (learn.LiveAnswer, error) {
	const op = "live.RenewLive"
	for _, l := range leases {
		if err := checkChange(op, node, learn.LiveChange{ConversationID: l.ConversationID, Epoch: l.Epoch}); err != nil {
			return learn.LiveAnswer{}, err
		}
	}
	if s.embedded != nil {
		if err := s.embedded.ready(ctx); err != nil {
			return lostLeases(leases), fail(op, err)
		}
		return s.embedded.mirror.renew(leases, time.Now()), nil
	}
	questions := make([]question, 0, len(leases)+1)
	for _, l := range leases {
		questions = append(questions, question{script: s.scripts.renew, conversation: l.ConversationID,
			keys: s.conversationKeys(l.ConversationID), args: []any{l.Epoch, liveFor.Milliseconds()}, size: 100})
	}
	for some := range slices.Chunk(leases, leasesAtOnce) {
		args := []any{Lease.Milliseconds(), orphanFor.Milliseconds()}
		for _, l := range some {
			args = append(args, l.ConversationID)
		}
		questions = append(questions, question{script: s.scripts.leases, keys: []string{s.leasesKey()}, args: args, size: 50 * len(some)})
	}
	answer, err := s.ask(ctx, questions)
	return answer, fail(op, err)
}

func lostLeases(leases []learn.LiveLease) learn.LiveAnswer {
	lost := make([]string, len(leases))
	for i, l := range leases {
		lost[i] = l.ConversationID
	}
	return learn.LiveAnswer{Lost: lost}
}

// Orphans returns conversations whose node has not renewed them, nor forgotten them, for
// at least overdue beyond the end of their lease: those that ended longest ago first, at
// most limit. It knows those of the last hour, and after a loss of Redis none from before.
// Every node may ask and is told the same; what may be done with one, the database says.
// Unavailable when Redis does not answer.
func (s *Store) Orphans(ctx context.Context, overdue time.Duration, limit int) (conversationIDs []string, err error) {
	const op = "live.Orphans"
	overdue, limit = max(overdue, 0), max(limit, 1)
	if s.embedded != nil {
		if err := s.embedded.ready(ctx); err != nil {
			return nil, fail(op, err)
		}
		return s.embedded.mirror.orphans(time.Now(), overdue, limit), nil
	}
	conversationIDs, err = s.scripts.orphans.Run(ctx, s.client, []string{s.leasesKey()}, overdue.Milliseconds(), limit).StringSlice()
	return conversationIDs, fail(op, err)
}

// leasesKey names a sorted set of all conversations by the end of their lease, in
// milliseconds of the server's clock. It has a hash tag of its own: on a cluster one master
// has all of it, and without that master orphans are found in the database alone.
func (s *Store) leasesKey() string { return s.key("leases", "leases") }

// leasesScript renews leases. ARGV: how long they last and how long those that are over are
// kept, both in milliseconds, and the conversations.
const leasesScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local lease, keep = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - keep))
local till = string.format('%.0f', now + lease)
for i = 3, #ARGV do
  redis.call('ZADD', KEYS[1], till, ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], lease + keep)
return 1
`

// orphansScript finds those that are over. ARGV: for how many milliseconds, and how many.
const orphansScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - tonumber(ARGV[1])), 'LIMIT', 0, ARGV[2])
`
