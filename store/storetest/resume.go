package storetest

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
)

// window is for how long a token of these tests is good.
const window = 10 * time.Minute

// returning is a client with a conversation, and the clock that its node goes by.
type returning struct {
	*testing.T
	db *store.DB
	at *clock
	c  learn.Conversation
	// window is for how long what it is offered is good.
	window time.Duration
}

func newReturning(t *testing.T, fresh Fresh) *returning {
	o := fresh(t)
	at := &clock{time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	o.Now = at.now
	db := Open(t, o)
	return &returning{T: t, db: db, at: at, c: NewLearner(t, db, "ana").Start(t, db), window: window}
}

// offers stores a further token under an epoch, beside the one that the client is known to
// have.
func (r *returning) offers(epoch int64, hash, known string) {
	r.Helper()
	must(r.T, r.db.OfferResume(r.Context(), learn.ResumeOffer{TenantID: r.c.TenantID, ConversationID: r.c.ID, Epoch: epoch,
		Hash: hash, Known: known, Window: r.window}))
}

// shows comes back with a token to a node that holds the conversation at an epoch, or 0.
func (r *returning) shows(hash, next string, epoch int64, want learn.ResumeOutcome) learn.Conversation {
	r.Helper()
	c, outcome, err := r.db.Resume(r.Context(), learn.Resumption{ConversationID: r.c.ID, Hash: hash, Next: next,
		Epoch: epoch, Window: r.window})
	must(r.T, err)
	if outcome != want {
		r.Errorf("showing %s at epoch %d: outcome %d, want %d", hash, epoch, outcome, want)
	}
	return c
}

// testResume: Ana's phone comes back from node to node, and to the same node; an answer
// with a new token that got lost is no loss.
func testResume(t *testing.T, fresh Fresh) {
	r := newReturning(t, fresh)
	must(t, r.db.AppendMessage(t.Context(), 1, Utterance(r.c, 1)))
	r.offers(1, "a", "")

	got := r.shows("a", "b", 0, learn.ResumeGranted)
	want, err := r.db.Conversation(t.Context(), r.c.TenantID, r.c.UserID, r.c.ID)
	must(t, err)
	if !reflect.DeepEqual(got, want) || got.Epoch != 2 || got.NextSeq != 2 || got.Language != "es" || got.Totals.Turns != 1 {
		t.Errorf("taken up as %+v\nwant %+v at epoch 2, message 2", got, want)
	}
	// The answer with b was lost: the phone still shows a, and gets c for it.
	if got := r.shows("a", "c", 0, learn.ResumeGranted); got.Epoch != 3 {
		t.Errorf("epoch %d, want 3", got.Epoch)
	}
	r.shows("b", "x", 0, learn.ResumeForeign) // nobody can have been told it
	// Back on the same node, which keeps it.
	if got := r.shows("c", "d", 3, learn.ResumeGranted); got.Epoch != 3 {
		t.Errorf("epoch %d after coming back to the owner, want 3", got.Epoch)
	}
	// c was used, so that the phone has had it: a is used up.
	of := r.shows("a", "x", 0, learn.ResumeForeign)
	if of != (learn.Conversation{ID: r.c.ID, TenantID: r.c.TenantID, UserID: r.c.UserID}) {
		t.Errorf("a replayed token tells %+v: want whose conversation it is and no more", of)
	}
	r.shows("d", "e", 0, learn.ResumeGranted)
	must(t, r.db.AppendMessage(t.Context(), 4, Utterance(r.c, 2)))
	wantFenced(t, "the owner before", r.db.AppendMessage(t.Context(), 3, Utterance(r.c, 3)))
}

// testResumeRefusals: what is over is over, and a conversation that moved says so.
func testResumeRefusals(t *testing.T, fresh Fresh) {
	r := newReturning(t, fresh)
	r.shows("a", "b", 0, learn.ResumeOver) // no token was ever offered
	r.offers(1, "a", "")
	unknown := *r
	unknown.c.ID = "0192d5f0-6c3e-7b5a-9a0e-3f2f6f1f8c11"
	unknown.shows("a", "b", 0, learn.ResumeOver)
	r.shows("another's", "b", 0, learn.ResumeForeign)
	r.shows("another's", "b", 1, learn.ResumeForeign)

	// Another node has it; this one does not know yet.
	r.shows("a", "b", 0, learn.ResumeGranted)
	r.shows("b", "c", 1, learn.ResumeMoved)
	r.shows("b", "c", 2, learn.ResumeGranted)

	// The window is over; who has the conversation in memory goes on.
	r.window = 0
	r.offers(2, "c", "b")
	r.window = window
	r.shows("c", "d", 0, learn.ResumeOver)
	r.shows("another's", "d", 0, learn.ResumeOver)
	r.shows("c", "d", 2, learn.ResumeGranted)
	r.at.at = r.at.at.Add(window - time.Microsecond)
	r.shows("d", "e", 0, learn.ResumeGranted)

	// Going on with a ticket on another device is a take-over like any other.
	_, err := r.db.TakeOver(t.Context(), r.c.TenantID, r.c.UserID, r.c.ID)
	must(t, err)
	r.shows("e", "f", 0, learn.ResumeForeign)
	r.offers(4, "g", "")
	must(t, r.db.EndConversation(t.Context(), 4, r.c))
	r.shows("g", "h", 0, learn.ResumeOver)
	r.shows("g", "h", 4, learn.ResumeOver)
	// Ana ends all her sessions, so her tokens are worth nothing any more, at any node.
	again, err := r.db.StartConversation(t.Context(), learn.Conversation{TenantID: r.c.TenantID, UserID: r.c.UserID, ProfileID: r.c.ProfileID})
	must(t, err)
	g := r.c
	r.c = again
	r.offers(1, "i", "")
	must(t, r.db.EndSessions(t.Context(), r.c.UserID))
	r.shows("i", "j", 0, learn.ResumeRevoked)
	r.shows("i", "j", 1, learn.ResumeRevoked)
	r.c = g
	for _, hash := range []string{"", "g"} {
		next := map[string]string{"": "h", "g": ""}[hash]
		_, _, err := r.db.Resume(t.Context(), learn.Resumption{ConversationID: r.c.ID, Hash: hash, Next: next})
		wantKind(t, "a resumption without a hash", err, learn.Invalid)
	}
}

// testResumeClock: nodes whose clocks are an hour apart, if they can have different ones,
// agree on which tokens are good, and on which are over.
func testResumeClock(t *testing.T, fresh Fresh) {
	o := fresh(t)
	skew := time.Hour
	if !strings.HasPrefix(o.URL, "postgres") {
		skew = 0 // nodes of one file are on one machine
	}
	at := func(skew time.Duration) *store.DB {
		o := o
		o.Now = func() time.Time { return time.Now().Add(skew) }
		return Open(t, o)
	}
	right, ahead, behind := at(0), at(skew), at(-skew)
	ana := NewLearner(t, right, "ana")
	for i, nodes := range [][]*store.DB{{right, ahead, behind}, {ahead, behind, right}, {behind, right, ahead}} {
		r := &returning{T: t, c: ana.Start(t, right), window: window}
		r.db = nodes[0]
		r.offers(1, "a", "")
		for _, r.db = range nodes[1:] { // one takes over what another has offered
			r.shows("another's", "x", 0, learn.ResumeForeign)
			r.shows("a", "b", 0, learn.ResumeGranted)
		}
		r.db = nodes[i%2]
		r.shows("b", "c", 3, learn.ResumeGranted)
		r.window = 0
		r.offers(3, "d", "")
		for _, r.db = range nodes {
			r.shows("another's", "x", 0, learn.ResumeOver)
			r.shows("d", "e", 0, learn.ResumeOver)
		}
	}
}

// testResumeOffers: two tokens are good at a time, and an offer that is made twice since
// nobody knew whether it had been stored does not take the client's.
func testResumeOffers(t *testing.T, fresh Fresh) {
	r := newReturning(t, fresh)
	good := func(hashes ...string) {
		t.Helper()
		have := map[string]bool{}
		for _, h := range []string{"a", "b", "c", "d", ""} {
			// An epoch that never was: good tokens are told from others, and nothing changes.
			_, outcome, err := r.db.Resume(t.Context(), learn.Resumption{ConversationID: r.c.ID, Hash: h + "", Next: "x", Epoch: 99})
			if h == "" {
				wantKind(t, "no token", err, learn.Invalid)
				continue
			}
			must(t, err)
			if outcome == learn.ResumeMoved {
				have[h] = true
			}
		}
		want := map[string]bool{}
		for _, h := range hashes {
			want[h] = true
		}
		if !maps.Equal(have, want) {
			t.Errorf("good tokens %v, want %v", have, want)
		}
	}
	r.offers(1, "a", "")
	good("a")
	r.offers(1, "b", "a")
	good("a", "b")
	r.offers(1, "b", "a") // the first answer of the database was lost
	good("a", "b")
	r.offers(1, "c", "a") // b was never sent
	good("a", "c")
	r.offers(1, "d", "c")
	good("c", "d")
	r.at.at = r.at.at.Add(window - time.Second)
	r.offers(1, "d", "c") // only until when
	good("c", "d")
	r.at.at = r.at.at.Add(window - time.Second)
	r.shows("d", "e", 0, learn.ResumeGranted)

	offer := learn.ResumeOffer{TenantID: r.c.TenantID, ConversationID: r.c.ID, Epoch: 1, Hash: "z", Window: window}
	wantFenced(t, "the old owner's offer", r.db.OfferResume(t.Context(), offer))
	offer.Epoch = 2
	foreign := offer
	foreign.TenantID = "school"
	err := r.db.OfferResume(t.Context(), foreign)
	wantKind(t, "an offer in another tenant", err, learn.NotFound)
	if !errors.Is(err, learn.ErrFenced) {
		t.Errorf("an offer in another tenant: %v", err)
	}
	nothing := offer
	nothing.Hash = ""
	wantKind(t, "an offer of nothing", r.db.OfferResume(t.Context(), nothing), learn.Invalid)
	must(t, r.db.EndConversation(t.Context(), 2, r.c))
	wantFenced(t, "an offer after the end", r.db.OfferResume(t.Context(), offer))
}

// testResumeRace: a thousand come with one token to two nodes. Each that is let in is the
// owner until the next one is, under an epoch of its own; in the end one is, and none of the
// others can write.
func testResumeRace(t *testing.T, fresh Fresh) {
	o := fresh(t)
	nodes := []*store.DB{Open(t, o), Open(t, o)}
	c := NewLearner(t, nodes[0], "ana").Start(t, nodes[0])
	must(t, nodes[0].OfferResume(t.Context(), learn.ResumeOffer{TenantID: c.TenantID, ConversationID: c.ID, Epoch: 1, Hash: "a", Window: window}))
	const racers = 1000
	var mu sync.Mutex
	owners := map[int64]int{} // epochs that were handed out
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		all.Go(func() {
			<-start
			got, outcome, err := nodes[i%2].Resume(t.Context(), learn.Resumption{ConversationID: c.ID, Hash: "a", Next: fmt.Sprintf("next %d", i), Window: window})
			if err != nil || outcome != learn.ResumeGranted {
				t.Errorf("racer %d: outcome %d, %v", i, outcome, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			owners[got.Epoch]++
		})
	}
	close(start)
	all.Wait()
	epochs, err := nodes[1].Epochs(t.Context(), []string{c.ID, "another"})
	must(t, err)
	last := epochs[c.ID]
	if last != racers+1 || len(epochs) != 1 {
		t.Errorf("epochs %v after %d take-overs", epochs, racers)
	}
	for epoch, n := range owners {
		if n != 1 {
			t.Errorf("%d racers were given epoch %d", n, epoch)
		}
	}
	if len(owners) != racers {
		t.Errorf("%d epochs for %d racers", len(owners), racers)
	}
	for epoch := last - 10; epoch < last; epoch++ {
		wantFenced(t, fmt.Sprintf("the owner at epoch %d", epoch), nodes[epoch%2].AppendMessage(t.Context(), epoch, Utterance(c, 1)))
	}
	must(t, nodes[0].AppendMessage(t.Context(), last, Utterance(c, 1)))
}

// testInput: the conversation knows the furthest frame of the microphone that is stored,
// in whatever order messages come, and tells whoever takes it over.
func testInput(t *testing.T, fresh Fresh) {
	r := newReturning(t, fresh)
	say := func(seq int, in learn.InputMark) {
		t.Helper()
		m := Utterance(r.c, seq)
		m.Input = in
		must(t, r.db.AppendMessage(t.Context(), 1, m))
	}
	for i, c := range []struct{ said, want learn.InputMark }{
		{learn.InputMark{}, learn.InputMark{}},
		{learn.InputMark{Stream: 1, Next: 400}, learn.InputMark{Stream: 1, Next: 400}},
		{learn.InputMark{}, learn.InputMark{Stream: 1, Next: 400}},
		{learn.InputMark{Stream: 1, Next: 399}, learn.InputMark{Stream: 1, Next: 400}},
		{learn.InputMark{Stream: 2, Next: 7}, learn.InputMark{Stream: 2, Next: 7}},
		{learn.InputMark{Stream: 1, Next: 500}, learn.InputMark{Stream: 2, Next: 7}},
		{learn.InputMark{Stream: 65535, Next: 1<<32 - 1}, learn.InputMark{Stream: 65535, Next: 1<<32 - 1}},
	} {
		say(i+1, c.said)
		got, err := r.db.Conversation(t.Context(), r.c.TenantID, r.c.UserID, r.c.ID)
		must(t, err)
		if got.Input != c.want || got.NextSeq != i+2 {
			t.Errorf("after %+v: %+v, next message %d; want %+v, %d", c.said, got.Input, got.NextSeq, c.want, i+2)
		}
	}
	r.offers(1, "a", "")
	if got := r.shows("a", "b", 0, learn.ResumeGranted); got.Input.Stream != 65535 || got.NextSeq != 8 {
		t.Errorf("taken up with %+v, message %d", got.Input, got.NextSeq)
	}
	if got, err := r.db.TakeOver(t.Context(), r.c.TenantID, r.c.UserID, r.c.ID); err != nil || got.Input.Stream != 65535 || got.NextSeq != 8 {
		t.Errorf("taken over with %+v, message %d, %v", got.Input, got.NextSeq, err)
	}
}

// testAbandon: a client that never comes back is given up once, by one of the nodes, and
// what was said counts; one that may come back, or that never had a token, is left alone.
func testAbandon(t *testing.T, fresh Fresh) {
	o := fresh(t)
	at := &clock{time.Now().UTC().Truncate(time.Microsecond)}
	o.Now = at.now
	nodes := []*store.DB{Open(t, o), Open(t, o)}
	ana := NewLearner(t, nodes[0], "ana")
	r := &returning{T: t, db: nodes[0], at: at} // with tokens that are over at once
	lost, typed := make([]learn.Conversation, 5), ana.Start(t, nodes[0])
	for i := range lost {
		lost[i] = ana.Start(t, nodes[0])
		r.c = lost[i]
		r.offers(1, fmt.Sprintf("token %d", i), "")
		must(t, nodes[0].AppendMessage(t.Context(), 1, Utterance(lost[i], 1)))
	}
	r.c, r.window = ana.Start(t, nodes[0]), window
	r.offers(1, "here", "")
	at.at = at.at.Add(window / 2)

	if n, err := nodes[0].AbandonConversations(t.Context(), at.at, 1); n != 1 || err != nil {
		t.Errorf("one at a time: %d, %v", n, err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	sum := 0
	for i := range 6 {
		all.Go(func() {
			n, err := nodes[i%2].AbandonConversations(t.Context(), at.at, 100)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum += n
		})
	}
	all.Wait()
	if sum != len(lost)-1 {
		t.Errorf("%d were given up by all nodes, want each of %d once", sum, len(lost)-1)
	}
	for _, c := range lost {
		got, err := nodes[1].Conversation(t.Context(), c.TenantID, c.UserID, c.ID)
		must(t, err)
		if got.Status != "abandoned" || got.EndReason != "abandoned" || got.EndedAt == nil || !got.EndedAt.Equal(c.StartedAt) || got.Totals.Turns != 1 || got.Epoch != 2 {
			t.Errorf("given up as %+v", got)
		}
		wantFenced(t, "who held it", nodes[0].AppendMessage(t.Context(), 1, Utterance(c, 2)))
	}
	for _, c := range []learn.Conversation{r.c, typed} {
		if got, err := nodes[1].Conversation(t.Context(), c.TenantID, c.UserID, c.ID); err != nil || got.Status != "active" || got.Epoch != 1 {
			t.Errorf("%+v, %v: want it left alone", got, err)
		}
	}
	p, err := nodes[0].Profile(t.Context(), ana.Profile.TenantID, ana.User.ID, ana.Profile.ID)
	must(t, err)
	if p.Conversations != len(lost)+2 || p.TotalSpeaking != time.Duration(len(lost))*time.Second {
		t.Errorf("profile has %v in %d conversations", p.TotalSpeaking, p.Conversations)
	}
}
