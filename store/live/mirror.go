package live

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"kalami/session/learn"
)

const (
	// liveFor is how long a conversation is kept after its node's last sign of life: the
	// time within which a client may come back.
	liveFor = 10 * time.Minute
	// maxEvents and maxEventBytes bound one conversation's log; the oldest events go first.
	maxEvents     = 512
	maxEventBytes = 1 << 20
	// maxNumber is how far numbers are exact in a script, where they are doubles.
	maxNumber = 1 << 53
)

// KeepLive stores what changed in conversations of a node, in one pipeline for 256 of them
// or 4 MiB. A change that was kept already changes nothing, and one
// that is older than what is there takes nothing away.
//
// A change of a higher epoch than is known replaces all that was kept of that
// conversation; one of a lower is refused. Of the events those are kept that follow the
// ones in the log. After a hole the log begins anew: what is in it follows on each other.
//
// The answer counts even beside an error: what did not reach its Redis is among the lost.
// Invalid, and nothing is kept, for a change that has no id, no epoch, or events whose
// numbers do not rise by one. Unavailable when Redis, or one of a cluster's masters, does
// not answer.
func (s *Store) KeepLive(ctx context.Context, node string, changes []learn.LiveChange) (learn.LiveAnswer, error) {
	const op = "live.KeepLive"
	for _, c := range changes {
		if err := checkChange(op, node, c); err != nil {
			return learn.LiveAnswer{}, err
		}
	}
	if s.embedded != nil {
		if err := s.embedded.ready(ctx); err != nil {
			return lostChanges(changes), fail(op, err)
		}
		return s.embedded.mirror.keep(node, changes, time.Now()), nil
	}
	questions := make([]question, len(changes))
	for i, c := range changes {
		questions[i] = s.keepQuestion(node, c)
	}
	answer, err := s.ask(ctx, questions)
	return answer, fail(op, err)
}

// checkChange refuses what a script could not make sense of.
func checkChange(op, node string, c learn.LiveChange) error {
	bad := func(field, message string) error {
		return &learn.Error{Kind: learn.Invalid, Op: op, Msg: "The change cannot be kept",
			Fields: []learn.FieldError{{Field: field, Message: message}}}
	}
	switch {
	case node == "":
		return bad("node", "is required")
	case c.ConversationID == "":
		return bad("conversation_id", "is required")
	case c.Epoch < 1 || c.Epoch >= maxNumber:
		return bad("epoch", "is none")
	case c.StateSeq >= maxNumber:
		return bad("state_seq", "is too high")
	}
	for i, e := range c.Events {
		if e.Seq < 1 || e.Seq >= maxNumber || e.Seq != c.Events[0].Seq+uint64(i) {
			return bad("events", fmt.Sprintf("number %d does not follow", e.Seq))
		}
	}
	return nil
}

func lostChanges(changes []learn.LiveChange) learn.LiveAnswer {
	lost := make([]string, len(changes))
	for i, c := range changes {
		lost[i] = c.ConversationID
	}
	return learn.LiveAnswer{Lost: lost}
}

// conversationKeys of a conversation: what is known of it, and its log.
func (s *Store) conversationKeys(id string) []string {
	return []string{s.key("live", "s:"+id), s.key("events", "s:"+id)}
}

// keepQuestion puts a change into words for keepScript.
func (s *Store) keepQuestion(node string, c learn.LiveChange) question {
	const fixed = 10
	args := make([]any, fixed, fixed+len(c.Events))
	hasState, from, size := 0, uint64(0), len(c.State)
	if c.State != nil {
		hasState = 1
	}
	if len(c.Events) > 0 {
		from = c.Events[0].Seq
	}
	copy(args, []any{c.Epoch, node, s.operations.Add(1), liveFor.Milliseconds(), maxEvents, maxEventBytes,
		hasState, c.StateSeq, c.State, from})
	for _, e := range c.Events {
		args = append(args, e.Data)
		size += len(e.Data)
	}
	return question{script: s.scripts.keep, conversation: c.ConversationID, keys: s.conversationKeys(c.ConversationID), args: args, size: size}
}

// Live returns what is kept of a conversation, all of one epoch; ok is false for nothing,
// which is also the answer for one that was lost. The owner and the epoch are those of
// whoever kept it. Unavailable when Redis does not answer.
func (s *Store) Live(ctx context.Context, conversationID string) (state learn.LiveState, ok bool, err error) {
	const op = "live.Live"
	if s.embedded != nil {
		if err := s.embedded.ready(ctx); err != nil {
			return learn.LiveState{}, false, fail(op, err)
		}
		state, ok = s.embedded.mirror.find(conversationID, time.Now())
		return state, ok, nil
	}
	keys := s.conversationKeys(conversationID)
	var known *redis.SliceCmd
	var log *redis.StringSliceCmd
	// A transaction, so that state and log are of the same moment.
	_, err = s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		known = p.HMGet(ctx, keys[0], "epoch", "owner", "state", "seq", "first")
		log = p.LRange(ctx, keys[1], 0, -1)
		return nil
	})
	if err == nil {
		state, ok, err = readLive(known.Val(), log.Val())
	}
	return state, ok, fail(op, err)
}

// readLive decodes the fields epoch, owner, state, seq and first, and the log.
func readLive(known []any, log []string) (learn.LiveState, bool, error) {
	if len(known) != 5 {
		return learn.LiveState{}, false, errors.New("live: a conversation has unexpected fields")
	}
	text := [5]string{}
	for i, v := range known {
		text[i], _ = v.(string) // nil for a field that is not there
	}
	if text[0] == "" {
		return learn.LiveState{}, false, nil
	}
	var numbers [3]uint64
	for i, field := range []string{text[0], text[3], text[4]} {
		n, err := strconv.ParseUint(field, 10, 53)
		if err != nil && field != "" {
			return learn.LiveState{}, false, fmt.Errorf("live: %q is not a number of a conversation", field)
		}
		numbers[i] = n
	}
	l := learn.LiveState{Epoch: int64(numbers[0]), Owner: text[1], StateSeq: numbers[1]}
	if known[2] != nil {
		l.State = []byte(text[2])
	}
	for i, data := range log {
		l.Events = append(l.Events, learn.LiveEvent{Seq: numbers[2] + uint64(i), Data: []byte(data)})
	}
	return l, true, nil
}

// ForgetLive removes a conversation that has ended, and its lease, unless a higher epoch
// is known. The node must not keep changes or leases of it afterwards: they would be there
// until their time is over. Unavailable when Redis does not answer.
func (s *Store) ForgetLive(ctx context.Context, conversationID string, epoch int64) error {
	const op = "live.ForgetLive"
	if s.embedded != nil {
		if err := s.embedded.ready(ctx); err != nil {
			return fail(op, err)
		}
		s.embedded.mirror.forget(conversationID, epoch)
		return nil
	}
	forgotten, err := s.scripts.forget.Run(ctx, s.client, s.conversationKeys(conversationID), epoch).Bool()
	if err == nil && forgotten {
		err = s.client.ZRem(ctx, s.leasesKey(), conversationID).Err()
	}
	return fail(op, err)
}
