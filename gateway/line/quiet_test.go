package line

import (
	"testing"
	"testing/synctest"
	"time"

	"kalami/session"
	"kalami/session/learn"
)

// farewell is what a client is asked to go by.
var farewell = session.GoAway{Reason: "deploy", TimeLeftMS: 9000, Reconnect: session.Reconnecting{Resume: true, AfterMS: 70}}

// wishes are the events of a socket that ask its client to go.
func (s *fakeSocket) wishes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// A quiet line writes its last event when the mirror has it, and nothing after it.
func TestQuietWaitsForTheMirror(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, sock, r := begun(t, Options{Changed: func(*Line) {}})
		r.next()
		before := len(sock.all())
		l.Quiet(true)
		say(t, l, farewell)
		say(t, l, session.Ping{ID: "p_1"})
		last := l.last() - 1
		if got := len(sock.all()); got != before {
			t.Errorf("%d events were written before the mirror had them", got-before)
		}
		l.Mirrored(last)
		synctest.Wait()
		if got := sock.all()[before:]; len(got) != 1 || sock.wishes() != 1 {
			t.Errorf("written are %v, %d of them ask to go", got, sock.wishes())
		}
		l.Quiet(false)
		synctest.Wait()
		if got := sock.all()[before:]; len(got) != 2 || sock.wishes() != 1 {
			t.Errorf("then written are %v", got)
		}
		l.Close(&session.End{Reason: session.EndNormal})
	})
}

// The mirror does not answer: the client is not asked to go where nobody knows of it, and
// not later either, when the mirror has the event or the session goes on.
func TestQuietWithoutAMirror(t *testing.T) {
	for name, meanwhile := range map[string]func(l *Line, back *fakeSocket, last uint64){
		"too late": func(l *Line, _ *fakeSocket, last uint64) { time.Sleep(quietWait + time.Millisecond); l.Mirrored(last) },
		"given up": func(*Line, *fakeSocket, uint64) {},
		"client back": func(l *Line, back *fakeSocket, last uint64) {
			_ = l.Attach(back, Return{LastSeq: last - 1})
			l.Mirrored(last)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, sock, r := begun(t, Options{Changed: func(*Line) {}})
				r.next()
				l.Quiet(true)
				say(t, l, farewell)
				last := l.last()
				synctest.Wait()
				back := newSocket()
				meanwhile(l, back, last)
				synctest.Wait()
				if sock.wishes() != 0 {
					t.Error("the client was asked to go")
				}
				l.Quiet(false)
				say(t, l, session.Ping{ID: "p_1"})
				synctest.Wait()
				if sock.wishes()+back.wishes() != 0 {
					t.Error("the client was asked to go afterwards")
				}
				var c learn.LiveChange
				if _, err := l.Changes(&c); err != nil {
					t.Fatal(err)
				}
				for _, ev := range c.Events {
					if ev.Seq == last && string(ev.Data) != string(withoutWish(ev.Data)) {
						t.Errorf("the mirror gets %s", ev.Data)
					}
				}
				l.Close(&session.End{Reason: session.EndNormal})
			})
		})
	}
}

// A client lost its socket before it read that it should go, and came back elsewhere: what
// it has missed is replayed, and does not send it away from there.
func TestReplayedWishIsVoid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c learn.LiveChange
		old, _, r := begun(t, Options{Changed: func(*Line) {}})
		r.next()
		old.Keep(session.Handover{SessionID: "vs_1"})
		seen := old.last()
		say(t, old, farewell)
		if _, err := old.Changes(&c); err != nil {
			t.Fatal(err)
		}
		n := len(c.Events)
		l := New(Options{SessionID: "vs_1", ConversationID: "c1", Epoch: 2, Next: c.Events[n-1].Seq + 1, Replay: c.Events})
		sock := newSocket()
		next := read(l)
		if err := l.Attach(sock, Return{LastSeq: seen, Cold: true}); err != nil {
			t.Fatal(err)
		}
		next.next()
		if got := sock.all(); len(got) != 2 || sock.wishes() != 0 {
			t.Errorf("the client was told %v, %d of it ask to go", got, sock.wishes())
		}
		l.Close(&session.End{Reason: session.EndNormal})
		old.Close(&session.End{Reason: session.EndNormal})
	})
}
