package simulation

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"time"

	"kalami/gateway/line"
	"kalami/session"
	"kalami/session/learn"
	"kalami/session/verify"
)

const (
	window     = 10 * time.Minute
	warm       = 30 * time.Second
	mirrorWait = 25 * time.Millisecond
	housekeep  = 3 * time.Second
)

// node is one process.
type node struct {
	world *world
	name  string
	host  *session.Host
	store storeOf
	over  chan struct{} // closed when it is dead
	work  sync.WaitGroup

	mu       sync.Mutex
	dead     bool
	draining bool
	frozen   chan struct{} // closed when it wakes; nil while awake
	step     time.Duration // what its clock is off by: nothing that nodes share may go by it
	sessions map[string]*held
	moving   map[string]chan struct{} // conversations that are being taken up
	dirty    map[*line.Line]*held
}

// held is a session in a node's memory.
type held struct {
	id, name string
	epoch    int64
	line     *line.Line
	stop     context.CancelCauseFunc
	done     chan struct{}

	mu             sync.Mutex
	known, offered string // tokens
}

func newNode(w *world, name string) *node {
	n := &node{world: w, name: name, over: make(chan struct{}), sessions: map[string]*held{}, moving: map[string]chan struct{}{},
		dirty: map[*line.Line]*held{}}
	n.store = storeOf{w.store, n}
	v := vendors{w}
	n.host = &session.Host{Deps: session.Deps{Recognizer: v, Tutor: v, Voice: v, Journal: n.store, Log: slog.New(slog.DiscardHandler)},
		Limits: session.Limits{MaxDurationMS: int((4 * time.Hour).Milliseconds())}, Grace: 5 * time.Second}
	n.record("", verify.NodeStarted{})
	n.work.Go(n.mirrorLoop)
	n.work.Go(n.keepHouse)
	return n
}

// awake waits while the node is frozen; false when it is dead.
func (n *node) awake() bool {
	for {
		n.mu.Lock()
		dead, frozen := n.dead, n.frozen
		n.mu.Unlock()
		if dead || frozen == nil {
			return !dead
		}
		select {
		case <-frozen:
		case <-n.over:
		}
	}
}

// record writes into its history, until it is dead.
func (n *node) record(conversation string, f verify.Fact) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.dead {
		n.world.record(n.name, conversation, f)
	}
}

// begin runs f in a goroutine of the node's; false when it is dead.
func (n *node) begin(f func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dead {
		return false
	}
	n.work.Go(f)
	return true
}

// die is SIGKILL: from now on nothing that it does has an effect.
func (n *node) die() {
	n.mu.Lock()
	n.dead = true
	close(n.over)
	var all []*held
	for _, s := range n.sessions {
		all = append(all, s)
	}
	n.mu.Unlock()
	for _, s := range all {
		s.line.Abort()
		s.stop(&session.End{Reason: session.EndGoingAway})
	}
}

func (n *node) freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.frozen == nil && !n.dead {
		n.frozen = make(chan struct{})
	}
}

func (n *node) thaw() {
	n.mu.Lock()
	if n.frozen != nil {
		close(n.frozen)
		n.frozen = nil
	}
	n.mu.Unlock()
}

// drain sends its clients elsewhere, and takes no new ones.
func (n *node) drain() {
	n.mu.Lock()
	n.draining = true
	var all []*held
	for _, s := range n.sessions {
		all = append(all, s)
	}
	n.mu.Unlock()
	for _, s := range all {
		s.line.Drop(&session.End{Reason: session.EndMoved})
	}
}

// find returns the session that it holds of a conversation, or nil.
func (n *node) find(id string) *held {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sessions[id]
}

// claim lets one at a time decide about a conversation.
func (n *node) claim(id string) (done func(), ok bool) {
	for {
		n.mu.Lock()
		busy := n.moving[id]
		if busy == nil {
			mine := make(chan struct{})
			n.moving[id] = mine
			n.mu.Unlock()
			return func() {
				n.mu.Lock()
				defer n.mu.Unlock()
				delete(n.moving, id)
				close(mine)
			}, true
		}
		n.mu.Unlock()
		select {
		case <-busy:
		case <-n.over:
			return nil, false
		}
	}
}

// connect begins to serve a client that comes with a ticket for its conversation, or with
// a token and its first event. The client gets a socket at once and hears of the rest
// there; nil when nobody listens.
func (n *node) connect(id, token string, first *session.ResumeSession) *socket {
	n.mu.Lock()
	refuses := n.dead || n.draining
	n.mu.Unlock()
	if refuses {
		return nil
	}
	sock := newSocket(n)
	serve := func() {
		done, ok := n.claim(id)
		if !ok || !n.awake() {
			sock.Abort()
			return
		}
		defer done()
		if first == nil {
			n.open(sock, id)
		} else {
			n.resume(sock, id, token, *first)
		}
	}
	if !n.begin(serve) {
		return nil
	}
	return sock
}

// open starts a session with a ticket.
func (n *node) open(sock *socket, id string) {
	n.supersede(id)
	token := n.world.newToken(id)
	c, history, err := n.store.takeOver(context.Background(), id, token)
	if err != nil {
		sock.Abort()
		return
	}
	s := &held{id: id, epoch: c.Epoch, name: n.world.newName("vs"), offered: token, done: make(chan struct{})}
	s.line = line.New(n.options(s, line.Options{}))
	p := session.Params{Config: n.config(s), Conversation: c, History: history, Resume: resumeOf(token)}
	if err := s.line.Open(sock); err != nil {
		sock.Abort()
	}
	n.run(s, p)
	n.world.notify(id, c.Epoch)
}

// supersede ends what it holds of a conversation itself, for somebody who takes it over.
func (n *node) supersede(id string) {
	if old := n.find(id); old != nil {
		old.stop(&session.End{Reason: session.EndSuperseded, Code: session.Superseded})
		<-old.done
	}
}

// options are what is the same for every line.
func (n *node) options(s *held, o line.Options) line.Options {
	o.SessionID, o.ConversationID, o.Epoch = s.name, s.id, s.epoch
	o.Offer = func(ctx context.Context) (session.Resume, error) {
		token := n.world.newToken(s.id)
		s.mu.Lock()
		known := s.offered
		s.mu.Unlock()
		err := n.store.OfferResume(ctx, learn.ResumeOffer{ConversationID: s.id, Epoch: s.epoch, Hash: token, Known: known, Window: window})
		if err == nil {
			s.mu.Lock()
			s.known, s.offered = known, token
			s.mu.Unlock()
		}
		return resumeOf(token), err
	}
	o.Changed = func(l *line.Line) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.dirty[l] = s
	}
	return o
}

func resumeOf(token string) session.Resume {
	return session.Resume{Token: token, WindowMS: int(window.Milliseconds()), WarmMS: int(warm.Milliseconds())}
}

func (n *node) config(s *held) session.Config {
	return session.Config{ID: s.name, ConversationID: s.id, Language: "es", NativeLanguage: "en", Level: "B1",
		Audio: session.AudioConfig{
			Input: session.InputConfig{Format: session.Format{Type: "audio/pcm", Rate: micRate},
				TurnDetection: &session.TurnDetection{Type: "patient", InterruptResponse: true}},
			Output: session.OutputConfig{Format: session.Format{Type: "audio/pcm", Rate: voiceRate}},
		}}
}

// run holds a session in a goroutine of the node's.
func (n *node) run(s *held, p session.Params) {
	ctx, stop := context.WithCancelCause(context.Background())
	s.stop = stop
	n.mu.Lock()
	n.sessions[s.id] = s
	dead := n.dead
	n.mu.Unlock()
	if dead {
		stop(&session.End{Reason: session.EndGoingAway})
		s.line.Abort()
	}
	n.record(s.id, verify.TookOver{Epoch: s.epoch, Session: s.name})
	n.world.mirror.hold(s.name, n)
	n.work.Go(func() {
		defer close(s.done)
		defer stop(nil)
		mic := &taken{Line: s.line, node: n, id: s.id}
		end := n.host.Run(ctx, mic, p)
		mic.flush()
		n.record(s.id, verify.SessionEnded{Epoch: s.epoch, Session: s.name, Reason: string(end.Reason)})
		n.mu.Lock()
		if n.sessions[s.id] == s {
			delete(n.sessions, s.id)
		}
		delete(n.dirty, s.line)
		dead := n.dead
		n.mu.Unlock()
		if !dead {
			n.world.mirror.release(s.name, n)
			if end.Reason == session.EndNormal {
				n.world.mirror.forget(s.id, s.epoch)
			}
		}
	})
}

// mirrorLoop writes what has changed into the mirror.
func (n *node) mirrorLoop() {
	tick := time.NewTicker(mirrorWait)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-n.over:
			return
		}
		n.mu.Lock()
		changed := n.dirty
		n.dirty = map[*line.Line]*held{} // also an empty one is others' to write to, once mu is free
		n.mu.Unlock()
		for l, s := range changed {
			var c learn.LiveChange
			if ok, err := l.Changes(&c); !ok || err != nil {
				continue
			}
			c.Events = append([]learn.LiveEvent(nil), c.Events...)
			n.answered(s, func() (bool, bool) { return n.world.mirror.keep(n, c) })
		}
	}
}

// answered obeys what the mirror says of a session.
func (n *node) answered(s *held, ask func() (superseded, lost bool)) {
	superseded, lost := ask()
	switch {
	case superseded:
		s.stop(&session.End{Reason: session.EndSuperseded, Code: session.Superseded})
	case lost:
		s.line.Republish()
	}
}

// keepHouse renews places and asks whether what it holds is still its own.
func (n *node) keepHouse() {
	tick := time.NewTicker(housekeep)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-n.over:
			return
		}
		if !n.awake() {
			return
		}
		n.mu.Lock()
		var all []*held
		for _, s := range n.sessions {
			all = append(all, s)
		}
		n.mu.Unlock()
		for _, s := range all {
			n.world.mirror.hold(s.name, n)
			n.answered(s, func() (bool, bool) { return n.world.mirror.lease(s.id, s.epoch) })
			if epoch, ok, err := n.store.epoch(s.id); err == nil && ok && epoch != s.epoch {
				s.stop(&session.End{Reason: session.EndSuperseded, Code: session.Superseded})
			}
			select {
			case <-s.done: // it ended while its place was renewed
				n.world.mirror.release(s.name, n)
			default:
			}
		}
	}
}

// taken writes down which frames of the microphone reached the session.
type taken struct {
	*line.Line
	node *node
	id   string

	mu   sync.Mutex
	open verify.MicTaken
}

func (t *taken) Read(in *session.Input) error {
	err := t.Line.Read(in)
	if err == nil && in.Control == nil {
		t.mu.Lock()
		if in.Frame.Stream != t.open.Stream || in.Frame.Seq != t.open.Next {
			t.write()
			t.open = verify.MicTaken{Stream: in.Frame.Stream, From: in.Frame.Seq}
		}
		t.open.Next = in.Frame.Seq + 1
		t.mu.Unlock()
	}
	return err
}

func (t *taken) WriteEvent(h session.Head, ev session.Event) error {
	if _, ok := ev.(session.InputAck); ok {
		t.flush()
	}
	return t.Line.WriteEvent(h, ev)
}

func (t *taken) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write()
}

func (t *taken) write() {
	if t.open.Next > t.open.From {
		t.node.record(t.id, t.open)
		t.open.From = t.open.Next
	}
}

// handover is the state that the mirror holds, as it is after what is stored.
func handover(st learn.LiveState, history []learn.Message) *session.Handover {
	var h session.Handover
	if err := json.Unmarshal(st.State, &h); err != nil {
		return nil
	}
	h = h.Reconciled(history)
	return &h
}

// conversationOf is what a token names.
func conversationOf(token string) string {
	id, _, _ := strings.Cut(token, "/")
	return id
}
