package line

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kalami/gateway/wire"
	"kalami/session"
	"kalami/session/learn"
)

// fakeSocket is a client in memory.
type fakeSocket struct {
	inputs chan session.Input
	stop   chan struct{} // closed by Interrupt, Close and Abort
	once   sync.Once

	mu      sync.Mutex
	wrote   []string // "7 ping" for an event with its number, "3/5" or "3/5 again" for a frame
	tokens  []string
	answers []*session.ResumedResponse
	asked   int // to go elsewhere
	rate    int
	stuck   chan struct{} // writes wait for it, or for the end, when not nil
	closed  *session.End
	aborted bool
}

func newSocket() *fakeSocket {
	return &fakeSocket{inputs: make(chan session.Input, 64), stop: make(chan struct{})}
}

func (s *fakeSocket) Read(in *session.Input) error {
	select {
	case *in = <-s.inputs:
		return nil
	case <-s.stop:
		return &session.End{Reason: session.EndGone, Err: io.EOF}
	}
}

func (s *fakeSocket) write(what string) error {
	s.mu.Lock()
	stuck := s.stuck
	s.mu.Unlock()
	if stuck != nil {
		select {
		case <-stuck:
		case <-s.stop:
			return &session.End{Reason: session.EndGone}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil || s.aborted {
		return &session.End{Reason: session.EndGone}
	}
	s.wrote = append(s.wrote, what)
	return nil
}

func (s *fakeSocket) WriteText(data []byte) error {
	h, ev, err := wire.DecodeEvent(data)
	if err != nil {
		return err
	}
	switch ev := ev.(type) {
	case session.Resumed:
		s.tokens, s.answers = append(s.tokens, ev.Resume.Token), append(s.answers, ev.Response)
	case session.ResumptionUpdate:
		s.tokens = append(s.tokens, ev.Resume.Token)
	case session.GoAway:
		if ev.Reconnect.Resume {
			s.mu.Lock()
			s.asked++
			s.mu.Unlock()
		}
	}
	return s.write(fmt.Sprintf("%d %s", h.Seq, ev.EventType()))
}

func (s *fakeSocket) WriteAudio(f session.Frame) error {
	what := fmt.Sprintf("%d/%d", f.Stream, f.Seq)
	if f.Flags&session.FlagRetransmission != 0 {
		what += " again"
	}
	return s.write(what)
}

func (s *fakeSocket) Negotiated(c session.Config) { s.rate = c.Audio.Input.Format.Rate }
func (s *fakeSocket) Interrupt()                  { s.once.Do(func() { close(s.stop) }) }

func (s *fakeSocket) Close(e *session.End) {
	s.mu.Lock()
	if s.closed == nil {
		s.closed = e
	}
	s.mu.Unlock()
	s.Interrupt()
}

func (s *fakeSocket) Abort() {
	s.mu.Lock()
	s.aborted = true
	s.mu.Unlock()
	s.Interrupt()
}

func (s *fakeSocket) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.wrote)
}

func (s *fakeSocket) end() *session.End {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// reader reads a line as UPLINK does, and keeps what it reads.
type reader struct {
	got  chan session.Input
	over chan error
}

func read(l *Line) *reader {
	r := &reader{got: make(chan session.Input, 256), over: make(chan error, 1)}
	go func() {
		for {
			var in session.Input
			if err := l.Read(&in); err != nil {
				r.over <- err
				return
			}
			r.got <- in
		}
	}()
	return r
}

// next is what was read since.
func (r *reader) next() (out []string) {
	synctest.Wait()
	for {
		select {
		case in := <-r.got:
			switch c := in.Control.(type) {
			case nil:
				out = append(out, fmt.Sprintf("mic %d/%d", in.Frame.Stream, in.Frame.Seq))
			case session.Detached:
				out = append(out, "detached "+string(c.Cause.Reason))
			case session.Rejected:
				out = append(out, "rejected "+c.Problem.Param)
			default:
				out = append(out, fmt.Sprintf("%T", c))
			}
		default:
			return out
		}
	}
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// begun is a line with a session that has greeted and begun a response of stream 1.
func begun(t *testing.T, o Options) (*Line, *fakeSocket, *reader) {
	t.Helper()
	o.SessionID = "vs_1"
	l, s := New(o), newSocket()
	if err := l.Open(s); err != nil {
		t.Fatal(err)
	}
	say(t, l, session.Created{Session: session.Config{ID: "vs_1"}, Resume: session.Resume{Token: "kr_1"}})
	say(t, l, session.ResponseCreated{Response: session.ResponseInfo{ID: "r_1", ItemID: "it_1"}, Stream: 1,
		Audio: session.AudioFormat{Format: session.Format{Type: "audio/pcm", Rate: 24000}}})
	return l, s, read(l)
}

func say(t *testing.T, l *Line, ev session.Event) {
	t.Helper()
	if err := l.WriteEvent(session.Head{}, ev); err != nil {
		t.Fatal(err)
	}
}

// speak writes a frame of 100 ms.
func speak(t *testing.T, l *Line, seq uint32) {
	t.Helper()
	if err := l.WriteAudio(session.Frame{Stream: 1, Seq: seq, Pos: seq * 2400, Audio: make([]byte, 4800)}); err != nil {
		t.Fatal(err)
	}
}

// A socket breaks, things are said meanwhile, and the client comes back: it gets what it
// has missed, once and in order, and what happens next follows.
func TestReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, first, r := begun(t, Options{})
		for seq := range uint32(4) {
			speak(t, l, seq)
		}
		first.inputs <- session.Input{Control: session.AckEvents{Seq: 1}}
		r.next()
		first.Abort()
		same(t, "the session is told", r.next(), "detached gone")
		say(t, l, session.Ping{})
		speak(t, l, 4)

		second := newSocket()
		err := l.Attach(second, Return{LastSeq: 2, Resume: session.Resume{Token: "kr_2"},
			Playback: &session.PlaybackState{ResponseID: "r_1", PlayedMS: 150, BufferedMS: 60}}) // two frames and a tenth
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the session is told", r.next(), "session.Attached")
		say(t, l, session.Ping{})
		speak(t, l, 5)
		same(t, "the client gets", second.all(), "2 session.resumed", "3 ping", "1/2 again", "1/3 again", "1/4 again", "4 ping", "1/5")
		l.Close(&session.End{Reason: session.EndNormal})
		if e := second.end(); e == nil || e.Reason != session.EndNormal {
			t.Errorf("the socket was closed by %v", e)
		}
		if err := l.Attach(newSocket(), Return{LastSeq: 4}); !errors.Is(err, ErrClosed) {
			t.Errorf("attached to a line that is over: %v", err)
		}
		<-r.over
	})
}

// What cannot be proven is refused by its name, and the line stays as it is.
func TestRefusedReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, r := begun(t, Options{})
		if err := l.Attach(newSocket(), Return{LastSeq: 3}); !errors.Is(err, ErrFuture) {
			t.Errorf("seen more than there is: %v", err)
		}
		for range logEvents {
			say(t, l, session.Ping{})
		}
		if err := l.Attach(newSocket(), Return{LastSeq: 1}); !errors.Is(err, ErrHole) {
			t.Errorf("seen less than is kept: %v", err)
		}
		if !l.Attached() || len(r.next()) != 0 || s.end() != nil {
			t.Error("the socket was harmed")
		}
		again := newSocket()
		if err := l.Attach(again, Return{LastSeq: 1, Resume: session.Resume{Token: "kr_2"}, Restart: &session.Restarted{}}); err != nil {
			t.Fatal(err)
		}
		same(t, "the client gets", again.all(), fmt.Sprintf("%d session.restarted", logEvents+3))
		l.Close(&session.End{Reason: session.EndNormal})
		<-r.over
	})
}

// The newer socket wins at once, also over one that a write is stuck in.
func TestNewerSocketWins(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l, old, r := begun(t, Options{})
			if stuck {
				old.stuck = make(chan struct{})
				go l.WriteEvent(session.Head{}, session.Ping{})
				synctest.Wait()
			}
			began, s := time.Now(), newSocket()
			if err := l.Attach(s, Return{LastSeq: 2}); err != nil {
				t.Fatal(err)
			}
			same(t, "the session is told", r.next(), "session.Attached")
			if waited := time.Since(began); waited > 0 {
				t.Errorf("the newer socket waited %v", waited)
			}
			if e := old.end(); e == nil || e.Reason != session.EndSuperseded {
				t.Errorf("the older socket was closed by %v", e)
			}
			s.inputs <- session.Input{Frame: session.Frame{Stream: 1}}
			same(t, "the session hears", r.next(), "mic 1/0")
			l.Close(&session.End{Reason: session.EndNormal})
			<-r.over
		})
	}
}

// A client that does not read loses its socket after five seconds, and nothing that was
// said; the session does not wait longer than that.
func TestSlowSocketIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, r := begun(t, Options{})
		s.stuck = make(chan struct{})
		began := time.Now()
		say(t, l, session.Ping{})
		if took := time.Since(began); took != defaultWriteTimeout {
			t.Errorf("the write took %v", took)
		}
		same(t, "the session is told", r.next(), "detached slow_consumer")
		if e := s.end(); e == nil || e.Reason != session.EndSlowConsumer || e.Code != session.SlowConsumer {
			t.Errorf("closed by %v", e)
		}
		next := newSocket()
		if err := l.Attach(next, Return{LastSeq: 2}); err != nil {
			t.Fatal(err)
		}
		same(t, "the client gets", next.all(), "2 session.resumed", "3 ping")
		same(t, "the session is told", r.next(), "session.Attached")
		l.Drop(&session.End{Reason: session.EndHeartbeatTimeout})
		same(t, "the session is told", r.next(), "detached heartbeat_timeout")
		if err := l.Attach(newSocket(), Return{LastSeq: 3}); err != nil {
			t.Fatal(err)
		}
		l.Drop(&session.End{Reason: session.EndHeartbeatTimeout}) // the session may have read of that socket, or not
		if told := r.next(); len(told) != 0 {
			same(t, "the session is told", told, "session.Attached", "detached heartbeat_timeout")
		}
		l.Abort()
		<-r.over
		l.Close(&session.End{Reason: session.EndGone})
	})
}

// Every frame of the microphone is passed once and in order.
func TestMicrophoneFramesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, r := begun(t, Options{Input: learn.InputMark{Stream: 2, Next: 10}})
		send := func(stream uint16, seq uint32, flags session.FrameFlags) {
			s.inputs <- session.Input{Frame: session.Frame{Stream: stream, Seq: seq, Flags: flags, Audio: make([]byte, 2)}}
		}
		send(2, 9, session.FlagRetransmission)
		send(2, 10, session.FlagRetransmission)
		send(2, 13, 0) // dropped by the client
		send(2, 12, 0)
		send(2, 12, 0) // it has been told
		same(t, "the session hears", r.next(), "mic 2/10", "mic 2/13", "rejected seq")
		time.Sleep(refusalEvery)
		send(1, 99, 0)
		send(3, 0, 0)
		send(2, 14, session.FlagRetransmission)
		same(t, "the session hears", r.next(), "rejected stream", "mic 3/0")
		next := newSocket()
		if err := l.Attach(next, Return{LastSeq: 2}); err != nil {
			t.Fatal(err)
		}
		if at := l.mic.position(); at != (session.InputPos{Stream: 3, Seq: 0, NextSeq: 1}) {
			t.Errorf("asks for %+v", at)
		}
		s.Close(nil)
		l.Close(&session.End{Reason: session.EndNormal})
		<-r.over
	})
}

// What a node has acknowledged of the microphone, the next one does not take back, which
// hears some of it again.
func TestAcknowledgedStaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, r := begun(t, Options{})
		ack := func(l *Line, seq uint32) {
			say(t, l, session.InputAck{Input: session.InputPos{Stream: 1, Seq: seq, NextSeq: seq + 1}})
		}
		ack(l, 902)
		var log []learn.LiveEvent
		for i, e := range l.events.entries {
			log = append(log, learn.LiveEvent{Seq: l.events.first + uint64(i), Data: e.data})
		}
		s.Abort()
		l.Close(&session.End{Reason: session.EndGone})
		<-r.over

		next := New(Options{Replay: log, Next: log[len(log)-1].Seq + 1, Input: learn.InputMark{Stream: 1, Next: 890}})
		to := newSocket()
		if err := next.Attach(to, Return{LastSeq: 1, Cold: true}); err != nil {
			t.Fatal(err)
		}
		ack(next, 894) // the client does not hear of it
		ack(next, 902)
		ack(next, 910)
		same(t, "the client gets", to.all(), "1 session.resumed", "2 response.created",
			"3 input_audio_buffer.ack", "4 input_audio_buffer.ack", "5 input_audio_buffer.ack")
		next.Close(&session.End{Reason: session.EndNormal})
	})
}

// The client ends the session by closing it with 1000, and by nothing else.
func TestNormalCloseEndsTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{})
		s := &leavingSocket{fakeSocket: newSocket()}
		if err := l.Open(s); err != nil {
			t.Fatal(err)
		}
		var in session.Input
		err := l.Read(&in)
		if e, ok := errors.AsType[*session.End](err); !ok || e.Reason != session.EndNormal {
			t.Errorf("read ended by %v", err)
		}
		l.Close(&session.End{Reason: session.EndNormal})
	})
}

type leavingSocket struct{ *fakeSocket }

func (*leavingSocket) Read(*session.Input) error { return &session.End{Reason: session.EndNormal} }

// Tokens are renewed when the client has shown that it has the last one, and a replay has
// none but the newest.
func TestTokensAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made, extended := 1, 0
		l, s, r := begun(t, Options{Offer: func(context.Context) (session.Resume, error) {
			made++
			return session.Resume{Token: fmt.Sprintf("kr_%d", made)}, nil
		}, Extend: func(context.Context) error {
			extended++
			return nil
		}})
		time.Sleep(defaultOfferEvery)
		say(t, l, session.Ping{})
		synctest.Wait()
		if made != 1 || l.Confirmed() {
			t.Error("a token was made although the client is not known to have the one before")
		}
		if say(t, l, session.Ping{}); extended != 1 {
			t.Errorf("the one before was extended %d times, want once in %v", extended, defaultOfferEvery)
		}
		time.Sleep(defaultOfferEvery)
		s.inputs <- session.Input{Control: session.AckEvents{Seq: 3}}
		r.next()
		say(t, l, session.Ping{})
		synctest.Wait()
		same(t, "tokens", s.tokens, "kr_2")
		s.Abort()
		r.next()
		next := newSocket()
		done := l.Returning()
		if err := l.Attach(next, Return{LastSeq: 4, Resume: session.Resume{Token: "kr_new"}}); err != nil {
			t.Fatal(err)
		}
		done()
		same(t, "tokens", next.tokens, "kr_new", "kr_new")
		l.Close(&session.End{Reason: session.EndNormal})
		<-r.over
	})
}

// The mirror gets CONDUCTOR's events together with a state that knows of them.
func TestChangesForTheMirror(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		l, s, r := begun(t, Options{ConversationID: "c_1", Epoch: 3, Changed: func(*Line) { told++ }})
		var c learn.LiveChange
		seqs := func() (out []uint64) {
			if _, err := l.Changes(&c); err != nil {
				t.Fatal(err)
			}
			for _, ev := range c.Events {
				out = append(out, ev.Seq)
			}
			return out
		}
		if got := seqs(); got != nil {
			t.Errorf("passed on %v without a state", got)
		}
		l.Keep(session.Handover{SessionID: "old"})
		l.Keep(session.Handover{SessionID: "vs_1"})
		if told != 1 {
			t.Errorf("told %d times of one change", told)
		}
		say(t, l, session.Ping{})
		say(t, l, session.Committed{ItemID: "it_2"})
		say(t, l, session.Ping{})
		s.inputs <- session.Input{Control: session.AckEvents{Seq: 5}} // what the mirror lacks is kept
		r.next()
		if got := seqs(); !slices.Equal(got, []uint64{1, 2, 3}) || c.StateSeq != 2 || c.ConversationID != "c_1" || c.Epoch != 3 {
			t.Errorf("passed on %v with %+v", got, c)
		}
		if want := `"session_id":"vs_1"`; !bytes.Contains(c.State, []byte(want)) {
			t.Errorf("state %s, want the newest", c.State)
		}
		l.Keep(session.Handover{SessionID: "vs_1"})
		if got := seqs(); !slices.Equal(got, []uint64{4, 5}) || c.StateSeq != 5 {
			t.Errorf("passed on %v, state after %d", got, c.StateSeq)
		}
		if ok, _ := l.Changes(&c); ok {
			t.Error("something is new although nothing has happened")
		}
		l.Close(&session.End{Reason: session.EndNormal})
		<-r.over
	})
}

// Everybody at once: nothing hangs, and every socket is closed.
func TestRaces(t *testing.T) {
	l, first, r := begun(t, Options{Changed: func(*Line) {}, OfferEvery: time.Nanosecond,
		Offer: func(context.Context) (session.Resume, error) { return session.Resume{Token: "kr"}, nil }})
	sockets := []*fakeSocket{first}
	var all sync.WaitGroup
	all.Go(func() {
		for seq := range uint32(300) {
			_ = l.WriteEvent(session.Head{}, session.Ping{})
			_ = l.WriteAudio(session.Frame{Stream: 1, Seq: seq, Audio: make([]byte, 100)})
			l.Keep(session.Handover{})
		}
	})
	all.Go(func() {
		for i := range 50 {
			s := newSocket()
			sockets = append(sockets, s)
			done := l.Returning()
			_ = l.Attach(s, Return{LastSeq: l.last()})
			done()
			s.inputs <- session.Input{Control: session.AckEvents{Seq: l.last()}}
			if i%3 == 0 {
				s.Abort()
			}
		}
	})
	all.Go(func() {
		var c learn.LiveChange
		for range 100 {
			_, _ = l.Changes(&c)
			l.Drop(&session.End{Reason: session.EndHeartbeatTimeout})
		}
	})
	go func() {
		for range r.got {
		}
	}()
	all.Wait()
	l.Close(&session.End{Reason: session.EndNormal})
	<-r.over
	close(r.got)
	for i, s := range sockets {
		if s.end() == nil && !s.aborted {
			t.Errorf("socket %d was not closed", i)
		}
	}
}

// last is the number of the last event.
func (l *Line) last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.events.next - 1
}
