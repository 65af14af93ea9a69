package session

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// A session that is over says so last: nothing of the tutor follows, and what went
// wrong, if something did, stands just before.
func TestLastWords(t *testing.T) {
	for name, c := range map[string]struct {
		play func(k *talk)
		want string // the types of the last events
	}{
		"the learner ends it": {func(k *talk) { k.send(EndSession{}) }, "conversation.item.truncated response.done session.ended"},
		"a flood":             {func(k *talk) { k.send(Rejected{Problem{Code: RateLimited, Fatal: true}}) }, "conversation.item.truncated response.done error session.ended"},
		"revoked":             {func(k *talk) { k.cancel(&End{Reason: EndForbidden}) }, "conversation.item.truncated response.done session.ended"},
		"to be resumed":       {func(k *talk) { k.cancel(&End{Reason: EndMoved}) }, "conversation.item.truncated response.done"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.tutor.replies = []string{menu + " " + menu}
				k.speaking(1000)
				c.play(k)
				<-k.result
				var last []string
				for _, w := range k.conn.all() {
					if w.event == nil {
						last = append(last, "audio")
					} else {
						last = append(last, w.event.EventType())
					}
				}
				want := strings.Fields(c.want)
				if got := last[max(0, len(last)-len(want)):]; !slices.Equal(got, want) {
					t.Errorf("the last events are %q, want %q", got, want)
				}
			})
		})
	}
}

// A session that was superseded, whether it hears so or finds a write refused, neither says
// nor stores anything of the reply and of the words under way: the new owner goes on with
// them.
func TestSupersededSaysNothing(t *testing.T) {
	for name, c := range map[string]struct {
		play func(k *talk)
		want string // the types of the last events
	}{
		"by a notice": {func(k *talk) {
			k.mic(200, true)
			k.hear(providers.HeardUpdate, "Quiero una mesa")
			k.cancel(&End{Reason: EndSuperseded, Code: Superseded})
		}, "session.ended"},
		"by a write": {func(k *talk) {
			k.journal.mu.Lock()
			k.journal.takes, k.journal.fail = 50*time.Millisecond, &learn.Error{Kind: learn.Conflict, Err: learn.ErrFenced}
			k.journal.mu.Unlock()
			k.send(CreateItem{Text: "Hola"}) // the answer is under way when the refusal comes
		}, "error session.ended"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.params.Config.Audio.Input.TurnDetection.InterruptResponse = false
				k.tutor.replies = []string{menu + " " + menu, menu}
				k.speaking(1000)
				c.play(k)
				if end := <-k.result; end.Reason != EndSuperseded {
					t.Errorf("ended as %v", end)
				}
				var last []string
				for _, w := range k.conn.all() {
					if w.event != nil {
						last = append(last, w.event.EventType())
					}
				}
				want := strings.Fields(c.want)
				if got := last[len(last)-len(want):]; !slices.Equal(got, want) {
					t.Errorf("the last events are %q, want %q", got, want)
				}
				created := eventsOf[ResponseCreated](k.conn)
				open := created[len(created)-1].Response
				for _, done := range eventsOf[ResponseDone](k.conn) {
					if done.Response.ID == open.ID {
						t.Errorf("the reply under way was ended\n%s", k.story())
					}
				}
				for _, cut := range eventsOf[Truncated](k.conn) {
					if cut.ItemID == open.ItemID {
						t.Errorf("the reply under way was cut\n%s", k.story())
					}
				}
				if stored := k.journal.stored(); len(stored) != 0 {
					t.Errorf("stored %q", contents(stored))
				}
			})
		})
	}
}

// Audio that waits for its time when the session ends is not sent after its end, even
// if DOWNLINK learns of the end late.
func TestNothingAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		s := k.host.assemble(k.params)
		d := s.downlink(k.conn, func(error) {})
		c := s.conductor(k.host, k.params, k.host.Log).conductor
		c.ctx = t.Context()
		c.beginReply("")
		d.guard = time.AfterFunc(time.Hour, func() {})
		defer d.guard.Stop()
		d.chunk, d.holding = audioChunk{turn: c.reply.turn, pcm: make([]byte, 48000)}, true
		c.reply.sentMS = 100
		c.end = &End{Reason: EndNormal}
		c.leave()
		_ = d.drain(t.Context())
		if d.holding {
			t.Error("there is still audio to be sent")
		}
		if got := k.conn.all(); got[len(got)-1].event.EventType() != "session.ended" {
			t.Errorf("the last event is %s", got[len(got)-1].event.EventType())
		}
	})
}

// The session ends while the learner speaks: the words are kept. The tutor's echo and
// a back-channel are not the learner's words.
func TestWordsAtTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		said string
		kept bool
	}{
		"words": {"Quiero una mesa", true}, "back-channel": {"mhm sí", false}, "echo": {"tenemos sopa pollo", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.params.Config.Audio.Input.TurnDetection.InterruptResponse = false
				k.tutor.replies = []string{menu}
				k.speaking(1000)
				k.mic(200, true)
				k.hear(providers.HeardUpdate, c.said)
				k.conn.Abort()
				if end := <-k.result; end.Reason != EndGone {
					t.Errorf("ended as %v", end)
				}
				stored := k.journal.stored()
				if len(stored) != map[bool]int{true: 2, false: 1}[c.kept] {
					t.Errorf("stored %q", contents(stored))
				}
				if k.journal.ended != nil {
					t.Error("a conversation whose connection was lost was closed")
				}
			})
		})
	}
}

// The store is away when the session ends: what was said last gets its tries, bounded
// in time, and is stored when it comes back meanwhile.
func TestJournalAtTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		takes time.Duration
		fail  error
		want  int
		most  time.Duration
	}{
		"slow":  {2 * time.Second, nil, 2, 5 * time.Second},
		"down":  {0, errBroken, 0, time.Second},
		"stuck": {time.Hour, nil, 0, lastCommits + time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.tutor.replies = []string{menu}
				k.speaking(1000)
				k.mic(200, true)
				k.hear(providers.HeardUpdate, "Quiero una mesa")
				k.journal.mu.Lock()
				k.journal.takes, k.journal.fail = c.takes, c.fail
				k.journal.mu.Unlock()
				asked := time.Now()
				k.conn.Abort()
				<-k.result
				if took := time.Since(asked); took > c.most {
					t.Errorf("the end took %v", took)
				}
				if got := k.journal.stored(); len(got) != c.want {
					t.Errorf("stored %q", contents(got))
				}
			})
		})
	}
}

// A message that the store refuses as such leaves no hole in the numbers.
func TestRefusedMessageLeavesNoHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.params.Conversation.NextSeq = 7
		k.journal.fail = &learn.Error{Kind: learn.Invalid}
		k.start()
		k.greeted()
		k.journal.mu.Lock()
		k.journal.fail = nil
		k.journal.mu.Unlock()
		k.send(CreateItem{Text: "Hola"})
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.finish()
		var numbers []int
		for _, m := range k.journal.stored() {
			numbers = append(numbers, m.Seq)
		}
		if !slices.Equal(numbers, []int{7, 8}) {
			t.Errorf("numbers %v, want 7 and 8", numbers)
		}
		var before string
		for _, e := range eventsOf[ItemAdded](k.conn) {
			for _, done := range eventsOf[ItemDone](k.conn) {
				if done.Item.ID == e.Item.ID && done.PreviousItemID != e.PreviousItemID {
					t.Errorf("item %s was added after %q and done after %q", e.Item.ID, e.PreviousItemID, done.PreviousItemID)
				}
				before += done.PreviousItemID
			}
		}
		if before == "" {
			t.Error("no item has one before it")
		}
	})
}

// Whoever runs the node ends a session without a reason of the protocol's: it goes away.
func TestEndWithoutAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		why := errors.New("the machine is switched off")
		k.cancel(why)
		if end := <-k.result; end.Reason != EndGoingAway || !errors.Is(end, why) {
			t.Errorf("ended as %v", end)
		}
	})
}

// A panic ends its session alone, wherever it happens, and the connection with it.
func TestPanics(t *testing.T) {
	for name, prepare := range map[string]func(k *talk){
		"in the voice's reader":     func(k *talk) { k.voice.panics = true },
		"while the client is told":  func(k *talk) { k.conn.panics = true },
		"while something is stored": func(k *talk) { k.journal.panics = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				prepare(k)
				k.start()
				k.mic(6000, false)
				select {
				case end := <-k.result:
					if end.Reason != EndInternal {
						t.Errorf("ended as %v", end)
					}
				case <-time.After(time.Minute):
					t.Error("the session never ended")
					k.conn.Abort()
					<-k.result
				}
			})
		})
	}
}
