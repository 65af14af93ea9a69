package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"kalami/session/learn"
	"kalami/store"
)

// testFencing: whoever has been superseded writes nothing more, in order and in a
// race.
func testFencing(t *testing.T, fresh Fresh) {
	db := Open(t, fresh(t))
	ctx := t.Context()
	ana := NewLearner(t, db, "ana")

	c := ana.Start(t, db)
	must(t, db.AppendMessage(ctx, 1, Utterance(c, 1)))
	_, err := db.TakeOver(ctx, c.TenantID, c.UserID, c.ID)
	must(t, err)
	wantFenced(t, "the old owner's message", db.AppendMessage(ctx, 1, Utterance(c, 2)))
	wantFenced(t, "the old owner's repeat", db.AppendMessage(ctx, 1, Utterance(c, 1)))
	wantFenced(t, "the old owner's end", db.EndConversation(ctx, 1, c))
	wantFenced(t, "an epoch that never was", db.AppendMessage(ctx, 7, Utterance(c, 2)))
	must(t, db.AppendMessage(ctx, 2, Utterance(c, 2)))
	must(t, db.EndConversation(ctx, 2, c))
	wantFenced(t, "the old owner's message after the end", db.AppendMessage(ctx, 1, Utterance(c, 3)))
	wantFenced(t, "the old owner's end after the end", db.EndConversation(ctx, 1, c))
	if n := len(messages(t, db, c)); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}

	for round := range 10 {
		t.Run(fmt.Sprintf("race %d", round), func(t *testing.T) {
			raceForConversation(t, db, ana.Start(t, db), func(c learn.Conversation) (learn.Conversation, error) {
				return db.TakeOver(ctx, c.TenantID, c.UserID, c.ID)
			})
		})
		t.Run(fmt.Sprintf("race %d with a token", round), func(t *testing.T) {
			c := ana.Start(t, db)
			must(t, db.OfferResume(ctx, learn.ResumeOffer{TenantID: c.TenantID, ConversationID: c.ID, Epoch: 1, Hash: c.ID, Window: window}))
			raceForConversation(t, db, c, func(c learn.Conversation) (learn.Conversation, error) {
				c, outcome, err := db.Resume(ctx, learn.Resumption{ConversationID: c.ID, Hash: c.ID, Next: "next " + c.ID, Window: window})
				if outcome != learn.ResumeGranted {
					t.Errorf("outcome %d", outcome)
				}
				return c, err
			})
		})
	}
}

// raceForConversation: four owners follow each other, each taking the conversation
// over while the one before is in the middle of writing, and each writes on from
// the number that it was given. A message of an old owner that slipped in after a
// take-over would hold a number that the new owner then uses.
func raceForConversation(t *testing.T, db *store.DB, c learn.Conversation, takeOver func(learn.Conversation) (learn.Conversation, error)) {
	ctx := t.Context()
	var wg sync.WaitGroup
	var stored atomic.Int64
	for range 4 {
		owned, err := takeOver(c)
		must(t, err)
		if held := stored.Load(); int64(owned.NextSeq) < held+1 {
			t.Errorf("epoch %d begins at message %d, but %d were acknowledged", owned.Epoch, owned.NextSeq, held)
		}
		speaking := make(chan struct{})
		wg.Go(func() {
			for seq := owned.NextSeq; ; seq++ {
				m := Utterance(owned, seq)
				m.UtteranceID = fmt.Sprintf("epoch %d, %d", owned.Epoch, seq)
				err := db.AppendMessage(ctx, owned.Epoch, m)
				if errors.Is(err, learn.ErrFenced) {
					return
				}
				if err != nil {
					t.Errorf("epoch %d, message %d: %v", owned.Epoch, seq, err)
					close(speaking)
					return
				}
				if stored.Add(1); seq == owned.NextSeq+2 {
					close(speaking)
				}
			}
		})
		<-speaking
	}
	last, err := takeOver(c)
	must(t, err)
	wg.Wait()
	ms := messages(t, db, c)
	if int64(len(ms)) != stored.Load() || last.NextSeq != len(ms)+1 {
		t.Errorf("%d messages, %d acknowledged, next is %d", len(ms), stored.Load(), last.NextSeq)
	}
	for i, m := range ms {
		if m.Seq != i+1 {
			t.Fatalf("message %d has number %d", i+1, m.Seq)
		}
	}
}

func wantFenced(t *testing.T, what string, err error) {
	t.Helper()
	wantKind(t, what, err, learn.Conflict)
	if !errors.Is(err, learn.ErrFenced) {
		t.Errorf("%s: %v does not have learn.ErrFenced in its chain", what, err)
	}
}

// testConcurrency: sixteen writers append to one conversation, and each utterance
// is appended by two of them, as after a retry. Every one is stored once and
// counted once.
func testConcurrency(t *testing.T, fresh Fresh) {
	const writers, each = 16, 12
	db := Open(t, fresh(t))
	c := NewLearner(t, db, "ana").Start(t, db)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				// Writers 2n and 2n+1 say the same.
				if err := db.AppendMessage(t.Context(), 1, Utterance(c, w/2*each+i+1)); err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
	}
	wg.Wait()
	const want = writers / 2 * each
	got, err := db.Conversation(t.Context(), c.TenantID, c.UserID, c.ID)
	must(t, err)
	if n := len(messages(t, db, c)); n != want || got.NextSeq != want+1 || got.Totals.Turns != want || got.Totals.Words != 2*want {
		t.Errorf("%d messages, next %d, %d turns, %d words; want %d, %d, %d, %d",
			n, got.NextSeq, got.Totals.Turns, got.Totals.Words, want, want+1, want, 2*want)
	}
}
