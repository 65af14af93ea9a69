package failover_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"kalami/providers"
	"kalami/providers/failover"
)

const (
	speakerRate = 16000
	charSamples = 320 // of each character: 20 ms
)

// speaker is a voice whose every character is 20 ms of samples that hold its code, in
// frames of a few characters. It fails at frame at, in the way of trouble.
type speaker struct {
	name    string
	plain   bool // it gives no alignment, but says where pieces end
	trouble string
	at      int // frames that are spoken well before
	times   int // how often it fails; 0 is once
	frame   int // characters of a chunk; 0 is 3

	mu   sync.Mutex
	said []string // what it was given, by utterance
}

func (s *speaker) Name() string { return s.name }

func (s *speaker) Open(context.Context, providers.SpeakOptions) (providers.VoiceStream, error) {
	if s.trouble == "refuses" {
		return nil, &providers.Error{Kind: providers.Unavailable, Vendor: s.name, Op: "open"}
	}
	return &speakerLine{s}, nil
}

type speakerLine struct{ voice *speaker }

func (l *speakerLine) Alive() bool  { return true }
func (l *speakerLine) Close() error { return nil }
func (l *speakerLine) Say(context.Context) (providers.Utterance, error) {
	s := l.voice
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, "")
	u := &speakerUtterance{voice: s, n: len(s.said) - 1, chunks: make(chan providers.Chunk, 1000), stop: make(chan struct{})}
	if len(s.said) <= max(1, s.times) {
		u.trouble = s.trouble
	}
	return u, nil
}

type speakerUtterance struct {
	voice   *speaker
	n       int
	trouble string
	chars   int
	bytes   int
	given   int
	chunks  chan providers.Chunk
	once    sync.Once
	stop    chan struct{}
}

func (u *speakerUtterance) Write(_ context.Context, text string, _ bool) error {
	u.voice.mu.Lock()
	u.voice.said[u.n] += text
	u.voice.mu.Unlock()
	runes := []rune(text)
	u.bytes += len(text)
	frame := cmp.Or(u.voice.frame, 3)
	for from := 0; from < len(runes); from += frame {
		var c providers.Chunk
		for _, r := range runes[from:min(from+frame, len(runes))] {
			for range charSamples {
				c.PCM = binary.LittleEndian.AppendUint16(c.PCM, uint16(r))
			}
			if !u.voice.plain {
				c.Marks = append(c.Marks, providers.CharMark{Char: string(r), StartMS: 20 * u.chars, EndMS: 20 * (u.chars + 1)})
			}
			u.chars++
		}
		u.chunks <- c
	}
	if u.voice.plain {
		u.chunks <- providers.Chunk{Spoken: u.bytes}
	}
	return nil
}

func (u *speakerUtterance) End(context.Context) error {
	close(u.chunks)
	return nil
}

func (u *speakerUtterance) Next(ctx context.Context) (providers.Chunk, error) {
	if u.trouble != "" && u.given >= u.voice.at {
		switch u.trouble {
		case "cut":
			return providers.Chunk{}, &providers.Error{Kind: providers.Unavailable, Vendor: u.voice.name, Op: "speak"}
		case "ends":
			return providers.Chunk{}, io.EOF
		case "stalls":
			select {
			case <-u.stop:
				return providers.Chunk{}, providers.ErrCancelled
			case <-ctx.Done():
				return providers.Chunk{}, context.Cause(ctx)
			}
		}
	}
	select {
	case c, ok := <-u.chunks:
		if !ok {
			return c, io.EOF
		}
		u.given++
		return c, nil
	case <-u.stop:
		return providers.Chunk{}, providers.ErrCancelled
	case <-ctx.Done():
		return providers.Chunk{}, context.Cause(ctx)
	}
}

func (u *speakerUtterance) Cancel() { u.once.Do(func() { close(u.stop) }) }

// recital is what a listener has of an utterance.
type recital struct {
	pcm     []byte
	marks   []providers.CharMark
	vendors []string // in the order in which they spoke
	err     error
}

// text is what the samples say, from the ms-th millisecond on.
func (r *recital) text() string {
	var b strings.Builder
	for at := 0; at+2*charSamples <= len(r.pcm); at += 2 * charSamples {
		b.WriteRune(rune(binary.LittleEndian.Uint16(r.pcm[at:])))
	}
	return b.String()
}

// letters is text without what is not spoken.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text)
}

// recite has clauses spoken, by one goroutine that writes and this one, which listens.
func recite(t *testing.T, v providers.Voice, clauses ...string) *recital {
	t.Helper()
	line, err := v.Open(t.Context(), providers.SpeakOptions{Language: "es", SampleRate: speakerRate})
	if err != nil {
		return &recital{err: err}
	}
	defer line.Close()
	u, err := line.Say(t.Context())
	if err != nil {
		return &recital{err: err}
	}
	defer u.Cancel()
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() {
		for _, c := range clauses {
			if u.Write(t.Context(), c, true) != nil {
				return
			}
		}
		_ = u.End(t.Context()) // Next says it, too
	})
	r := &recital{}
	for {
		c, err := u.Next(t.Context())
		if err != nil {
			r.err = err
			return r
		}
		r.pcm = append(r.pcm, c.PCM...)
		r.marks = append(r.marks, c.Marks...)
		if n := len(r.vendors); n == 0 || r.vendors[n-1] != c.Vendor {
			r.vendors = append(r.vendors, c.Vendor)
		}
	}
}

var clauses = []string{"Uno es pescado fresco. ", "Dos es pollo asado, con patatas. ", "Tres, una sopa. ", "¿Te gusta el 4?"}

// frames is how many chunks a speaker makes of the clauses.
func frames(plain bool) (n int) {
	for _, c := range clauses {
		if n += (len([]rune(c)) + 2) / 3; plain {
			n++
		}
	}
	return n
}

// A voice that fails at any frame, in any way, is followed by another, which goes on from
// the first word that was not heard whole: no letter is missing and none comes twice.
func TestSpeechSurvivesItsVoice(t *testing.T) {
	text := strings.Join(clauses, "")
	for _, trouble := range []string{"cut", "ends", "stalls"} {
		for _, second := range []bool{false, true} { // whether the other one is plain
			for at := range frames(false) + 1 {
				t.Run(fmt.Sprintf("%s at %d plain %v", trouble, at, second), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						a, b := &speaker{name: "a", trouble: trouble, at: at}, &speaker{name: "b", plain: second}
						v := failover.NewVoice(failover.Options{}, a, b)
						defer v.Close()
						r := recite(t, v, clauses...)
						if got := letters(r.text()); got != letters(text) || !errors.Is(r.err, io.EOF) {
							t.Errorf("heard %q, %v", r.text(), r.err)
						}
						if len(r.vendors) > 1 || !second { // a plain voice alone gives no marks
							r.checkMarks(t, text)
						}
					})
				})
			}
		}
	}
}

// checkMarks checks that the marks spell the text, in order, each where it sounds.
func (r *recital) checkMarks(t *testing.T, text string) {
	t.Helper()
	var spelled strings.Builder
	last := 0
	for _, m := range r.marks {
		spelled.WriteString(m.Char)
		if m.StartMS < last || m.EndMS*speakerRate/1000*2 > len(r.pcm) {
			t.Errorf("%q at %d to %d ms, after %d, of %d", m.Char, m.StartMS, m.EndMS, last, len(r.pcm)*1000/2/speakerRate)
			return
		}
		last = m.StartMS
		if c := []rune(m.Char)[0]; unicode.IsLetter(c) {
			if got := binary.LittleEndian.Uint16(r.pcm[(m.StartMS+m.EndMS)/2*speakerRate/1000*2:]); rune(got) != c {
				t.Errorf("%q at %d ms, where %q sounds", m.Char, m.StartMS, rune(got))
				return
			}
		}
	}
	if letters(spelled.String()) != letters(text) {
		t.Errorf("the marks spell %q", spelled.String())
	}
}

// A voice without an alignment goes on by pieces: only the first can begin again, since
// the learner is not kept waiting for all of it.
func TestPlainSpeechSurvivesItsVoice(t *testing.T) {
	text := letters(strings.Join(clauses, ""))
	first := letters(clauses[0])
	for _, trouble := range []string{"cut", "ends", "stalls"} {
		for at := range frames(true) + 1 {
			t.Run(fmt.Sprintf("%s at %d", trouble, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a, b := &speaker{name: "a", plain: true, trouble: trouble, at: at}, &speaker{name: "b"}
					v := failover.NewVoice(failover.Options{}, a, b)
					defer v.Close()
					r := recite(t, v, clauses...)
					got := letters(r.text())
					begun, ok := strings.CutSuffix(got, text)
					if !ok || !strings.HasPrefix(first, begun) || !errors.Is(r.err, io.EOF) {
						t.Errorf("heard %q, %v", r.text(), r.err)
					}
					if at > frames(true)/3 && begun != "" {
						t.Errorf("%q was said twice", begun)
					}
				})
			})
		}
	}
}

// The only voice there is goes on with its own utterance, once, wherever it fails: from the
// first word that was not heard whole, or by pieces if it gives no alignment.
func TestSpeechSurvivesTheOnlyVoice(t *testing.T) {
	text, first := letters(strings.Join(clauses, "")), letters(clauses[0])
	for _, plain := range []bool{false, true} {
		for _, trouble := range []string{"cut", "ends", "stalls"} {
			for at := range frames(plain) {
				t.Run(fmt.Sprintf("%s at %d plain %v", trouble, at, plain), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						v := failover.NewVoice(failover.Options{}, &speaker{name: "a", plain: plain, trouble: trouble, at: at})
						defer v.Close()
						r := recite(t, v, clauses...)
						begun, ok := strings.CutSuffix(letters(r.text()), text)
						if !errors.Is(r.err, io.EOF) || !ok || begun != "" && (!plain || !strings.HasPrefix(first, begun)) {
							t.Errorf("heard %q, %v", r.text(), r.err)
						}
						if !plain {
							r.checkMarks(t, strings.Join(clauses, ""))
						}
					})
				})
			}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		a := &speaker{name: "a", trouble: "cut", at: 5, times: 9}
		v := failover.NewVoice(failover.Options{}, a)
		defer v.Close()
		if r := recite(t, v, clauses...); providers.KindOf(r.err) != providers.Unavailable || len(a.said) != 2 {
			t.Errorf("asked %d times, ended with %v", len(a.said), r.err)
		}
	})
}

// All voices dead: the failure is told, and that is soon.
func TestSpeechEndsWithItsLastVoice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := failover.NewVoice(failover.Options{}, &speaker{name: "a", trouble: "cut", at: 3, times: 9}, &speaker{name: "b", trouble: "cut", at: 3, times: 9})
		defer v.Close()
		if r := recite(t, v, clauses...); providers.KindOf(r.err) != providers.Unavailable {
			t.Errorf("ended with %v", r.err)
		}
		v2 := failover.NewVoice(failover.Options{}, &speaker{name: "a", trouble: "refuses"}, &speaker{name: "b", trouble: "refuses"})
		defer v2.Close()
		if r := recite(t, v2, clauses...); providers.KindOf(r.err) != providers.Unavailable {
			t.Errorf("opened with %v", r.err)
		}
	})
}

// A vendor that cannot be opened is passed over, and who speaks is told.
func TestSpeechTellsWhoSpeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := failover.NewVoice(failover.Options{}, &speaker{name: "a", trouble: "refuses"}, &speaker{name: "b"})
		defer v.Close()
		began := time.Now()
		if r := recite(t, v, clauses...); !errors.Is(r.err, io.EOF) || fmt.Sprint(r.vendors) != "[b]" || time.Since(began) > time.Second {
			t.Errorf("%v spoke, %v, after %v", r.vendors, r.err, time.Since(began))
		}
	})
}
