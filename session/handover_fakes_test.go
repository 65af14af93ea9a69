package session

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// Vendors whose audio can be read: every sample of a voice is a stamp of the character
// being spoken, every sample of a microphone that of the word being said. Whoever plays
// or hears a piece of it, on whatever node, knows what it was.

const (
	stampCharMS = 50
	stampLoud   = 2048 // the loudness of a microphone's words
	stampWordMS = 240
)

// stampVoice speaks at stampCharMS a character, and gives marks.
type stampVoice struct{}

func (stampVoice) Name() string { return "stamp" }
func (stampVoice) Open(_ context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	return stampStream{opt.SampleRate}, nil
}

type stampStream struct{ rate int }

func (s stampStream) Say(context.Context) (providers.Utterance, error) {
	return &stampUtterance{rate: s.rate, chunks: make(chan providers.Chunk, 64), over: make(chan struct{})}, nil
}
func (stampStream) Alive() bool  { return true }
func (stampStream) Close() error { return nil }

type stampUtterance struct {
	rate, chars int
	chunks      chan providers.Chunk
	once        sync.Once
	over        chan struct{}
}

func (u *stampUtterance) Write(ctx context.Context, text string, _ bool) error {
	time.Sleep(30 * time.Millisecond)
	var c providers.Chunk
	for _, r := range text {
		at := u.chars * stampCharMS
		c.Marks = append(c.Marks, providers.CharMark{Char: string(r), StartMS: at, EndMS: at + stampCharMS})
		stamp := uint16(r)&0x3fff | uint16(u.chars%2)<<14 // the same letter twice is two letters
		for range u.rate * stampCharMS / 1000 {
			c.PCM = binary.LittleEndian.AppendUint16(c.PCM, stamp)
		}
		u.chars++
	}
	select {
	case u.chunks <- c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
func (u *stampUtterance) End(context.Context) error { close(u.chunks); return nil }
func (u *stampUtterance) Next(ctx context.Context) (providers.Chunk, error) {
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
func (u *stampUtterance) Cancel() { u.once.Do(func() { close(u.over) }) }

// stampsIn is the text whose audio pcm is: characters but for their last 20 ms, which nobody misses.
func stampsIn(pcm []byte) string {
	var b strings.Builder
	least := speakerRate * (stampCharMS - 20) / 1000
	for i := 0; i+1 < len(pcm); {
		stamp, n := binary.LittleEndian.Uint16(pcm[i:]), 0
		for ; i+1 < len(pcm) && binary.LittleEndian.Uint16(pcm[i:]) == stamp; i += 2 {
			n++
		}
		if n >= least {
			b.WriteRune(rune(stamp & 0x3fff))
		}
	}
	return b.String()
}

// stampTutor says the reply of its script that belongs to the learner's last line, one
// word each 20 ms; of one that has begun, the rest.
type stampTutor struct {
	t      *testing.T
	script []string // by the number of the learner's lines

	mu    sync.Mutex
	calls int
}

func (t *stampTutor) Name() string { return "stamp" }
func (t *stampTutor) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	t.mu.Lock()
	t.calls++
	t.mu.Unlock()
	n := 0
	for _, l := range p.Lines {
		if l.Role == providers.RoleLearner {
			n++
		}
	}
	text, ok := strings.CutPrefix(t.script[min(n, len(t.script)-1)], strings.TrimSpace(p.Said))
	if !ok {
		t.t.Errorf("the tutor is told that it has said %q", p.Said)
	}
	return func(yield func(providers.Delta, error) bool) {
		for word := range strings.SplitAfterSeq(strings.TrimSpace(text), " ") {
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
		yield(providers.Delta{Done: true, Model: "stamp/1", Usage: providers.Usage{OutputTokens: n}}, nil)
	}
}

// stampRecognizer hears the words whose stamps are in the microphone's audio, and ends a
// segment after half a second of silence.
type stampRecognizer struct{ words []string }

func (r *stampRecognizer) Name() string { return "stamp" }
func (r *stampRecognizer) Listen(context.Context, providers.ListenOptions) (providers.RecognitionStream, error) {
	return &stampHearing{words: r.words, last: -1, events: make(chan providers.Heard, 64)}, nil
}

type stampHearing struct {
	words   []string
	events  chan providers.Heard
	said    []string
	last    int // the word heard last
	quiet   int // milliseconds
	ms      int
	endMS   int
	segment int
}

func (h *stampHearing) Send(_ context.Context, pcm []byte) error {
	h.ms += len(pcm) / 32
	level := int(int16(binary.LittleEndian.Uint16(pcm)))
	if level < stampLoud {
		if h.quiet += len(pcm) / 32; h.quiet >= 500 && len(h.said) > 0 {
			h.events <- providers.Heard{Kind: providers.HeardEnd, Segment: h.segment, Text: strings.Join(h.said, " "), EndMS: h.endMS}
			h.said, h.last = nil, -1
			h.segment++
		}
		return nil
	}
	h.quiet, h.endMS = 0, h.ms
	if n := level - stampLoud; n != h.last {
		h.last, h.said = n, append(h.said, h.words[n])
		h.events <- providers.Heard{Kind: providers.HeardUpdate, Segment: h.segment, Text: strings.Join(h.said, " "), EndMS: h.ms}
	}
	return nil
}
func (h *stampHearing) Flush(context.Context) error     { return nil }
func (h *stampHearing) Finalize(context.Context) error  { return nil }
func (h *stampHearing) KeepAlive(context.Context) error { return nil }
func (h *stampHearing) Events() <-chan providers.Heard  { return h.events }
func (h *stampHearing) Err() error                      { return nil }
func (h *stampHearing) Drain(context.Context) error     { return nil }
func (h *stampHearing) Close() error                    { return nil }

// ledger is the store that all nodes share.
type ledger struct {
	mu       sync.Mutex
	epoch    int64
	messages []learn.Message
	totals   learn.Totals
}

// takeOver raises the epoch and returns all that is stored.
func (l *ledger) takeOver() (learn.Conversation, []learn.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch++
	return learn.Conversation{ID: "c1", TenantID: learn.PersonalTenant, Epoch: l.epoch, NextSeq: len(l.messages) + 1, Totals: l.totals},
		slices.Clone(l.messages)
}

// ledgerOf is the store as one node has it, until the node is dead.
type ledgerOf struct {
	*ledger
	node *lostNode
}

func (l ledgerOf) AppendMessage(_ context.Context, epoch int64, m learn.Message) error {
	if l.node.isDead() {
		return learn.ErrFenced
	}
	time.Sleep(4 * time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	if epoch != l.epoch {
		return learn.ErrFenced
	}
	if slices.ContainsFunc(l.messages, func(have learn.Message) bool { return have.UtteranceID == m.UtteranceID }) {
		return nil
	}
	l.messages = append(l.messages, m)
	if m.Speaker == learn.SpeakerLearner {
		l.totals.Turns++
	}
	return nil
}
func (ledgerOf) EditTranscript(context.Context, int64, learn.TranscriptEdit) error { return nil }
func (ledgerOf) EndConversation(context.Context, int64, learn.Conversation) error  { return nil }
func (ledgerOf) KeepHabits(context.Context, string, string, string, learn.TurnHabits) error {
	return nil
}

var _ Line = (*lostNode)(nil)

// lostNode is a session's line on a node that dies in the middle of it: from then on
// nothing that it does has an effect.
type lostNode struct {
	inputs chan Input
	over   chan struct{}
	once   sync.Once
	client *returner

	mu     sync.Mutex
	dead   bool
	writes int
	dieAt  int // before which write; 0 for never
	seq    uint64
	states []keptState
}

// keptState is a state as it is kept elsewhere, after the event seq.
type keptState struct {
	seq  uint64
	data []byte
}

func (n *lostNode) isDead() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dead
}

// isOver says whether the client's socket is closed.
func (n *lostNode) isOver() bool {
	select {
	case <-n.over:
		return true
	default:
		return n.isDead()
	}
}

func (n *lostNode) die() {
	n.mu.Lock()
	n.dead = true
	n.mu.Unlock()
	n.Abort()
}

// writes one thing to the client, unless the node is dead or dies.
func (n *lostNode) write(to func()) {
	n.mu.Lock()
	if n.writes++; n.writes == n.dieAt {
		n.dead = true
	}
	dead := n.dead
	n.mu.Unlock()
	if dead {
		n.Abort()
		return
	}
	to()
}

func (n *lostNode) WriteEvent(_ Head, ev Event) error {
	n.write(func() {
		n.mu.Lock()
		n.seq++ // the line's own number
		seq := n.seq
		n.mu.Unlock()
		n.client.event(seq, ev)
	})
	return nil
}

func (n *lostNode) WriteAudio(f Frame) error {
	n.write(func() { n.client.frame(f) })
	return nil
}

func (n *lostNode) Keep(h Handover) {
	data, err := json.Marshal(h)
	if err != nil {
		panic(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.dead {
		n.states = append(n.states, keptState{n.seq, data})
	}
}

func (n *lostNode) Read(in *Input) error {
	select {
	case *in = <-n.inputs:
		return nil
	case <-n.over:
		return &End{Reason: EndGone}
	}
}
func (n *lostNode) Drop(*End)  {}
func (n *lostNode) Full() bool { return false }
func (n *lostNode) Quiet(bool) {}
func (n *lostNode) Close(*End) { n.Abort() }
func (n *lostNode) Abort()     { n.once.Do(func() { close(n.over) }) }
