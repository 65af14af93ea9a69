package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
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

// fakeRecognizer hears what the test says.
type fakeRecognizer struct {
	mu      sync.Mutex
	streams []*fakeHearing
	refuse  int // how many openings fail
	drops   bool
	opened  int
}

func (r *fakeRecognizer) Name() string { return "fake" }

func (r *fakeRecognizer) Listen(_ context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opened++
	if r.opened <= r.refuse {
		return nil, &providers.Error{Kind: providers.Unavailable, Vendor: "fake", Op: "listen"}
	}
	h := &fakeHearing{events: make(chan providers.Heard, 64), opt: opt}
	if r.drops {
		close(h.events)
	}
	r.streams = append(r.streams, h)
	return h, nil
}

// last is the stream opened last.
func (r *fakeRecognizer) last() *fakeHearing {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.streams) == 0 {
		return nil
	}
	return r.streams[len(r.streams)-1]
}

type fakeHearing struct {
	events    chan providers.Heard
	opt       providers.ListenOptions
	mu        sync.Mutex
	samples   int
	loud      int // samples of the frames that are not silence
	finalized int
	kept      int
	closed    bool
}

func (h *fakeHearing) Send(_ context.Context, pcm []byte) error {
	h.mu.Lock()
	h.samples += len(pcm) / 2
	if bytes.ContainsFunc(pcm, func(r rune) bool { return r != 0 }) {
		h.loud += len(pcm) / 2
	}
	h.mu.Unlock()
	return nil
}
func (h *fakeHearing) Finalize(context.Context) error {
	h.mu.Lock()
	h.finalized++
	h.mu.Unlock()
	return nil
}
func (h *fakeHearing) KeepAlive(context.Context) error {
	h.mu.Lock()
	h.kept++
	h.mu.Unlock()
	return nil
}
func (h *fakeHearing) Events() <-chan providers.Heard { return h.events }
func (h *fakeHearing) Err() error {
	return &providers.Error{Kind: providers.Unavailable, Vendor: "fake", Op: "listen"}
}
func (h *fakeHearing) Drain(context.Context) error { return h.Close() }
func (h *fakeHearing) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	return nil
}

// fakeTutor answers with the next of its replies, word by word, 20 ms a word.
type fakeTutor struct {
	mu      sync.Mutex
	replies []string
	prompts []providers.Prompt
	fail    error
	panics  bool
	breaks  bool // the stream stops without its end
}

func (t *fakeTutor) Name() string { return "fake" }

func (t *fakeTutor) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.panics {
		panic("a tutor that panics")
	}
	t.prompts = append(t.prompts, p)
	text, fail := "Good.", t.fail
	if len(t.replies) > 0 {
		text, t.replies = t.replies[0], t.replies[1:]
	}
	return func(yield func(providers.Delta, error) bool) {
		if fail != nil {
			yield(providers.Delta{}, fail)
			return
		}
		for word := range strings.SplitAfterSeq(text, " ") {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				yield(providers.Delta{}, context.Cause(ctx))
				return
			}
			if !yield(providers.Delta{Text: word}, nil) {
				return
			}
		}
		if t.breaks {
			return
		}
		yield(providers.Delta{Done: true, Model: "fake/1", Usage: providers.Usage{OutputTokens: 7}}, nil)
	}
}

func (t *fakeTutor) prompt(i int) providers.Prompt {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.prompts[i]
}

// fakeVoice speaks 50 ms a character, at once, in chunks of one written clause.
type fakeVoice struct {
	mu     sync.Mutex
	refuse int
	opened int
	breaks int // chunks after which the utterance breaks off; 0 never
	panics bool
	late   bool // nothing is spoken before End
	early  bool // the audio ends after the first piece
	plain  bool // there are no marks
}

const fakeCharMS = 50

func (v *fakeVoice) Name() string { return "fake" }
func (v *fakeVoice) Open(_ context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.opened++
	if v.opened <= v.refuse {
		return nil, &providers.Error{Kind: providers.Unavailable, Vendor: "fake", Op: "open"}
	}
	return &fakeLine{opt: opt, fakeManner: fakeManner{v.breaks, v.panics, v.late, v.early, v.plain}}, nil
}

type fakeLine struct {
	opt providers.SpeakOptions
	fakeManner
}

// fakeManner is how a voice misbehaves.
type fakeManner struct {
	breaks                     int
	panics, late, early, plain bool
}

func (l *fakeLine) Say(context.Context) (providers.Utterance, error) {
	return &fakeUtterance{rate: l.opt.SampleRate, fakeManner: l.fakeManner, chunks: make(chan providers.Chunk, 256), stop: make(chan struct{})}, nil
}
func (l *fakeLine) Alive() bool  { return true }
func (l *fakeLine) Close() error { return nil }

type fakeUtterance struct {
	fakeManner
	rate        int
	held        []providers.Chunk
	atMS, given int
	samples     int
	chunks      chan providers.Chunk
	once        sync.Once
	stop        chan struct{}
}

func (u *fakeUtterance) Write(_ context.Context, text string, _ bool) error {
	var c providers.Chunk
	for _, r := range text {
		c.Marks = append(c.Marks, providers.CharMark{Char: string(r), StartMS: u.atMS, EndMS: u.atMS + fakeCharMS})
		u.atMS += fakeCharMS
		for range u.rate * fakeCharMS / 1000 { // no two samples near each other are the same
			u.samples++
			c.PCM = append(c.PCM, byte(u.samples), byte(u.samples>>8))
		}
	}
	if u.plain {
		c.Marks = nil
	}
	if u.late {
		u.held = append(u.held, c)
		return nil
	}
	u.chunks <- c
	return nil
}
func (u *fakeUtterance) End(context.Context) error {
	for _, c := range u.held {
		u.chunks <- c
	}
	close(u.chunks)
	return nil
}
func (u *fakeUtterance) Next(ctx context.Context) (providers.Chunk, error) {
	if u.panics {
		panic("a voice that panics")
	}
	if u.early && u.given == 1 {
		return providers.Chunk{}, io.EOF
	}
	if u.breaks > 0 && u.given == u.breaks {
		return providers.Chunk{}, &providers.Error{Kind: providers.Unavailable, Vendor: "fake", Op: "speak"}
	}
	select {
	case c, ok := <-u.chunks:
		if !ok {
			return providers.Chunk{}, io.EOF
		}
		u.given++
		return c, nil
	case <-u.stop:
		return providers.Chunk{}, providers.ErrCancelled
	case <-ctx.Done():
		return providers.Chunk{}, context.Cause(ctx)
	}
}
func (u *fakeUtterance) Cancel() { u.once.Do(func() { close(u.stop) }) }

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
