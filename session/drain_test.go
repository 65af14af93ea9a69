package session

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// movable is a session on a line, in a node that may stop.
type movable struct {
	*talk
	line  *lastingConn
	moves chan Move
	end   context.CancelCauseFunc
}

func newMovable(t *testing.T) *movable {
	k, l := newTalkOnLine(t)
	m := &movable{talk: k, line: l, moves: make(chan Move, 1)}
	k.params.Moves = m.moves
	return m
}

func (m *movable) begin() {
	ctx, end := context.WithCancelCause(m.t.Context())
	m.cancel, m.end = func(error) {}, end
	go func() { m.result <- m.host.Run(ctx, m.line, m.params) }()
	synctest.Wait()
}

// stops has the node stop; the client is told within the given time at the latest.
func (m *movable) stops(within time.Duration) {
	now := time.Now()
	m.moves <- Move{By: now.Add(within), Until: now.Add(2 * within), After: 100 * time.Millisecond}
	synctest.Wait()
}

func (m *movable) told() []GoAway { return eventsOf[GoAway](m.conn) }

// superseded has the client arrive elsewhere, and returns how the session ended.
func (m *movable) superseded() *End {
	m.end(&End{Reason: EndSuperseded, Code: Superseded})
	return <-m.result
}

// A learner who listens to silence is sent away at once; then nothing is said on the old
// socket, and the session ends when it is somebody else's.
func TestMoveAtOnceWhenNobodySpeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMovable(t)
		m.begin()
		m.greeted()
		m.stops(10 * time.Second)
		if got := m.told(); len(got) != 1 || got[0].Reason != "deploy" || !got[0].Reconnect.Resume || got[0].Reconnect.AfterMS != 100 || got[0].TimeLeftMS != 20_000 {
			t.Fatalf("told %+v", got)
		}
		if got := m.line.quiet(); len(got) != 1 || !got[0] {
			t.Errorf("the line was made quiet: %v", got)
		}
		time.Sleep(time.Second)
		if end := m.superseded(); end.Reason != EndSuperseded {
			t.Errorf("ended by %v", end)
		}
	})
}

// A learner who is in the middle of a turn says it to its end, and hears the answer; then
// the client is sent away.
func TestMoveWaitsForTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMovable(t)
		m.begin()
		m.greeted()
		m.say("Ayer fui al mercado")
		m.stops(time.Minute)
		if len(m.told()) != 0 {
			t.Fatal("sent away in mid-sentence")
		}
		m.until("the client is sent away", func() bool { return len(m.told()) == 1 })
		if n := len(eventsOf[ResponseDone](m.conn)); n != 2 {
			t.Errorf("%d replies were over by then, want the answer's too", n)
		}
		if done := eventsOf[ResponseDone](m.conn); done[len(done)-1].Response.Status != "completed" {
			t.Errorf("the answer ended as %+v", done[len(done)-1].Response)
		}
		m.superseded()
	})
}

// Of a long reply the client is sent away between two sentences, when half of the time is
// over: it has the whole of the one that it plays, and enough of it that the next one is
// heard from another node alone, whenever the node was told to stop.
func TestMoveBetweenSentences(t *testing.T) {
	for later := range 8 {
		synctest.Test(t, func(t *testing.T) { moveBetweenSentences(t, time.Duration(later)*200*time.Millisecond) })
	}
}

func moveBetweenSentences(t *testing.T, later time.Duration) {
	m := newMovable(t)
	m.tutor.replies = []string{strings.Repeat("Hoy tenemos sopa de pescado. ", 30)}
	m.begin()
	m.until("the tutor is heard", func() bool { return m.audio() > 0 })
	sounds := time.Now()
	m.until("the tutor speaks", func() bool { return m.audio() > 500 })
	time.Sleep(later)
	began := time.Now()
	m.stops(20 * time.Second)
	m.until("the client is sent away", func() bool { return len(m.told()) == 1 })
	if waited := time.Since(began); waited < 10*time.Second || waited >= 20*time.Second {
		t.Errorf("sent away after %v", waited)
	}
	sent, kept := m.audio(), m.line.lastKept()
	played := float64((time.Since(sounds) + hurry).Milliseconds()) // when it has waited, and goes
	p := PlaybackState{ResponseID: kept.Reply.ResponseID, PlayedMS: played, BufferedMS: float64(sent) - played}
	if r := kept.GoOn(&p); r == nil || r.Action != ActionRespeak || r.Repeat {
		t.Errorf("the reply goes on as %+v for a client that has played %v of %v ms", r, played, sent)
	}
	time.Sleep(2 * time.Second)
	synctest.Wait()
	if more := m.audio() - sent; more != 0 {
		t.Errorf("%d ms were written to a client that goes", more)
	}
	m.superseded()
}

// Whoever never stops talking is sent away when the time is over.
func TestMoveAtTheLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMovable(t)
		m.begin()
		m.greeted()
		m.mic(100, true)
		began := time.Now()
		m.stops(5 * time.Second)
		for len(m.told()) == 0 && time.Since(began) < 10*time.Second {
			m.mic(100, true)
		}
		if waited := time.Since(began); len(m.told()) != 1 || waited < 5*time.Second || waited > 5200*time.Millisecond {
			t.Errorf("told %d times, after %v", len(m.told()), waited)
		}
		m.superseded()
	})
}

// A client that cannot go stays: the session goes on with it, and it is told again. At the
// end the node lets go of it as a restart.
func TestMoveRefusedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMovable(t)
		m.begin()
		m.greeted()
		m.stops(30 * time.Second)
		time.Sleep(moveWait + 200*time.Millisecond)
		synctest.Wait()
		if got := m.line.quiet(); len(got) != 2 || got[1] {
			t.Fatalf("the line was made quiet: %v", got)
		}
		m.say("Sigo aquí.")
		m.until("it is answered", func() bool { return len(eventsOf[ResponseDone](m.conn)) == 2 })
		m.until("it is told again", func() bool { return len(m.told()) == 2 })
		time.Sleep(time.Second)
		m.end(&End{Reason: EndRestart, Code: Draining})
		if end := <-m.result; end.Reason != EndRestart {
			t.Errorf("ended by %v", end)
		}
		if got := m.journal.stored(); len(got) != 3 {
			t.Errorf("stored %q", contents(got))
		}
	})
}

// A socket that is lost while its client was sent away is not waited for, nor taken for the
// end: the client is let in elsewhere.
func TestMoveLosesItsSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMovable(t)
		m.begin()
		m.greeted()
		m.stops(10 * time.Second)
		m.send(Detached{Cause: &End{Reason: EndGone}})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := m.line.quiet(); len(got) != 1 || len(m.told()) != 1 {
			t.Errorf("quiet %v, told %d times", got, len(m.told()))
		}
		if end := m.superseded(); end.Reason != EndSuperseded {
			t.Errorf("ended by %v", end)
		}
	})
}

// A message that was typed in the quiet moment of a move comes again under its id, to the
// node that has it already: it counts once, and the client is told so.
func TestTypedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMovable(t)
		m.begin()
		m.greeted()
		for range 3 {
			m.send(CreateItem{ID: "it_c1", Text: "Muy bien."})
			time.Sleep(time.Second)
		}
		m.until("it is answered", func() bool { return len(eventsOf[ResponseDone](m.conn)) == 2 })
		m.send(CreateItem{ID: "it_c1", Text: "Muy bien."})
		if got := contents(m.journal.stored()); len(got) != 3 || got[1] != "user: Muy bien." {
			t.Errorf("stored %q", got)
		}
		told := 0
		for _, ev := range eventsOf[ItemDone](m.conn) {
			if ev.Item.ID == "it_c1" {
				told++
			}
		}
		if told != 4 || len(eventsOf[ResponseCreated](m.conn)) != 2 {
			t.Errorf("told %d times that it is stored, %d replies", told, len(eventsOf[ResponseCreated](m.conn)))
		}
		m.superseded()
	})
}
