package simulation

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// Vendors whose audio can be read: every sample of the voice is a stamp of the character
// being spoken, every sample of a microphone that of the word being said.

const (
	micRate   = 8000
	voiceRate = 16000
	charMS    = 50
	frameMS   = 100  // of the microphone
	wordMS    = 100  // of speech: a frame, so that no word is cut in two
	loud      = 2048 // the level of the learner's first word
)

// wordAt is the nth word that a learner says: no two are alike.
func wordAt(n int) string {
	const syllables = "ba be bi bo bu da de di do du la le li lo lu ma me mi mo mu"
	s := strings.Fields(syllables)
	return "palabra" + s[n%20] + s[n/20%20] + s[n/400%20]
}

func words(m learn.Message) int {
	if len(m.Words) > 0 {
		return len(m.Words)
	}
	return len(strings.Fields(m.Content))
}

// vendors fail by the world's chance.
type vendors struct{ world *world }

func (vendors) Name() string { return "simulated" }

func unavailable(op string) error {
	return &providers.Error{Kind: providers.Unavailable, Vendor: "simulated", Op: op}
}

// Reply implements [providers.Tutor]: what it answers follows from what the learner said
// last, so that whoever asks again gets the same; of a reply that has begun, the rest.
func (v vendors) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	fails, breaks := v.world.chance(v.world.odds.model), v.world.chance(v.world.odds.model)
	seed := fnv.New64a()
	for _, l := range p.Lines {
		if l.Role == providers.RoleLearner {
			seed.Reset()
			_, _ = io.WriteString(seed, l.Text)
		}
	}
	text := answer(seed.Sum64())
	if rest, ok := strings.CutPrefix(text, strings.TrimSpace(p.Said)); ok {
		text = strings.TrimSpace(rest)
	}
	return func(yield func(providers.Delta, error) bool) {
		if fails {
			yield(providers.Delta{}, unavailable("reply"))
			return
		}
		for i, word := range strings.SplitAfter(text, " ") {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				yield(providers.Delta{}, context.Cause(ctx))
				return
			}
			if breaks && i == 5 {
				yield(providers.Delta{}, unavailable("reply"))
				return
			}
			if !yield(providers.Delta{Text: word}, nil) {
				return
			}
		}
		yield(providers.Delta{Done: true, Model: "simulated/1", Usage: providers.Usage{OutputTokens: 9}}, nil)
	}
}

// answer makes one to four sentences.
func answer(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	syllables := strings.Fields("ca ce ci co cu pa pe pi po pu ra re ri ro ru ta te ti to tu")
	var b strings.Builder
	for range 1 + r.IntN(4) {
		for i := range 3 + r.IntN(5) {
			if i > 0 {
				b.WriteByte(' ')
			}
			w := ""
			for range 2 + r.IntN(2) {
				w += syllables[r.IntN(len(syllables))]
			}
			if i == 0 {
				w = strings.ToUpper(w[:1]) + w[1:]
			}
			b.WriteString(w)
		}
		b.WriteString([]string{". ", "? "}[r.IntN(2)])
	}
	return strings.TrimSpace(b.String())
}

// Listen implements [providers.Recognizer]. What is said while nobody listens is kept by
// the session, and heard when somebody does.
func (v vendors) Listen(ctx context.Context, _ providers.ListenOptions) (providers.RecognitionStream, error) {
	refuses, takes := v.world.deafness()
	if !rest(ctx, takes) {
		return nil, context.Cause(ctx)
	}
	if refuses {
		return nil, unavailable("listen")
	}
	return &hearing{last: -1, events: make(chan providers.Heard, 256), closed: make(chan struct{})}, nil
}

// hearing hears the words whose stamps are in the microphone's audio, and ends a segment
// after half a second of silence.
type hearing struct {
	events                            chan providers.Heard
	closed                            chan struct{}
	once                              sync.Once
	said                              []string
	last, quietMS, ms, endMS, segment int
}

func (h *hearing) Send(ctx context.Context, pcm []byte) error {
	for len(pcm) > 0 { // frames may have been joined
		n := min(len(pcm), micRate*frameMS/1000*2)
		if err := h.hear(ctx, pcm[:n]); err != nil {
			return err
		}
		pcm = pcm[n:]
	}
	return nil
}

func (h *hearing) hear(ctx context.Context, pcm []byte) error {
	h.ms += len(pcm) / 2 * 1000 / micRate
	level := int(int16(binary.LittleEndian.Uint16(pcm)))
	if level < loud {
		if h.quietMS += frameMS; h.quietMS >= 500 && len(h.said) > 0 {
			text := strings.Join(h.said, " ")
			h.said, h.last = nil, -1
			h.segment++
			return h.tell(ctx, providers.Heard{Kind: providers.HeardEnd, Segment: h.segment - 1, Text: text, EndMS: h.endMS})
		}
		return nil
	}
	h.quietMS, h.endMS = 0, h.ms
	if n := level - loud; n != h.last {
		h.last, h.said = n, append(h.said, wordAt(n))
		return h.tell(ctx, providers.Heard{Kind: providers.HeardUpdate, Segment: h.segment, Text: strings.Join(h.said, " "), EndMS: h.ms})
	}
	return nil
}

func (h *hearing) tell(ctx context.Context, ev providers.Heard) error {
	select {
	case h.events <- ev:
		return nil
	case <-h.closed:
		return unavailable("send")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
func (h *hearing) Flush(context.Context) error     { return nil }
func (h *hearing) Finalize(context.Context) error  { return nil }
func (h *hearing) KeepAlive(context.Context) error { return nil }
func (h *hearing) Events() <-chan providers.Heard  { return h.events }
func (h *hearing) Err() error                      { return nil }
func (h *hearing) Drain(context.Context) error     { return h.Close() }
func (h *hearing) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Open implements [providers.Voice].
func (v vendors) Open(context.Context, providers.SpeakOptions) (providers.VoiceStream, error) {
	if v.world.chance(v.world.odds.voice) {
		return nil, unavailable("open")
	}
	return v, nil
}
func (v vendors) Say(context.Context) (providers.Utterance, error) {
	return &utterance{chunks: make(chan providers.Chunk, 64), over: make(chan struct{})}, nil
}
func (vendors) Alive() bool  { return true }
func (vendors) Close() error { return nil }

// utterance speaks charMS a character.
type utterance struct {
	chars  int
	chunks chan providers.Chunk
	once   sync.Once
	over   chan struct{}
}

func (u *utterance) Write(ctx context.Context, text string, _ bool) error {
	select {
	case <-time.After(30 * time.Millisecond):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	var c providers.Chunk
	for _, r := range text {
		at := u.chars * charMS
		c.Marks = append(c.Marks, providers.CharMark{Char: string(r), StartMS: at, EndMS: at + charMS})
		stamp := uint16(r)&0x3fff | uint16(u.chars%2)<<14 // the same letter twice is two letters
		for range voiceRate * charMS / 1000 {
			c.PCM = binary.LittleEndian.AppendUint16(c.PCM, stamp)
		}
		u.chars++
	}
	select {
	case u.chunks <- c:
		return nil
	case <-u.over:
		return providers.ErrCancelled
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
func (u *utterance) End(context.Context) error { close(u.chunks); return nil }
func (u *utterance) Next(ctx context.Context) (providers.Chunk, error) {
	select {
	case c, ok := <-u.chunks:
		if !ok {
			return c, io.EOF
		}
		return c, nil
	case <-u.over:
		return providers.Chunk{}, providers.ErrCancelled
	case <-ctx.Done():
		return providers.Chunk{}, context.Cause(ctx)
	}
}
func (u *utterance) Cancel() { u.once.Do(func() { close(u.over) }) }

// spoken is the text whose audio pcm is: characters that sound for at least 40 ms. Where a
// reply was taken up again there is no silence between two sentences.
func spoken(pcm []byte) string {
	var b strings.Builder
	for i := 0; i+1 < len(pcm); {
		stamp, n := binary.LittleEndian.Uint16(pcm[i:]), 0
		for ; i+1 < len(pcm) && binary.LittleEndian.Uint16(pcm[i:]) == stamp; i += 2 {
			n++
		}
		// Clips that fill a silence are real sound: what stands still in them is quiet.
		if r := rune(stamp & 0x3fff); n >= voiceRate*40/1000 && ' ' <= r && r < 0x2000 {
			b.WriteRune(r)
			if strings.ContainsRune(".?!", r) {
				b.WriteByte(' ')
			}
		}
	}
	return b.String()
}
