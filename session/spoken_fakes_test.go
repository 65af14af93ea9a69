package session

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// Speech by a word clock: word n is a square wave of its own loudness, 280 ms long and 20 ms
// of silence, so that what a recogniser has understood is what was in its audio, and no more.
const (
	wordMS   = 300
	spokenMS = 280
	loudness = 2048
	tickMS   = 100 // milliseconds
)

// wordText is what a recogniser makes of word n.
func wordText(n int) string { return fmt.Sprintf("palabra%d", n) }

// speak says words in real time.
func (k *talk) speak(from, to int) {
	for n := from; n <= to; n++ {
		for ms := 0; ms < wordMS; ms += tickMS {
			pcm := make([]byte, 0, 32*tickMS)
			for i := range 16 * tickMS {
				sample := 0
				if ms+i/16 < spokenMS {
					sample = (loudness + n) * (1 - i%2*2)
				}
				pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(sample)))
			}
			k.frame(pcm)
		}
	}
	k.loudUntil = time.Now().Add(-(wordMS - spokenMS) * time.Millisecond)
}

// quiet is a microphone that hears nothing for a while.
func (k *talk) quiet(d time.Duration) {
	for range d / (tickMS * time.Millisecond) {
		k.frame(make([]byte, 32*tickMS))
	}
}

func (k *talk) frame(pcm []byte) {
	select {
	case k.conn.inputs <- Input{Frame: Frame{Stream: 1, Seq: uint32(k.sentMS / tickMS), Pos: uint32(k.sentMS * 16), Audio: pcm}}:
		k.sentMS += tickMS
	case <-k.conn.ended:
	}
	time.Sleep(tickMS * time.Millisecond)
	synctest.Wait()
}

// fault is what a vendor does wrong; the zero value is nothing.
type fault struct {
	kind  string
	after int           // words of a stream, sentences or chunks that are well
	wait  time.Duration // of one that is slow
}

// faults of each part. A vendor has one of them for every call.
var (
	deafnesses = []string{"refuses", "is full", "hangs", "is cut", "garbles", "stalls", "jumbles"}
	mutenesses = []string{"refuses", "is full", "hangs", "is slow", "breaks", "errs within 200", "falls silent", "never ends"}
	hoarseness = []string{"refuses", "hangs", "is slow", "is cut", "stalls", "is empty", "ends early", "has another rate"}
)

// vendor is what all fakes have in common.
type vendor struct {
	name  string
	fault atomic.Pointer[fault]
	calls atomic.Int64 // those of learners
}

func (v *vendor) Name() string { return v.name }

// called counts a call, which is refused, or hangs, before it has begun, as the fault wants.
func (v *vendor) called(ctx context.Context, probe bool, op string) (fault, error) {
	if !probe {
		v.calls.Add(1)
	}
	f := fault{}
	if p := v.fault.Load(); p != nil {
		f = *p
	}
	return f, v.begin(ctx, f, op)
}

func (v *vendor) begin(ctx context.Context, f fault, op string) error {
	switch f.kind {
	case "refuses":
		return v.error(op)
	case "is full":
		return &providers.Error{Kind: providers.Overloaded, Vendor: v.name, Op: op, RetryAfter: 3 * time.Second}
	case "hangs":
		<-ctx.Done()
		return providers.Cause(ctx, ctx.Err())
	}
	return nil
}

func (v *vendor) error(op string) error {
	return &providers.Error{Kind: providers.Unavailable, Vendor: v.name, Op: op, Err: errBroken}
}

// wordEar hears the word clock.
type wordEar struct{ vendor }

func (e *wordEar) Listen(ctx context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	f, err := e.called(ctx, opt.Language == "en", "listen")
	if err != nil {
		return nil, err
	}
	return &wordStream{ear: e, fault: f, events: make(chan providers.Heard, 256)}, nil
}

type wordStream struct {
	ear    *wordEar
	fault  fault
	events chan providers.Heard

	mu      sync.Mutex
	over    bool
	err     error
	ms      int // of audio
	word    int // that sounds; 0 for silence
	fromMS  int
	heard   int // words, in all
	words   []providers.Word
	segment int
	held    *providers.Heard
}

func (s *wordStream) Send(_ context.Context, pcm []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; len(pcm) >= 32; pcm = pcm[32:] { // a millisecond
		if s.over {
			return s.ear.error("listen")
		}
		n := int(int16(binary.LittleEndian.Uint16(pcm)))
		s.millisecond(max(n, -n))
	}
	return nil
}

// millisecond hears one of a word, or of silence.
func (s *wordStream) millisecond(sample int) {
	s.ms++
	word := max(0, sample-loudness)
	if word != s.word {
		if s.word > 0 && s.ms-s.fromMS >= spokenMS/2 {
			s.understand()
		}
		s.word, s.fromMS = word, s.ms
	}
	if s.word == 0 && len(s.words) > 0 && s.ms-s.fromMS == 500 {
		s.end()
	}
}

// understand takes the word that has just ended.
func (s *wordStream) understand() {
	s.heard++
	if s.heard > s.fault.after {
		switch s.fault.kind {
		case "is cut", "garbles":
			s.close(s.ear.error("listen"))
			return
		case "stalls":
			return
		}
	}
	w := providers.Word{Text: wordText(s.word), StartMS: s.fromMS, EndMS: s.ms}
	if s.words = append(s.words, w); len(s.words) == 1 {
		s.tell(providers.Heard{Kind: providers.HeardStart, Segment: s.segment, StartMS: w.StartMS, EndMS: w.StartMS})
	}
	s.tell(s.hypothesis(providers.HeardUpdate))
}

func (s *wordStream) hypothesis(kind providers.HeardKind) providers.Heard {
	var texts []string
	for _, w := range s.words {
		texts = append(texts, w.Text)
	}
	n := len(s.words)
	return providers.Heard{Kind: kind, Segment: s.segment, Text: strings.Join(texts, " "), Words: append([]providers.Word(nil), s.words...),
		StartMS: s.words[0].StartMS, EndMS: s.words[n-1].EndMS}
}

// end ends the segment. A stream that jumbles keeps every second end until the next one.
func (s *wordStream) end() {
	h := s.hypothesis(providers.HeardEnd)
	s.segment, s.words = s.segment+1, nil
	if s.fault.kind == "jumbles" && s.held == nil {
		s.held = &h
		return
	}
	s.tell(h)
	if s.held != nil {
		s.tell(*s.held)
		s.held = nil
	}
}

func (s *wordStream) tell(h providers.Heard) {
	select {
	case s.events <- h:
	default:
		panic("nobody takes what was heard")
	}
}

func (s *wordStream) close(err error) {
	if !s.over {
		s.over, s.err = true, err
		close(s.events)
	}
}

func (s *wordStream) Finalize(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over && len(s.words) > 0 && s.fault.kind != "jumbles" {
		s.end()
	}
	return nil
}
func (s *wordStream) Flush(context.Context) error     { return nil }
func (s *wordStream) KeepAlive(context.Context) error { return nil }
func (s *wordStream) Events() <-chan providers.Heard  { return s.events }
func (s *wordStream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
func (s *wordStream) Drain(ctx context.Context) error {
	_ = s.Finalize(ctx)
	return s.Close()
}
func (s *wordStream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(nil)
	return nil
}

// sentences are what a menuTutor says.
var sentences = []string{"Muy bien dicho. ", "Hoy tenemos pescado fresco, sopa y pollo asado. ", "¿Qué te gustaría comer?"}

// menuTutor says the sentences, or what is missing of them.
type menuTutor struct{ vendor }

func (m *menuTutor) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	return func(yield func(providers.Delta, error) bool) {
		f, err := m.called(ctx, len(p.Lines) == 1 && p.Lines[0].Text == "Are you there?", "reply")
		if err != nil {
			yield(providers.Delta{}, err)
			return
		}
		wait := 250 * time.Millisecond
		if f.kind == "is slow" {
			wait += f.wait
		}
		said := 0
		for i, sentence := range sentences {
			if strings.Contains(p.Said, strings.TrimSpace(sentence)) {
				continue
			}
			if !rest(ctx, wait, false) {
				yield(providers.Delta{}, providers.Cause(ctx, ctx.Err()))
				return
			}
			if said++; said > f.after && m.fails(ctx, f, yield) || !yield(providers.Delta{Text: sentence}, nil) {
				return
			}
			wait = time.Duration(50*i) * time.Millisecond
		}
		yield(providers.Delta{Done: true, Model: "m"}, nil)
	}
}

// fails does what the fault wants in the middle; it says whether that was anything.
func (m *menuTutor) fails(ctx context.Context, f fault, yield func(providers.Delta, error) bool) bool {
	switch f.kind {
	case "breaks":
		yield(providers.Delta{}, m.error("reply"))
	case "errs within 200":
		yield(providers.Delta{}, &providers.Error{Kind: providers.Overloaded, Vendor: m.name, Op: "reply", Detail: "overloaded_error"})
	case "falls silent":
		<-ctx.Done()
		yield(providers.Delta{}, providers.Cause(ctx, ctx.Err()))
	case "never ends":
	default:
		return false
	}
	return true
}

// menuVoice speaks as a fakeVoice does.
type menuVoice struct {
	vendor
	fakeVoice
}

func (v *menuVoice) Name() string { return v.vendor.name }

func (v *menuVoice) Open(ctx context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	if f := v.vendor.fault.Load(); f != nil {
		if err := v.begin(ctx, *f, "open"); err != nil {
			return nil, err
		}
	}
	stream, err := v.fakeVoice.Open(ctx, opt)
	return &menuLine{stream, v, opt.Language == "en"}, err
}

type menuLine struct {
	providers.VoiceStream
	voice *menuVoice
	probe bool
}

func (l *menuLine) Say(ctx context.Context) (providers.Utterance, error) {
	f, err := l.voice.called(ctx, l.probe, "speak")
	if err != nil {
		return nil, err
	}
	u, err := l.VoiceStream.Say(ctx)
	return &menuUtterance{Utterance: u, fault: f, voice: l.voice}, err
}

type menuUtterance struct {
	providers.Utterance
	fault fault
	voice *menuVoice
	given int
}

func (u *menuUtterance) Next(ctx context.Context) (providers.Chunk, error) {
	if u.given == 0 {
		wait := 150 * time.Millisecond
		if u.fault.kind == "is slow" {
			wait += u.fault.wait
		}
		if !rest(ctx, wait, false) {
			return providers.Chunk{}, context.Cause(ctx)
		}
	}
	if u.given >= u.fault.after {
		switch u.fault.kind {
		case "is cut":
			return providers.Chunk{}, u.voice.error("speak")
		case "stalls":
			<-ctx.Done()
			return providers.Chunk{}, context.Cause(ctx)
		case "ends early":
			return providers.Chunk{}, io.EOF
		}
	}
	c, err := u.Utterance.Next(ctx)
	switch u.fault.kind {
	case "is empty":
		c.PCM, c.Marks = nil, nil
	case "has another rate":
		c.PCM = c.PCM[:len(c.PCM)/4*2]
	}
	u.given++
	return c, err
}
