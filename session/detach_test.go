package session

import (
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// lastingConn is a fakeConn that outlives its sockets: the test says when they come and go.
type lastingConn struct {
	*fakeConn
	dropped []EndReason
	hushed  []bool // what Quiet was told
	kept    Handover
}

func (l *lastingConn) Drop(e *End) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped = append(l.dropped, e.Reason)
}
func (*lastingConn) Full() bool { return false }

func (l *lastingConn) Keep(h Handover) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = h
}

// lastKept is the state that was kept last.
func (l *lastingConn) lastKept() Handover {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept
}

func (l *lastingConn) Quiet(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hushed = append(l.hushed, on)
}

func (l *lastingConn) quiet() []bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]bool(nil), l.hushed...)
}

// newTalkOnLine prepares a session on a line.
func newTalkOnLine(t *testing.T) (*talk, *lastingConn) {
	k := newTalk(t)
	return k, &lastingConn{fakeConn: k.conn}
}

// startOn runs the session on a line and waits until it is idle.
func (k *talk) startOn(l *lastingConn) {
	k.cancel = func(error) {}
	go func() { k.result <- k.host.Run(k.t.Context(), l, k.params) }()
	synctest.Wait()
}

// audio is how much of the tutor's audio was written, in milliseconds.
func (k *talk) audio() (ms int) {
	for _, w := range k.conn.all() {
		if w.event == nil {
			ms += len(w.frame.Audio) / 48
		}
	}
	return ms
}

// The connection is lost in the middle of a reply: the tutor stands still, and goes on
// from where the client is when it comes back, with the lead that the client needs.
func TestReplyWaitsForTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, l := newTalkOnLine(t)
		k.tutor.replies = []string{"Hoy tenemos sopa, pollo y pescado muy fresco, y una tarta de manzana con canela. ¿Qué quiere comer?"}
		k.startOn(l)
		k.until("the tutor speaks", func() bool { return k.audio() > 1000 })
		k.send(Detached{Cause: &End{Reason: EndGone}})
		sent, events := k.audio(), len(k.conn.all())
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if now := k.audio(); now != sent {
			t.Errorf("%d ms were sent to a client that is away\n%s", now-sent, k.story())
		}
		for _, w := range k.conn.all()[events:] {
			switch w.event.(type) {
			case ResponseDone, Truncated, Ping, GoAway, Ended:
				t.Errorf("%T while the client is away", w.event)
			}
		}
		// It has played all that it got, and needs more at once.
		id := eventsOf[ResponseCreated](k.conn)[0].Response.ID
		k.send(Attached{Playback: &PlaybackState{ResponseID: id, PlayedMS: float64(sent)}})
		back := time.Now()
		k.until("the tutor goes on", func() bool { return k.audio() > sent })
		if waited := time.Since(back); waited > 50*time.Millisecond {
			t.Errorf("a player that ran dry waited %v", waited)
		}
		k.until("the reply is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 1 })
		if done := eventsOf[ResponseDone](k.conn)[0]; done.Response.Status != "completed" || len(eventsOf[Truncated](k.conn)) != 0 {
			t.Errorf("the reply ended as %+v", done.Response)
		}
		k.finish()
	})
}

// The silence of a lost connection is none of the learner's: the turn goes on where it was.
func TestLostConnectionEndsNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, l := newTalkOnLine(t)
		k.startOn(l)
		k.greeted()
		k.say("Ayer fui al")
		k.mic(200, false)
		k.send(Detached{Cause: &End{Reason: EndGone}})
		time.Sleep(8 * time.Second)
		k.send(Attached{})
		k.mic(400, false)
		k.say("mercado con mi hermana.")
		k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) > 0 })
		k.finish()
		if done := eventsOf[TranscriptCompleted](k.conn); len(done) != 1 || done[0].Transcript != "Ayer fui al mercado con mi hermana." {
			t.Errorf("turns: %+v", done)
		}
	})
}

// Whoever does not come back in time is gone; what was said is kept.
func TestClientDoesNotComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, l := newTalkOnLine(t)
		k.params.Resume.WarmMS = 20_000
		k.startOn(l)
		k.greeted()
		k.say("Ayer fui al mercado.")
		k.send(Detached{Cause: &End{Reason: EndGone}})
		left := time.Now()
		end := <-k.result
		if waited := time.Since(left); end.Reason != EndGone || waited != 20*time.Second {
			t.Errorf("ended by %v after %v", end, waited)
		}
		if got := k.journal.stored(); len(got) != 2 || got[1].Content != "Ayer fui al mercado." {
			t.Errorf("stored %q", contents(got))
		}
		if len(k.journal.ended) != 0 {
			t.Error("the conversation was closed for good")
		}
	})
}

// A client that is silent on the wire loses its socket and not its session. The
// recogniser is not kept for one that stays away for long.
func TestSilentClientIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, l := newTalkOnLine(t)
		k.startOn(l)
		k.greeted()
		time.Sleep(inputTimeout + 2*watchInterval)
		synctest.Wait()
		if len(l.dropped) != 1 || l.dropped[0] != EndHeartbeatTimeout {
			t.Fatalf("dropped for %v", l.dropped)
		}
		time.Sleep(restAfter + watchInterval)
		synctest.Wait()
		before := k.hears.opened
		if h := k.hears.last(); !h.closed {
			t.Error("the recogniser is paid for nobody")
		}
		k.send(Attached{})
		k.mic(100, false)
		if k.hears.opened != before+1 {
			t.Error("nobody listens to the client that came back")
		}
		k.say("Aquí estoy.")
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		if end := k.finish(); end.Reason != EndNormal || len(l.dropped) != 1 {
			t.Errorf("ended by %v, dropped for %v", end, l.dropped)
		}
	})
}

// A client that does not read while much happens is not missed by the session: what is
// said waits for it, and its socket is given up when that is too much.
func TestBacklogOfASlowSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, l := newTalkOnLine(t)
		k.startOn(l)
		k.greeted()
		unread := make(chan struct{})
		k.conn.mu.Lock()
		k.conn.blocked = unread
		k.conn.mu.Unlock()
		h := k.hears.last()
		for n := range controlQueue + backlogDrop + 8 { // one partial transcript after the other
			h.events <- providers.Heard{Kind: providers.HeardUpdate, Text: "uno" + string(rune('a'+n%26)), EndMS: k.sentMS}
			synctest.Wait()
		}
		if len(l.dropped) != 1 || l.dropped[0] != EndSlowConsumer {
			t.Errorf("dropped for %v", l.dropped)
		}
		close(unread)
		k.send(Attached{})
		if n := len(eventsOf[TranscriptDelta](k.conn)); n != controlQueue+backlogDrop+8 {
			t.Errorf("%d of %d transcripts were written", n, controlQueue+backlogDrop+8)
		}
		if end := k.finish(); end.Reason != EndNormal {
			t.Errorf("ended by %v", end)
		}
	})
}

// A client that reports stands still with its socket open, be it for one that does not read
// or for this node: what it was sent is not taken for heard, however late it is. When it
// goes on it says what it has played, and has the time for it; and if it is heard and never
// says so, that is the end of the waiting.
func TestSilentClientHasNotHeard(t *testing.T) {
	const reply = "Hoy tenemos sopa, pollo y pescado muy fresco. ¿Qué quiere comer?"
	for name, says := range map[string]bool{"it says": true, "it never says": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, l := newTalkOnLine(t)
				k.tutor.replies = []string{reply}
				k.startOn(l)
				id := eventsOf[ResponseCreated](k.conn)[0].Response.ID
				k.until("all was sent", func() bool { return len(eventsOf[AudioDone](k.conn)) == 1 })
				k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: 400, BufferedMS: float64(k.audio() - 400)}})
				time.Sleep(inputTimeout - time.Second)
				synctest.Wait()
				if done := eventsOf[ResponseDone](k.conn); len(done) != 0 {
					t.Fatalf("%+v for a client of which nothing was heard", done[0].Response)
				}
				again := time.Now()
				for len(eventsOf[ResponseDone](k.conn)) == 0 && time.Since(again) < 10*time.Second {
					k.mic(100, false)
					if played := time.Since(again) + 400*time.Millisecond; says && played < time.Duration(k.audio())*time.Millisecond {
						k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: float64(played.Milliseconds()),
							BufferedMS: float64(k.audio()) - float64(played.Milliseconds())}})
					} else if says {
						k.send(PlaybackStopped{ResponseID: id, PlayedMS: float64(k.audio())})
					}
				}
				took := time.Since(again)
				if says && took < time.Duration(k.audio()-600)*time.Millisecond || !says && (took < lateReport || took > lateReport+2*watchInterval) {
					t.Errorf("over %v after it was heard again", took)
				}
				k.finish()
				if got := k.journal.stored(); len(got) != 1 || got[0].Heard != reply {
					t.Errorf("stored %q", contents(got))
				}
			})
		})
	}
}

// A client that stands still, moves for an instant, and stands still again has heard no more
// for that.
func TestSilentClientStirs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, l := newTalkOnLine(t)
		k.tutor.replies = []string{"Hoy tenemos sopa, pollo y pescado muy fresco."}
		k.startOn(l)
		id := eventsOf[ResponseCreated](k.conn)[0].Response.ID
		k.until("all was sent", func() bool { return len(eventsOf[AudioDone](k.conn)) == 1 })
		k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: 400, BufferedMS: float64(k.audio() - 400)}})
		for range 2 {
			time.Sleep(6 * time.Second)
			synctest.Wait()
			if done := eventsOf[ResponseDone](k.conn); len(done) != 0 {
				t.Fatalf("%+v for a client that stands still", done[0].Response)
			}
			k.send(AckEvents{Seq: 1})
		}
		k.until("it is over when the client is heard, and never says so", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 1 })
		k.finish()
	})
}
