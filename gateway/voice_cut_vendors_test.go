package gateway

import (
	"context"
	le "encoding/binary"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// The learner of the cut test says one sentence after the other: cutLoud frames of voice
// after cutQuiet frames of silence. Every frame is stamped with its number.
const (
	cutLoud, cutQuiet = 60, 190
	cutFrameMS        = 20
	cutFrameBytes     = 640
)

// stampedFrame is the audio of the frame with a number.
func stampedFrame(n uint32) []byte {
	pcm := make([]byte, cutFrameBytes)
	if n%(cutLoud+cutQuiet) >= cutQuiet {
		for i := 0; i < len(pcm); i += 2 {
			pcm[i+1] = byte(8 * (1 - i/2%2*2))
		}
	}
	le.LittleEndian.PutUint32(pcm, n)
	return pcm
}

// sentence is what the learner says in a round.
func sentence(round uint32) string { return fmt.Sprintf("esta es la frase %d", round) }

// stampedRecognizer understands the sentences by the stamps, and keeps the stamps.
type stampedRecognizer struct {
	mu      sync.Mutex
	stamps  []uint32
	streams int
}

func (r *stampedRecognizer) Name() string { return "stamped" }

func (r *stampedRecognizer) Listen(context.Context, providers.ListenOptions) (providers.RecognitionStream, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.streams++
	return &stampedHearing{of: r, events: make(chan providers.Heard, 256)}, nil
}

type stampedHearing struct {
	of      *stampedRecognizer
	events  chan providers.Heard
	frames  int
	began   int // frame of the stream
	segment int
}

// Send implements [providers.RecognitionStream]: words come in the middle of a sentence
// and when it has ended, and the end 200 ms later.
func (h *stampedHearing) Send(_ context.Context, pcm []byte) error {
	for ; len(pcm) >= cutFrameBytes; pcm = pcm[cutFrameBytes:] {
		n := le.LittleEndian.Uint32(pcm)
		h.of.mu.Lock()
		h.of.stamps = append(h.of.stamps, n)
		h.of.mu.Unlock()
		at, round := n%(cutLoud+cutQuiet), n/(cutLoud+cutQuiet)
		h.frames++
		say := func(kind providers.HeardKind, text string, end int) {
			from, to := h.began*cutFrameMS, end*cutFrameMS
			h.events <- providers.Heard{Kind: kind, Segment: h.segment, Text: text, StartMS: from, EndMS: to,
				Words: []providers.Word{{Text: text, StartMS: from, EndMS: to}}}
		}
		switch {
		case at == cutQuiet:
			h.began = h.frames - 1
		case at == cutQuiet+cutLoud/2:
			say(providers.HeardUpdate, "esta es la", h.frames)
		case at == cutQuiet+cutLoud-1:
			say(providers.HeardUpdate, sentence(round), h.frames)
		case at == 10 && round > 0:
			say(providers.HeardEnd, sentence(round-1), h.frames-10)
			h.segment++
		}
	}
	return nil
}

func (h *stampedHearing) Finalize(context.Context) error  { return nil }
func (h *stampedHearing) Flush(context.Context) error     { return nil }
func (h *stampedHearing) KeepAlive(context.Context) error { return nil }
func (h *stampedHearing) Events() <-chan providers.Heard  { return h.events }
func (h *stampedHearing) Err() error                      { return nil }
func (h *stampedHearing) Drain(context.Context) error     { return nil }
func (h *stampedHearing) Close() error                    { return nil }

// wordyTutor answers in two sentences, word by word.
type wordyTutor struct{}

func (wordyTutor) Name() string { return "wordy" }

func (wordyTutor) Reply(ctx context.Context, _ providers.Prompt) iter.Seq2[providers.Delta, error] {
	return func(yield func(providers.Delta, error) bool) {
		for word := range strings.SplitAfterSeq("Muy bien dicho, de verdad. ¿Y qué pasó después de eso?", " ") {
			select {
			case <-time.After(15 * time.Millisecond):
			case <-ctx.Done():
				yield(providers.Delta{}, context.Cause(ctx))
				return
			}
			if !yield(providers.Delta{Text: word}, nil) {
				return
			}
		}
		yield(providers.Delta{Done: true, Model: "wordy/1"}, nil)
	}
}

// plainVoice speaks 50 ms a character.
type plainVoice struct{}

func (plainVoice) Name() string { return "plain" }
func (plainVoice) Open(_ context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	return plainLine{opt.SampleRate}, nil
}

type plainLine struct{ rate int }

func (l plainLine) Say(context.Context) (providers.Utterance, error) {
	return &plainUtterance{rate: l.rate, chunks: make(chan providers.Chunk, 64), stop: make(chan struct{})}, nil
}
func (plainLine) Alive() bool  { return true }
func (plainLine) Close() error { return nil }

type plainUtterance struct {
	rate, atMS int
	chunks     chan providers.Chunk
	once       sync.Once
	stop       chan struct{}
}

func (u *plainUtterance) Write(_ context.Context, text string, _ bool) error {
	var c providers.Chunk
	for _, r := range text {
		c.Marks = append(c.Marks, providers.CharMark{Char: string(r), StartMS: u.atMS, EndMS: u.atMS + 50})
		u.atMS += 50
		c.PCM = append(c.PCM, make([]byte, u.rate/20*2)...)
	}
	u.chunks <- c
	return nil
}
func (u *plainUtterance) End(context.Context) error { close(u.chunks); return nil }
func (u *plainUtterance) Next(ctx context.Context) (providers.Chunk, error) {
	select {
	case c, ok := <-u.chunks:
		if !ok {
			return c, io.EOF
		}
		return c, nil
	case <-u.stop:
		return providers.Chunk{}, providers.ErrCancelled
	case <-ctx.Done():
		return providers.Chunk{}, context.Cause(ctx)
	}
}
func (u *plainUtterance) Cancel() { u.once.Do(func() { close(u.stop) }) }

// cutJournal keeps messages in memory.
type cutJournal struct {
	mu       sync.Mutex
	messages []learn.Message
}

func (j *cutJournal) AppendMessage(_ context.Context, _ int64, m learn.Message) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.messages = append(j.messages, m)
	return nil
}
func (*cutJournal) EditTranscript(context.Context, int64, learn.TranscriptEdit) error { return nil }
func (*cutJournal) EndConversation(context.Context, int64, learn.Conversation) error  { return nil }
func (*cutJournal) KeepHabits(context.Context, string, string, string, learn.TurnHabits) error {
	return nil
}
