package learner

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
)

// stage is a scripted server: sockets are dialled, and the test says what comes of them.
type stage struct {
	t       *testing.T
	dialled chan *socket
	tickets []string // conversations for which a ticket was bought
	refuse  error    // of the next dials

	mu    sync.Mutex
	at    []time.Time // of the dials
	lost  []error
	back  []Return
	heard []byte
	types []string // of the events told
}

// socket is one of its sockets, seen from the server.
type socket struct {
	t          *testing.T
	credential string
	down, up   chan message
	over       chan struct{}
	once       sync.Once
	err        error
	closed     bool // by the client, normally
}

type message struct {
	kind websocket.MessageType
	data []byte
}

func (s *socket) end(err error) { s.once.Do(func() { s.err = err; close(s.over) }) }

func (s *socket) Read() (websocket.MessageType, []byte, error) {
	select {
	case m := <-s.down:
		return m.kind, m.data, nil
	default:
	}
	select {
	case m := <-s.down:
		return m.kind, m.data, nil
	case <-s.over:
		return 0, nil, s.err
	}
}

func (s *socket) Write(kind websocket.MessageType, data []byte) error {
	select {
	case s.up <- message{kind, slices.Clone(data)}:
		return nil
	case <-s.over:
		return s.err
	}
}

func (s *socket) Close() error { s.closed = true; s.end(io.EOF); return nil }
func (s *socket) Abort()       { s.end(io.EOF) }

// says sends the client an event.
func (s *socket) says(seq uint64, ev session.Event) {
	s.t.Helper()
	data, err := wire.AppendEvent(nil, session.Head{Seq: seq, EventID: "evt"}, ev)
	if err != nil {
		s.t.Fatal(err)
	}
	s.down <- message{websocket.MessageText, data}
}

// plays sends the client a frame of the tutor's.
func (s *socket) plays(f session.Frame) {
	s.down <- message{websocket.MessageBinary, append(wire.AppendHeader(nil, wire.Tutor, &f), f.Audio...)}
}

// got returns what the client has sent by now: its mic frames and its events.
func (s *socket) got() (frames []session.Frame, events []session.Control) {
	s.t.Helper()
	for {
		select {
		case m := <-s.up:
			if m.kind == websocket.MessageBinary {
				var f session.Frame
				if err := wire.ParseHeader(m.data, wire.Mic, &f); err != nil {
					s.t.Fatal(err)
				}
				frames = append(frames, f)
				continue
			}
			c, problem := wire.DecodeControl(m.data)
			if problem != nil {
				s.t.Fatalf("%s: %+v", m.data, problem)
			}
			events = append(events, c.Control)
		default:
			return frames, events
		}
	}
}

// open begins a lesson and returns it, running, with its first socket. It is over, and
// has returned to done, when the bubble ends.
func open(t *testing.T) (st *stage, l *Lesson, first *socket, done chan error) {
	t.Helper()
	st = &stage{t: t, dialled: make(chan *socket, 16)}
	dial := func(_ context.Context, _, credential string) (transport, error) {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.at = append(st.at, time.Now())
		if st.refuse != nil {
			return nil, st.refuse
		}
		s := &socket{t: t, credential: credential, down: make(chan message, 4096), up: make(chan message, 4096), over: make(chan struct{})}
		if len(st.at) == 1 {
			s.says(1, created("kr_1"))
		}
		st.dialled <- s
		return s, nil
	}
	ticket := func(_ context.Context, conversation string) (string, string, error) {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.tickets = append(st.tickets, conversation)
		return "kt_1", "ws://server", nil
	}
	l, err := begin(t.Context(), dial, ticket, Handler{
		Lost:  func(err error) { st.lost = append(st.lost, err) },
		Back:  func(r Return) { st.back = append(st.back, r) },
		Heard: func(_ string, pcm []byte) { st.heard = append(st.heard, pcm...) },
		Event: func(_ session.Head, ev session.Event) { st.types = append(st.types, ev.EventType()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done = make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(stop)
	time.Sleep(settled) // it was worth having
	return st, l, <-st.dialled, done
}

// refusing says what becomes of dials from now on; nil for a socket.
func (st *stage) refusing(err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.refuse = err
}

// created begins a session with a token that is good for ten minutes.
func created(token string) session.Created {
	return session.Created{
		Session: session.Config{ID: "vs_1", ConversationID: "c_1", Audio: session.AudioConfig{Input: session.InputConfig{Format: session.Format{Type: session.PCM, Rate: 16000}}}},
		Resume:  session.Resume{Token: token, WindowMS: 600_000, WarmMS: 30_000}, Heartbeat: session.Heartbeat{IntervalMS: 10_000, TimeoutMS: 12_000},
	}
}

// resumed takes a session up again.
func resumed(token string, next uint32, r *session.ResumedResponse) session.Resumed {
	return session.Resumed{SessionID: "vs_1", Resume: session.Resume{Token: token, WindowMS: 600_000}, Warm: true,
		Input: session.InputPos{Stream: 1, NextSeq: next}, Response: r}
}

// speak takes so many frames in.
func speak(t *testing.T, l *Lesson, frames int) {
	t.Helper()
	for range frames {
		if err := l.writeFrame(make([]byte, 640)); err != nil {
			t.Fatal(err)
		}
	}
}

// checkRun checks that frames are the numbers from..., one after another, the first of
// them that are said again marked so.
func checkRun(t *testing.T, frames []session.Frame, from uint32, again, number int) {
	t.Helper()
	if len(frames) != number {
		t.Errorf("%d frames came, want %d", len(frames), number)
	}
	for i, f := range frames {
		if f.Seq != from+uint32(i) || f.Pos != f.Seq*320 || f.Stream != 1 {
			t.Fatalf("frame %d is %d of stream %d at %d", i, f.Seq, f.Stream, f.Pos)
		}
		if marked := f.Flags&session.FlagRetransmission != 0; marked != (i < again) {
			t.Errorf("frame %d is marked as sent again: %v", f.Seq, marked)
		}
	}
}

// first returns the first event of a kind.
func first[C session.Control](t *testing.T, events []session.Control) (c C) {
	t.Helper()
	for _, ev := range events {
		if c, ok := ev.(C); ok {
			return c
		}
	}
	data, _ := json.Marshal(events)
	t.Errorf("there is no %T in %s", c, data)
	return c
}
