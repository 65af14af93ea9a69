package session

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// pacedVoice is a voice with a speed of its own: it speaks what it was given piece by
// piece, the first sound of each after a while.
type pacedVoice struct {
	charMS    int
	firstByte time.Duration
	realTime  float64 // how much faster than it sounds it is made; 0 is at once
	plain     bool    // there are no marks
	// idle is how often it sends a message without audio while it waits for text; 0 never
	idle time.Duration

	mu    sync.Mutex
	given []string // pieces
	gaps  time.Duration
	last  time.Time // of a write
}

func (v *pacedVoice) Name() string { return "paced" }
func (v *pacedVoice) Open(_ context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	return &pacedLine{v, opt.SampleRate}, nil
}

// characters is how much the voice was given.
func (v *pacedVoice) characters() (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len([]rune(strings.Join(v.given, "")))
}

type pacedLine struct {
	*pacedVoice
	rate int
}

func (l *pacedLine) Alive() bool  { return true }
func (l *pacedLine) Close() error { return nil }
func (l *pacedLine) Say(context.Context) (providers.Utterance, error) {
	return &pacedUtterance{pacedLine: l, texts: make(chan string, 100), stop: make(chan struct{})}, nil
}

type pacedUtterance struct {
	*pacedLine
	texts chan string
	once  sync.Once
	stop  chan struct{}

	// owned by Next
	rest []rune
	atMS int
}

func (u *pacedUtterance) Write(_ context.Context, text string, _ bool) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.last.IsZero() {
		u.gaps = max(u.gaps, time.Since(u.last))
	}
	u.last, u.given = time.Now(), append(u.given, text)
	u.texts <- text
	return nil
}

func (u *pacedUtterance) End(context.Context) error { close(u.texts); return nil }
func (u *pacedUtterance) Cancel()                   { u.once.Do(func() { close(u.stop) }) }

// Next speaks four characters.
func (u *pacedUtterance) Next(ctx context.Context) (c providers.Chunk, err error) {
	wait := time.Duration(0)
	if len(u.rest) == 0 {
		var idle <-chan time.Time
		if u.idle > 0 {
			idle = time.After(u.idle)
		}
		select {
		case <-idle:
			return c, nil
		case text, ok := <-u.texts:
			if !ok {
				return c, io.EOF
			}
			u.rest, wait = []rune(text), u.firstByte
		case <-u.stop:
			return c, providers.ErrCancelled
		case <-ctx.Done():
			return c, context.Cause(ctx)
		}
	}
	n := min(4, len(u.rest))
	for _, r := range u.rest[:n] {
		if !u.plain {
			c.Marks = append(c.Marks, providers.CharMark{Char: string(r), StartMS: u.atMS, EndMS: u.atMS + u.charMS})
		}
		u.atMS += u.charMS
	}
	u.rest = u.rest[n:]
	c.PCM = make([]byte, u.rate*n*u.charMS/1000*2)
	if u.realTime > 0 {
		wait += time.Duration(float64(n*u.charMS)/u.realTime) * time.Millisecond
	}
	select {
	case <-time.After(wait):
		return c, nil
	case <-u.stop:
		return c, providers.ErrCancelled
	case <-ctx.Done():
		return c, context.Cause(ctx)
	}
}

// dryFor is the longest that the client's player stood still within an answer.
func (k *talk) dryFor() (most time.Duration) {
	var began time.Time
	var sent time.Duration
	for _, w := range k.conn.all() {
		if len(w.frame.Audio) == 0 {
			continue
		}
		if began.IsZero() {
			began = w.at
		}
		if late := w.at.Sub(began) - sent; late > 0 {
			most = max(most, late)
			began = began.Add(late)
		}
		sent += time.Duration(len(w.frame.Audio)/2) * time.Second / 24000
	}
	return most
}

// tenSentences are of about three seconds each.
var tenSentences = strings.Repeat("Esta es una frase que dura unos tres segundos al hablar. ", 10)

// voices are slow and fast ones, with marks and without.
func voices() map[string]*pacedVoice {
	return map[string]*pacedVoice{
		"as vendors are":              {charMS: 60, firstByte: 150 * time.Millisecond, realTime: 8},
		"at once":                     {charMS: 60},
		"no faster than it sounds":    {charMS: 60, firstByte: 100 * time.Millisecond, realTime: 1.15},
		"begins late":                 {charMS: 60, firstByte: 900 * time.Millisecond, realTime: 8},
		"speaks fast":                 {charMS: 30, firstByte: 300 * time.Millisecond, realTime: 8},
		"speaks slowly":               {charMS: 110, firstByte: 300 * time.Millisecond, realTime: 8},
		"no marks":                    {charMS: 60, firstByte: 150 * time.Millisecond, realTime: 8, plain: true},
		"no marks, speaks fast":       {charMS: 30, firstByte: 300 * time.Millisecond, realTime: 8, plain: true},
		"no marks, speaks slowly":     {charMS: 110, firstByte: 300 * time.Millisecond, realTime: 8, plain: true},
		"no marks, begins late":       {charMS: 60, firstByte: 700 * time.Millisecond, realTime: 8, plain: true},
		"no marks, sends empty ones":  {charMS: 60, firstByte: 150 * time.Millisecond, realTime: 8, plain: true, idle: 500 * time.Millisecond},
		"no marks, no faster than it": {charMS: 60, firstByte: 100 * time.Millisecond, realTime: 1.15, plain: true},
	}
}

// Whoever stops the tutor after two seconds has not paid for the whole answer; who hears
// it out hears it whole and without a gap.
func TestWaterMarks(t *testing.T) {
	for name, v := range voices() {
		t.Run(name+", interrupted", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.host.Voice = &pacedVoice{charMS: v.charMS, firstByte: v.firstByte, realTime: v.realTime, plain: v.plain, idle: v.idle}
				k.tutor.replies = []string{tenSentences}
				k.start()
				k.until("it speaks", func() bool { return k.dryFor() > 0 || len(eventsOf[CaptionDelta](k.conn)) > 0 })
				k.mic(2000, false)
				k.send(CancelResponse{ResponseID: eventsOf[ResponseCreated](k.conn)[0].Response.ID})
				k.mic(2000, false)
				k.finish()
				const sent = 2*time.Second + 1500*time.Millisecond // heard, and the player's lead
				most := int((sent+highWater).Milliseconds())/min(v.charMS, paceMS) + len("Esta es una frase que dura unos tres segundos al hablar. ")
				if got := k.host.Voice.(*pacedVoice).characters(); got > most || got < 60 {
					t.Errorf("the voice was given %d characters of %d, want at most %d", got, len(tenSentences), most)
				}
			})
		})
		t.Run(name+", heard out", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.host.Voice = v
				k.tutor.replies = []string{tenSentences}
				k.start()
				k.mic(90_000, false)
				k.finish()
				if got := k.captions(); got != tenSentences || v.characters() != len(tenSentences) {
					t.Errorf("the answer is %q", got)
				}
				if dry := k.dryFor(); dry > 20*time.Millisecond {
					t.Errorf("the player stood still for %v", dry)
				}
				if v.gaps >= 20*time.Second { // ElevenLabs' patience, unless it is told otherwise
					t.Errorf("the voice was not spoken to for %v", v.gaps)
				}
			})
		})
	}
}
