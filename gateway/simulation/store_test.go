package simulation

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"kalami/session/learn"
	"kalami/session/verify"
)

// plant is a bug in what stands around the sessions.
type plant int

const (
	nothingPlanted plant = iota
	lostAck              // the store says that it has kept what it has not
	doubleWrite          // it does not know what it has already
	staleEpoch           // it takes writes of whoever held the conversation before
	leakedCap            // a place is not given back
	unheardWords         // the store takes what was said for what was heard
	lostWord             // it drops the last word that was heard of a reply
)

// store is the database, which all nodes share. What is committed survives every node.
type store struct {
	plant plant

	mu    sync.Mutex
	rows  map[string]*row
	takes time.Duration // of every call
	gone  bool          // calls fail
}

// row is a conversation.
type row struct {
	learn.Conversation
	known, next string // the good tokens
	until       time.Time
	messages    []verify.StoredMessage
}

// storeOf is the store as one node reaches it.
type storeOf struct {
	*store
	node *node
}

var errGone = &learn.Error{Kind: learn.Unavailable, Msg: "The database does not answer right now"}

// rest waits, and says whether ctx goes on. A channel that fires at once is no wait: two of
// one bubble may run into each other in the race detector (go.dev/issue/78156).
func rest(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// call does one statement. A node that freezes in it wakes up before or after it; one that
// dies in it never learns whether it was done; and while the store is gone, nobody does.
func (s storeOf) call(ctx context.Context, do func() error) error {
	s.mu.Lock()
	takes, gone := s.takes, s.gone
	s.mu.Unlock()
	if !rest(ctx, takes) {
		return errGone
	}
	if !s.node.awake() || gone && s.node.world.chance(0.5) {
		return errGone
	}
	s.mu.Lock()
	err := do()
	s.mu.Unlock()
	if gone || !s.node.awake() {
		return errGone
	}
	return err
}

// AppendMessage implements [session.Journal].
func (s storeOf) AppendMessage(ctx context.Context, epoch int64, m learn.Message) error {
	began := time.Now()
	err := s.call(ctx, func() error { return s.appended(epoch, m) })
	switch {
	case err == nil:
		s.node.record(m.ConversationID, verify.Committed{Epoch: epoch, Utterance: m.UtteranceID, Seq: m.Seq, Speaker: string(m.Speaker),
			TookUS: time.Since(began).Microseconds(), Text: verify.TextOf(m.Content), Heard: verify.TextOf(m.Heard)})
	case learn.KindOf(err) == learn.Conflict:
		s.node.record(m.ConversationID, verify.WriteRefused{Epoch: epoch, Utterance: m.UtteranceID, Fenced: err == errFenced})
	}
	return err
}

var (
	errFenced = &learn.Error{Kind: learn.Conflict, Msg: "The conversation goes on elsewhere", Err: learn.ErrFenced}
	errTaken  = &learn.Error{Kind: learn.Conflict, Msg: "Another utterance has this number"}
)

func (s *store) appended(epoch int64, m learn.Message) error {
	r := s.rows[m.ConversationID]
	if r.Epoch != epoch && s.plant != staleEpoch {
		return errFenced
	}
	if s.plant != doubleWrite && slices.ContainsFunc(r.messages, func(have verify.StoredMessage) bool { return have.UtteranceID == m.UtteranceID }) {
		return nil
	}
	if r.Status != "active" {
		return errFenced
	}
	if m.Seq != len(r.messages)+1 {
		return errTaken
	}
	if s.plant == lostAck && m.Speaker == learn.SpeakerLearner && m.Seq > 4 {
		return nil
	}
	if m.Speaker == learn.SpeakerTutor && m.Seq > 4 {
		m = s.misheard(m)
	}
	if m.ID == "" || s.plant == doubleWrite {
		m.ID = m.UtteranceID + "/" + time.Now().String()
	}
	r.messages = append(r.messages, verify.StoredMessage{Message: m, Epoch: epoch})
	r.NextSeq = len(r.messages) + 1
	if r.Input.Before(m.Input) {
		r.Input = m.Input
	}
	count(&r.Totals, m)
	return nil
}

// misheard is a message of the tutor's as it is stored.
func (s *store) misheard(m learn.Message) learn.Message {
	switch s.plant {
	case unheardWords:
		m.Heard = m.Content
	case lostWord:
		heard := strings.Fields(m.Heard)
		m.Heard = strings.Join(heard[:max(0, len(heard)-1)], " ")
	}
	return m
}

// count adds a message to its conversation's totals.
func count(t *learn.Totals, m learn.Message) {
	if m.Speaker == learn.SpeakerLearner {
		t.Turns++
		t.Learner += m.Audio
		t.Words += words(m)
		return
	}
	t.Tutor += m.Audio
	if m.Interrupted {
		t.BargeIns++
	}
}

// EndConversation implements [session.Journal].
func (s storeOf) EndConversation(ctx context.Context, epoch int64, c learn.Conversation) error {
	err := s.call(ctx, func() error {
		r := s.rows[c.ID]
		switch {
		case r.Epoch != epoch:
			return errFenced
		case r.Status == "active":
			now := time.Now()
			r.Status, r.EndReason, r.EndedAt, r.Totals = "ended", c.EndReason, &now, c.Totals
		}
		return nil
	})
	if err == nil {
		s.node.record(c.ID, verify.ConversationEnded{Epoch: epoch, Reason: c.EndReason})
	}
	return err
}

// EditTranscript implements [session.Journal].
func (storeOf) EditTranscript(context.Context, int64, learn.TranscriptEdit) error { return nil }

// KeepHabits implements [session.Journal].
func (storeOf) KeepHabits(context.Context, string, string, string, learn.TurnHabits) error {
	return nil
}

// takeOver raises the epoch for somebody who comes with a ticket.
func (s storeOf) takeOver(ctx context.Context, id, token string) (c learn.Conversation, history []learn.Message, err error) {
	err = s.call(ctx, func() error {
		r := s.rows[id]
		if r.Status != "active" {
			return &learn.Error{Kind: learn.Conflict, Msg: "It has ended"}
		}
		r.Epoch++
		r.known, r.next, r.until = "", token, time.Now().Add(window)
		c, history = r.Conversation, r.history()
		return nil
	})
	return c, history, err
}

// OfferResume implements [gateway.Resumptions].
func (s storeOf) OfferResume(ctx context.Context, o learn.ResumeOffer) error {
	return s.call(ctx, func() error {
		r := s.rows[o.ConversationID]
		if r.Epoch != o.Epoch || r.Status != "active" {
			return errFenced
		}
		r.known, r.next, r.until = o.Known, o.Hash, time.Now().Add(o.Window)
		return nil
	})
}

// Resume implements [gateway.Resumptions], and returns the history with the conversation.
func (s storeOf) resume(ctx context.Context, q learn.Resumption) (c learn.Conversation, history []learn.Message, outcome learn.ResumeOutcome, err error) {
	err = s.call(ctx, func() error {
		r := s.rows[q.ConversationID]
		switch {
		case r.Status != "active" || q.Epoch == 0 && !r.until.After(time.Now()):
			outcome = learn.ResumeOver
		case q.Hash != r.known && q.Hash != r.next:
			outcome = learn.ResumeForeign
		case q.Epoch != 0 && q.Epoch != r.Epoch:
			outcome = learn.ResumeMoved
		default:
			if outcome = learn.ResumeGranted; q.Epoch == 0 {
				r.Epoch++
			}
			r.known, r.next, r.until = q.Hash, q.Next, time.Now().Add(q.Window)
			c, history = r.Conversation, r.history()
		}
		return nil
	})
	return c, history, outcome, err
}

// epoch is what [gateway.Resumptions.Epochs] says of one; ok is false for one that is over.
func (s storeOf) epoch(id string) (epoch int64, ok bool, err error) {
	err = s.call(context.Background(), func() error {
		epoch, ok = s.rows[id].Epoch, s.rows[id].Status == "active"
		return nil
	})
	return epoch, ok, err
}

// history are the latest messages.
func (r *row) history() []learn.Message {
	var out []learn.Message
	for _, m := range r.messages[max(0, len(r.messages)-40):] {
		out = append(out, m.Message)
	}
	return out
}

// Conversations implements [verify.Database].
func (s *store) Conversations(_ context.Context, ids []string, each func(verify.Stored) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if r := s.rows[id]; r != nil {
			if err := each(verify.Stored{Conversation: r.Conversation, Messages: r.messages}); err != nil {
				return err
			}
		}
	}
	return nil
}
