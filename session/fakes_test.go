package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// written is one thing that the client got, and when.
type written struct {
	at    time.Time
	event Event // nil for audio
	head  Head
	frame Frame
}

// fakeConn is a client in memory: the test sends inputs and looks at what was written.
type fakeConn struct {
	inputs chan Input
	ended  chan struct{} // closed by Close and Abort
	once   sync.Once

	mu      sync.Mutex
	log     []written
	end     *End
	blocked chan struct{} // writes wait for it when not nil
	listens func(written) // told of every write; or nil
	panics  bool          // at the first audio
}

func newFakeConn() *fakeConn {
	return &fakeConn{inputs: make(chan Input, 256), ended: make(chan struct{})}
}

func (c *fakeConn) Read(in *Input) error {
	select {
	case *in = <-c.inputs:
		return nil
	case <-c.ended:
		return &End{Reason: EndGone}
	}
}

func (c *fakeConn) write(w written) error {
	c.mu.Lock()
	blocked := c.blocked
	c.mu.Unlock()
	if blocked != nil {
		select {
		case <-blocked:
		case <-c.ended:
			return io.ErrClosedPipe
		}
	}
	w.at = time.Now()
	c.mu.Lock()
	c.log = append(c.log, w)
	listens := c.listens
	c.mu.Unlock()
	if listens != nil {
		listens(w)
	}
	return nil
}

func (c *fakeConn) WriteEvent(h Head, ev Event) error { return c.write(written{head: h, event: ev}) }
func (c *fakeConn) WriteAudio(f Frame) error {
	if c.panics {
		panic("a connection that panics")
	}
	return c.write(written{frame: f})
}

func (c *fakeConn) Close(e *End) {
	c.mu.Lock()
	if c.end == nil {
		c.end = e
	}
	c.mu.Unlock()
	c.Abort()
}

func (c *fakeConn) Abort() { c.once.Do(func() { close(c.ended) }) }

// all returns a copy of what was written so far.
func (c *fakeConn) all() []written {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]written(nil), c.log...)
}

// eventsOf returns the events of one type, in order.
func eventsOf[E Event](c *fakeConn) []E {
	var out []E
	for _, w := range c.all() {
		if e, ok := w.event.(E); ok {
			out = append(out, e)
		}
	}
	return out
}

// fakeJournal keeps messages in memory; it can be slow, broken or somebody else's.
type fakeJournal struct {
	mu       sync.Mutex
	messages []learn.Message
	ended    []learn.Conversation
	habits   []learn.TurnHabits // as they were kept
	takes    time.Duration
	fail     error
	panics   bool
}

func (j *fakeJournal) AppendMessage(ctx context.Context, _ int64, m learn.Message) error {
	j.mu.Lock()
	takes, fail := j.takes, j.fail
	j.mu.Unlock()
	if j.panics {
		panic("a store that panics")
	}
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if fail != nil {
		return fail
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.messages = append(j.messages, m)
	return nil
}

func (j *fakeJournal) EditTranscript(_ context.Context, _ int64, e learn.TranscriptEdit) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fail != nil {
		return j.fail
	}
	for i := range j.messages {
		if m := &j.messages[i]; m.UtteranceID == e.UtteranceID && m.Speaker == learn.SpeakerLearner {
			m.Content, m.Heard = e.Text, e.Text
			return nil
		}
	}
	return learn.Errorf(learn.NotFound, "fakeJournal", "Message not found")
}

func (j *fakeJournal) EndConversation(_ context.Context, _ int64, c learn.Conversation) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = append(j.ended, c)
	return nil
}

func (j *fakeJournal) KeepHabits(_ context.Context, _, _, _ string, h learn.TurnHabits) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.habits = append(j.habits, h)
	return j.fail
}

func (j *fakeJournal) stored() []learn.Message {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]learn.Message(nil), j.messages...)
}

// talk is a session under test, in a bubble of virtual time.
type talk struct {
	t       *testing.T
	conn    *fakeConn
	hears   *fakeRecognizer
	tutor   *fakeTutor
	voice   *fakeVoice
	journal *fakeJournal
	host    *Host
	params  Params

	cancel context.CancelCauseFunc
	result chan *End
	sentMS int // of microphone
	said   int // segments

	loudUntil time.Time // when the microphone was loud last
}

// newTalk prepares a session at B1 that is not running yet.
func newTalk(t *testing.T) *talk {
	k := &talk{t: t, conn: newFakeConn(), hears: &fakeRecognizer{}, tutor: &fakeTutor{}, voice: &fakeVoice{}, journal: &fakeJournal{},
		result: make(chan *End, 1)}
	k.host = &Host{Deps: Deps{Recognizer: k.hears, Tutor: k.tutor, Voice: k.voice, Journal: k.journal, Log: slog.New(slog.DiscardHandler)}}
	k.params = Params{
		Config: Config{ID: "vs_1", ConversationID: "c1", Language: "es", NativeLanguage: "en", Level: "B1",
			Audio: AudioConfig{Input: InputConfig{TurnDetection: &TurnDetection{Type: "patient", InterruptResponse: true}}}},
		Conversation: learn.Conversation{ID: "c1", TenantID: learn.PersonalTenant, Epoch: 1, NextSeq: 1},
	}
	return k
}

// start runs the session and waits until it is idle.
func (k *talk) start() {
	ctx, cancel := context.WithCancelCause(context.Background())
	k.cancel = cancel
	go func() { k.result <- k.host.Run(ctx, k.conn, k.params) }()
	synctest.Wait()
}

// finish ends the session from the client's side and waits for it.
func (k *talk) finish() *End {
	k.send(EndSession{})
	return <-k.result
}

func (k *talk) send(c Control) {
	k.conn.inputs <- Input{Control: c}
	synctest.Wait()
}

// mic sends ms milliseconds of microphone in real time, loud or quiet.
func (k *talk) mic(ms int, loud bool) {
	for range ms / 20 {
		pcm := make([]byte, 640)
		if loud {
			for i := 0; i < len(pcm); i += 2 {
				pcm[i+1] = byte(8 * (1 - i/2%2*2)) // a square wave, ±2048
			}
		}
		frame := Frame{Stream: 1, Seq: uint32(k.sentMS / 20), Pos: uint32(k.sentMS * 16), Audio: pcm}
		select {
		case k.conn.inputs <- Input{Frame: frame}:
		case <-k.conn.ended:
			return
		}
		k.sentMS += 20
		time.Sleep(20 * time.Millisecond)
		if loud {
			k.loudUntil = time.Now()
		}
	}
	synctest.Wait()
}

// hear has the recogniser say something of the segment under way.
func (k *talk) hear(kind providers.HeardKind, text string) {
	h := k.hears.last()
	if h == nil {
		k.t.Fatal("nobody listens")
	}
	h.events <- providers.Heard{Kind: kind, Segment: k.said, Text: text, EndMS: k.sentMS}
	if kind == providers.HeardEnd {
		k.said++
	}
	synctest.Wait()
}

// say speaks for a while and has it recognised as final.
func (k *talk) say(text string) {
	k.mic(600, true)
	k.hear(providers.HeardUpdate, text)
	k.hear(providers.HeardEnd, text)
}

// until runs the clock, with a quiet microphone, until cond holds.
func (k *talk) until(what string, cond func() bool) {
	k.t.Helper()
	for range 2000 {
		synctest.Wait()
		if cond() {
			return
		}
		k.mic(20, false)
	}
	k.t.Fatalf("did not happen: %s\n%s", what, k.story())
}

// greeted runs until the tutor's opener was spoken and heard.
func (k *talk) greeted() {
	k.t.Helper()
	k.until("the greeting is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 1 })
}

// story prints what the client got, for a failing test.
func (k *talk) story() string {
	var b strings.Builder
	log := k.conn.all()
	for _, w := range log {
		at := w.at.Sub(log[0].at).Milliseconds()
		if w.event == nil {
			fmt.Fprintf(&b, "%6d audio stream %d, %d bytes\n", at, w.frame.Stream, len(w.frame.Audio))
			continue
		}
		fmt.Fprintf(&b, "%6d %s %+v\n", at, w.event.EventType(), w.event)
	}
	return b.String()
}

var errBroken = errors.New("broken on purpose")
