package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store/live"
)

// events makes events with these numbers, from the first to the last.
func events(from, to uint64) []learn.LiveEvent {
	var all []learn.LiveEvent
	for n := from; n <= to; n++ {
		all = append(all, learn.LiveEvent{Seq: n, Data: fmt.Appendf(nil, `{"seq":%d}`, n)})
	}
	return all
}

// change makes a change with a state that tells of the last of the events.
func change(id string, epoch int64, from, to uint64) learn.LiveChange {
	return learn.LiveChange{ConversationID: id, Epoch: epoch, Events: events(from, to),
		State: fmt.Appendf(nil, "state %d of %d", to, epoch), StateSeq: to}
}

// keep keeps changes of one conversation as node "a" and expects to be told nothing.
func keep(t *testing.T, s *live.Store, changes ...learn.LiveChange) {
	t.Helper()
	for _, c := range changes {
		wantAnswer(t, s, "a", c, learn.LiveAnswer{})
	}
}

// wantAnswer keeps a change and compares the answer.
func wantAnswer(t *testing.T, s *live.Store, node string, c learn.LiveChange, want learn.LiveAnswer) {
	t.Helper()
	got, err := s.KeepLive(t.Context(), node, []learn.LiveChange{c})
	if err != nil || !sameAnswer(got, want) {
		t.Errorf("keeping %d events of epoch %d: %+v, %v; want %+v", len(c.Events), c.Epoch, got, err, want)
	}
}

func sameAnswer(a, b learn.LiveAnswer) bool {
	return slices.Equal(a.Superseded, b.Superseded) && slices.Equal(a.Lost, b.Lost)
}

// wantLiveState fails the test unless exactly that is kept of a conversation.
func wantLiveState(t *testing.T, s *live.Store, id, owner string, epoch int64, stateSeq, from, to uint64) {
	t.Helper()
	got, ok, err := s.Live(t.Context(), id)
	must(t, err)
	if !ok || got.Owner != owner || got.Epoch != epoch || got.StateSeq != stateSeq {
		t.Fatalf("kept is epoch %d of %q at %d (%v), want epoch %d of %q at %d", got.Epoch, got.Owner, got.StateSeq, ok, epoch, owner, stateSeq)
	}
	if want := fmt.Sprintf("state %d of %d", stateSeq, epoch); string(got.State) != want {
		t.Errorf("the state is %q, want %q", got.State, want)
	}
	same := func(a, b learn.LiveEvent) bool { return a.Seq == b.Seq && bytes.Equal(a.Data, b.Data) }
	if !slices.EqualFunc(got.Events, events(from, to), same) {
		t.Errorf("the log is\n%+v\nwant %d to %d", got.Events, from, to)
	}
}

// testMirror: what one node keeps, another finds, whatever was sent twice, late, or never.
func testMirror(t *testing.T, s *live.Store) {
	ctx := t.Context()
	if _, ok, err := s.Live(ctx, "unknown"); ok || err != nil {
		t.Errorf("an unknown conversation: %v, %v", ok, err)
	}
	keep(t, s, change("c", 1, 1, 3), change("c", 1, 4, 4))
	wantLiveState(t, s, "c", "a", 1, 4, 1, 4)
	keep(t, s, change("c", 1, 4, 4), change("c", 1, 3, 6)) // again, and overlapping
	wantLiveState(t, s, "c", "a", 1, 6, 1, 6)
	keep(t, s, learn.LiveChange{ConversationID: "c", Epoch: 1, Events: events(7, 8)})
	wantLiveState(t, s, "c", "a", 1, 6, 1, 8)
	keep(t, s, learn.LiveChange{ConversationID: "c", Epoch: 1, State: []byte("state 8 of 1"), StateSeq: 8})
	wantLiveState(t, s, "c", "a", 1, 8, 1, 8)

	// A hole: the log begins anew, the node is told, and sends all that it has.
	lost := learn.LiveAnswer{Lost: []string{"c"}}
	wantAnswer(t, s, "a", change("c", 1, 10, 11), lost)
	wantLiveState(t, s, "c", "a", 1, 11, 10, 11)
	keep(t, s, change("c", 1, 2, 9)) // too late to fill the hole, and it ends before it
	wantLiveState(t, s, "c", "a", 1, 9, 10, 11)
	keep(t, s, change("c", 1, 1, 11))
	wantLiveState(t, s, "c", "a", 1, 11, 1, 11)
	keep(t, s, change("c", 1, 1, 12))
	wantLiveState(t, s, "c", "a", 1, 12, 1, 12)

	// Another node takes over. The one before is refused and changes nothing.
	wantAnswer(t, s, "b", change("c", 2, 20, 21), lost)
	wantAnswer(t, s, "b", change("c", 2, 20, 22), learn.LiveAnswer{})
	wantAnswer(t, s, "a", change("c", 1, 13, 14), learn.LiveAnswer{Superseded: []string{"c"}})
	wantLiveState(t, s, "c", "b", 2, 22, 20, 22)
	must(t, s.ForgetLive(ctx, "c", 1))
	wantLiveState(t, s, "c", "b", 2, 22, 20, 22)
	must(t, s.ForgetLive(ctx, "c", 2))
	if _, ok, err := s.Live(ctx, "c"); ok || err != nil {
		t.Errorf("a forgotten conversation: %v, %v", ok, err)
	}
	must(t, s.ForgetLive(ctx, "c", 2))

	// A state that was not sent is missed; one that is empty is there.
	wantAnswer(t, s, "a", learn.LiveChange{ConversationID: "d", Epoch: 1, Events: events(1, 1)}, learn.LiveAnswer{Lost: []string{"d"}})
	if got, ok, err := s.Live(ctx, "d"); !ok || err != nil || got.State != nil || len(got.Events) != 1 {
		t.Errorf("without a state: %+v, %v, %v", got, ok, err)
	}
	keep(t, s, learn.LiveChange{ConversationID: "d", Epoch: 1, State: []byte{}, StateSeq: 1})
	if got, ok, err := s.Live(ctx, "d"); !ok || err != nil || got.State == nil || len(got.State) != 0 {
		t.Errorf("with an empty state: %+v, %v, %v", got, ok, err)
	}
}

// testMirrorBounds: a log has at most 512 events and a mebibyte, the latest, and what has
// been kept is bytes.
func testMirrorBounds(t *testing.T, s *live.Store) {
	keep(t, s, change("many", 1, 1, 500), change("many", 1, 501, 1100))
	wantLiveState(t, s, "many", "a", 1, 1100, 589, 1100)

	blob := bytes.Repeat([]byte("\x00\r\n{}\xff$"), 20_000) // 140,000 bytes: seven of them fit
	for n := uint64(1); n <= 20; n++ {
		keep(t, s, learn.LiveChange{ConversationID: "long", Epoch: 1, State: blob, StateSeq: n, Events: []learn.LiveEvent{{Seq: n, Data: blob}}})
	}
	got, ok, err := s.Live(t.Context(), "long")
	must(t, err)
	if !ok || len(got.Events) != 7 || got.Events[0].Seq != 14 || !bytes.Equal(got.State, blob) || !bytes.Equal(got.Events[6].Data, blob) {
		t.Errorf("%d long events are kept, want 7 from number 14 on", len(got.Events))
	}

	bad := []learn.LiveChange{
		{Epoch: 1}, {ConversationID: "c"}, {ConversationID: "c", Epoch: -1}, {ConversationID: "c", Epoch: 1 << 53},
		{ConversationID: "c", Epoch: 1, StateSeq: 1 << 53},
		{ConversationID: "c", Epoch: 1, Events: events(0, 1)},
		{ConversationID: "c", Epoch: 1, Events: append(events(1, 1), events(3, 3)...)},
	}
	for _, c := range bad {
		_, err := s.KeepLive(t.Context(), "a", []learn.LiveChange{change("good", 1, 1, 1), c})
		wantLive(t, fmt.Sprintf("the change %+v", c), err, learn.Invalid)
	}
	_, err = s.KeepLive(t.Context(), "", []learn.LiveChange{change("good", 1, 1, 1)})
	wantLive(t, "no node", err, learn.Invalid)
	if _, ok, err := s.Live(t.Context(), "good"); ok || err != nil {
		t.Errorf("something was kept beside what is invalid: %v, %v", ok, err)
	}
}

// testLeases: a node keeps what it has by renewing it, whoever was superseded is told, and
// what nobody renews is an orphan.
func testLeases(t *testing.T, s *live.Store) {
	ctx := t.Context()
	lease := func(id string, epoch int64) learn.LiveLease { return learn.LiveLease{ConversationID: id, Epoch: epoch} }
	renew := func(node string, want learn.LiveAnswer, leases ...learn.LiveLease) {
		t.Helper()
		got, err := s.RenewLive(ctx, node, leases)
		if err != nil || !sameAnswer(got, want) {
			t.Errorf("%s renews %v: %+v, %v; want %+v", node, leases, got, err, want)
		}
	}
	keep(t, s, change("one", 1, 1, 3), change("two", 1, 1, 3))
	renew("a", learn.LiveAnswer{Lost: []string{"three"}}, lease("one", 1), lease("two", 1), lease("three", 1))

	// b takes "one" over. It is the owner from then on, but what a has kept can still be read.
	renew("b", learn.LiveAnswer{Lost: []string{"one"}}, lease("one", 2))
	renew("a", learn.LiveAnswer{Superseded: []string{"one"}}, lease("one", 1), lease("two", 1))
	wantAnswer(t, s, "a", change("one", 1, 4, 4), learn.LiveAnswer{Superseded: []string{"one"}})
	wantLiveState(t, s, "one", "a", 1, 3, 1, 3)
	wantAnswer(t, s, "b", change("one", 2, 4, 5), learn.LiveAnswer{Lost: []string{"one"}})
	renew("b", learn.LiveAnswer{}, lease("one", 2))
	wantLiveState(t, s, "one", "b", 2, 5, 4, 5)

	for _, bad := range []learn.LiveLease{{}, {ConversationID: "c"}, {Epoch: 1}} {
		_, err := s.RenewLive(ctx, "a", []learn.LiveLease{bad})
		wantLive(t, fmt.Sprintf("the lease %+v", bad), err, learn.Invalid)
	}
	if got, err := s.Orphans(ctx, 0, 10); len(got) != 0 || err != nil {
		t.Errorf("orphans are %q, %v; all leases are good", got, err)
	}
	must(t, s.ForgetLive(ctx, "three", 1))
	for over := time.Now().Add(3 * live.Lease); ; time.Sleep(live.Lease / 50) {
		renew("b", learn.LiveAnswer{}, lease("one", 2))
		got, err := s.Orphans(ctx, 0, 10)
		must(t, err)
		if slices.Equal(got, []string{"two"}) {
			break
		}
		if len(got) != 0 || time.Now().After(over) {
			t.Fatalf(`orphans are %q, want "two" alone, after the lease`, got)
		}
	}
	if got, err := s.Orphans(ctx, time.Hour/2, 10); len(got) != 0 || err != nil {
		t.Errorf("orphans for half an hour are %q, %v", got, err)
	}
}

// testMirrorRace: while nodes take a conversation from each other again and again, whoever
// reads finds the state and the log of one epoch.
func testMirrorRace(t *testing.T, s *live.Store) {
	const epochs, readers = 60, 4
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			for last := int64(0); ; {
				got, ok, err := s.Live(t.Context(), "c")
				if err != nil {
					t.Errorf("Live: %v", err)
					return
				}
				if want := fmt.Sprintf("state %d of %d", got.StateSeq, got.Epoch); ok && (string(got.State) != want || got.Epoch < last) {
					t.Errorf("the state is %q, want %q, and no epoch before %d", got.State, want, last)
				}
				for _, e := range got.Events {
					if want := fmt.Sprintf("%d of %d", e.Seq, got.Epoch); string(e.Data) != want {
						t.Errorf("an event is %q, want %q", e.Data, want)
					}
				}
				last = got.Epoch
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for epoch := int64(1); epoch <= epochs; epoch++ {
		for n := uint64(1); n <= 5; n++ {
			c := change("c", epoch, n, n)
			c.Events[0].Data = fmt.Appendf(nil, "%d of %d", n, epoch)
			keep(t, s, c)
		}
	}
	close(done)
	wg.Wait()
}
