package failover_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"kalami/providers"
)

// The word clock is speech in which every word can be told from every other: word n
// lasts from wordMS*n to wordMS*n + spokenMS, and all of its samples are n+1. Silence is
// zero. What a recogniser heard of it is what its audio says, and no more.
const (
	clockRate = 16000
	wordMS    = 300
	spokenMS  = 240
)

// phrase says how many words follow each other, and the pause behind them, in words.
type phrase struct{ words, pause int }

// speech makes the audio of phrases; the words' numbers count on, and so does the time.
func speech(phrases ...phrase) (pcm []byte, words int) {
	for _, p := range phrases {
		for range p.words {
			words++
			for ms := range wordMS {
				for range clockRate / 1000 {
					sample := words
					if ms >= spokenMS {
						sample = 0
					}
					pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(sample*loudness)))
				}
			}
		}
		pcm = append(pcm, make([]byte, p.pause*wordMS*clockRate/1000*2)...)
	}
	return pcm, words
}

// loudness makes samples loud enough for a detector of voices.
const loudness = 200

// clockEar is a recogniser that hears the word clock, as fast as it is sent. What it
// does wrong is chosen stream by stream.
type clockEar struct {
	name    string
	jitter  int                      // milliseconds by which its words' times are off, at most
	delay   time.Duration            // of its events
	mistake func(stream int) mistake // nil makes none
	refuse  func(stream int) error   // nil refuses nothing
	final   bool                     // tells which words of a segment are final: all but the last two
	mu      sync.Mutex
	streams int
	open    int
	most    int
}

// mistake is what goes wrong with a stream.
type mistake struct {
	after int // bytes of audio; 0 for never
	kind  blunder
}

type blunder int

const (
	cut blunder = iota + 1
	stall
	garbage
	jumble  // ends come after those of later segments
	endless // Drain never ends
)

func (e *clockEar) Name() string { return e.name }

func (e *clockEar) Listen(ctx context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	e.mu.Lock()
	n := e.streams
	e.streams++
	e.mu.Unlock()
	if e.refuse != nil {
		if err := e.refuse(n); err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	s := &clockStream{ear: e, events: make(chan providers.Heard, 16), in: make(chan any), closing: make(chan struct{}), done: make(chan struct{}),
		rng: rand.New(rand.NewPCG(uint64(n), 7))}
	if e.mistake != nil {
		s.mistake = e.mistake(n)
	}
	e.mu.Lock()
	e.open++
	e.most = max(e.most, e.open)
	e.mu.Unlock()
	go s.run()
	return s, nil
}

// opened is how many streams were asked for.
func (e *clockEar) opened() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.streams
}

type clockStream struct {
	ear     *clockEar
	mistake mistake
	rng     *rand.Rand
	events  chan providers.Heard
	in      chan any // []byte, or a command
	closing chan struct{}
	once    sync.Once
	done    chan struct{}
	err     error

	// owned by run
	got, offset int // bytes heard; milliseconds of the first word's beginning, for its place in the segment
	odd         []byte
	segment     int
	words       []providers.Word
	begun       bool
	current     int // the number of the word that sounds, 0 in silence
	fromMS      int // where it began
	quietMS     int
	held        *providers.Heard
}

const (
	finalizeNow = "finalize"
	drainNow    = "drain"
)

var errCut = errors.New("cut")

func (s *clockStream) give(ctx context.Context, x any) error {
	select {
	case s.in <- x:
		return nil
	case <-s.done:
		if s.err != nil {
			return s.err
		}
		return errors.New("closed")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *clockStream) Send(ctx context.Context, b []byte) error {
	return s.give(ctx, append([]byte(nil), b...))
}
func (s *clockStream) Flush(context.Context) error        { return nil }
func (s *clockStream) KeepAlive(context.Context) error    { return nil }
func (s *clockStream) Finalize(ctx context.Context) error { return s.give(ctx, finalizeNow) }
func (s *clockStream) Events() <-chan providers.Heard     { return s.events }
func (s *clockStream) Err() error                         { <-s.done; return s.err }
func (s *clockStream) Drain(ctx context.Context) error {
	defer s.Close()
	if err := s.give(ctx, drainNow); err != nil {
		return err
	}
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
func (s *clockStream) Close() error {
	s.once.Do(func() { close(s.closing) })
	<-s.done
	return nil
}

func (s *clockStream) run() {
	defer func() {
		s.ear.mu.Lock()
		s.ear.open--
		s.ear.mu.Unlock()
		close(s.done)
		close(s.events)
	}()
	for {
		select {
		case x := <-s.in:
			if over := s.take(x); over {
				return
			}
		case <-s.closing:
			return
		}
	}
}

// take hears audio or obeys; true when the stream is over.
func (s *clockStream) take(x any) bool {
	stalled := s.mistake.kind == stall && s.mistake.after > 0 && s.got >= s.mistake.after
	switch x := x.(type) {
	case []byte:
		for i := 0; i+1 < len(x); i += 2 {
			s.got += 2
			if s.mistake.after > 0 && s.got >= s.mistake.after {
				switch s.mistake.kind {
				case cut, garbage:
					s.err = &providers.Error{Kind: providers.Unavailable, Vendor: s.ear.name, Op: "listen", RequestID: "r", Err: errCut}
					return true
				case stall:
					continue
				}
			}
			s.sample(int(int16(binary.LittleEndian.Uint16(x[i:]))) / loudness)
		}
	case string:
		if stalled {
			return false
		}
		if x == drainNow && s.mistake.kind == endless {
			return false
		}
		s.word(0)
		s.end()
		if s.held != nil {
			s.tell(*s.held)
		}
		return x == drainNow
	}
	return false
}

func (s *clockStream) ms() int { return s.got / 2 * 1000 / clockRate }

// sample hears one sample of word n, or silence.
func (s *clockStream) sample(n int) {
	if n != s.current {
		s.word(n)
		s.quietMS = s.ms()
	}
	if n == 0 && s.begun && s.ms()-s.quietMS >= 400 {
		s.end()
	}
}

// word ends the word that sounds, if half of it was heard, and begins another.
func (s *clockStream) word(n int) {
	if heard := s.ms() - s.fromMS; s.current > 0 && heard >= spokenMS/2 {
		off := func() int { return s.rng.IntN(2*s.ear.jitter+1) - s.ear.jitter }
		w := providers.Word{Text: fmt.Sprintf("w%d", s.current), StartMS: max(s.fromMS+off(), 0), EndMS: s.ms() + off()}
		if k := len(s.words); k > 0 {
			w.StartMS = max(w.StartMS, s.words[k-1].EndMS)
		}
		s.words = append(s.words, w)
		if !s.begun {
			s.begun = true
			s.tell(s.heard(providers.HeardStart))
		}
		s.tell(s.heard(providers.HeardUpdate))
	}
	s.current, s.fromMS = n, s.ms()
}

func (s *clockStream) heard(kind providers.HeardKind) providers.Heard {
	h := providers.Heard{Kind: kind, Segment: s.segment, StartMS: s.ms(), EndMS: s.ms()}
	if len(s.words) > 0 {
		h.StartMS = s.words[0].StartMS
	}
	if kind == providers.HeardStart {
		h.EndMS = h.StartMS
		return h
	}
	var texts []string
	for _, w := range s.words {
		texts = append(texts, w.Text)
	}
	h.Text = strings.Join(texts, " ")
	h.Words = append([]providers.Word(nil), s.words...)
	if len(h.Words) > 0 {
		h.EndMS = h.Words[len(h.Words)-1].EndMS
	}
	if s.ear.final {
		h.Final = max(len(h.Words)-2, 0)
	}
	return h
}

// end ends the segment. A stream that jumbles keeps every second end until the next one.
func (s *clockStream) end() {
	if !s.begun {
		return
	}
	h := s.heard(providers.HeardEnd)
	s.segment, s.words, s.begun = s.segment+1, nil, false
	switch {
	case s.mistake.kind == jumble && s.held == nil:
		s.held = &h
	case s.held != nil:
		s.tell(h)
		s.tell(*s.held)
		s.held = nil
	default:
		s.tell(h)
	}
}

func (s *clockStream) tell(h providers.Heard) {
	if s.ear.delay > 0 {
		time.Sleep(s.ear.delay)
	}
	select {
	case s.events <- h:
	case <-s.closing:
	}
}
