package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/spf13/cobra"

	"kalami/gateway/learner"
	"kalami/session"
)

// talkOptions are the command line of "kalami talk".
type talkOptions struct {
	url, language, level, native string
	out                          string
	rate                         int
	turns                        int
	after                        time.Duration
	greeting                     bool
	record                       string
}

// newTalkCommand is a learner without a screen: it speaks a recording and prints
// what is said.
func newTalkCommand(p process) *cobra.Command {
	var o talkOptions
	c := &cobra.Command{
		Use:   "talk FILE.wav",
		Short: "Talk with a server: speak a WAV in real time, print captions and latencies",
		Long: "Talk with a server as a guest. FILE.wav is 16-bit mono PCM; - reads raw PCM16 from standard input, such as a microphone's:\n" +
			"  arecord -q -t raw -f S16_LE -r 16000 | kalami talk -",
		Args: cobra.ExactArgs(1),
	}
	f := c.Flags()
	f.StringVar(&o.url, "url", "http://127.0.0.1:8000", "the server's `address`; with --record a server of its own is started instead")
	f.StringVar(&o.language, "language", "en", "`language` that is learned")
	f.StringVar(&o.level, "level", "B1", "CEFR `level`")
	f.StringVar(&o.native, "native", "en", "the learner's own `language`")
	f.StringVar(&o.out, "out", "", "write the tutor's audio to this WAV `file`")
	f.IntVar(&o.rate, "rate", 16000, "sample rate of raw PCM in `hertz`: 8000, 16000, 24000 or 48000")
	f.IntVar(&o.turns, "turns", 0, "stop after this `number` of answers; 0: when the recording is over and answered")
	f.DurationVar(&o.after, "after", 8*time.Second, "how `long` to listen for an answer after the recording")
	f.BoolVar(&o.greeting, "greeting", true, "let the tutor greet before speaking")
	f.StringVar(&o.record, "record", "", "keep a cassette of the vendors' traffic in this `file`; it holds what was said")
	addConfigFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		rec, err := o.open(args[0], p.stdin)
		if err != nil {
			return err
		}
		if o.record == "" {
			return o.talk(c.Context(), rec, p.stdout)
		}
		return o.talkRecorded(c, p, rec)
	}
	return c
}

// open reads the recording, or readies standard input.
func (o *talkOptions) open(name string, stdin io.Reader) (utterance, error) {
	if name == "-" {
		return utterance{live: stdin, rate: o.rate}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return utterance{}, err
	}
	defer f.Close()
	rec, err := learner.ReadWAV(f)
	if err != nil {
		return utterance{}, fmt.Errorf("%s: %w", name, err)
	}
	return utterance{pcm: rec.PCM, rate: rec.Rate}, nil
}

// utterance is what the learner says: a recording, or a live microphone.
type utterance struct {
	pcm  []byte
	live io.Reader
	rate int
}

// farewell bounds how long the end of a lesson is waited for.
const farewell = 10 * time.Second

// talk holds one conversation and prints it.
func (o *talkOptions) talk(ctx context.Context, say utterance, w io.Writer) error {
	account, err := learner.Guest(ctx, o.url, o.native)
	if err != nil {
		return err
	}
	defer account.Close()
	profile, err := account.Profile(ctx, o.language, o.level)
	if err != nil {
		return err
	}
	wish := learner.Wish{ProfileID: profile,
		Session: json.RawMessage(fmt.Sprintf(`{"audio":{"input":{"format":{"type":"audio/pcm","rate":%d}}}}`, say.rate))}
	t := newTranscript(w, o.turns)
	lesson, err := account.Lesson(ctx, wish, learner.Handler{Event: t.event, Audio: t.audio, Lost: t.away, Back: t.back})
	if err != nil {
		return err
	}
	running, hangUp := context.WithCancel(context.WithoutCancel(ctx)) // whoever interrupts us ends the lesson first
	defer hangUp()
	run := make(chan error, 1)
	go func() { // joined below
		err := lesson.Run(running)
		close(t.lost)
		run <- err
	}()
	spoken := o.speak(ctx, lesson, say, t)
	lesson.End()
	defer time.AfterFunc(farewell, hangUp).Stop()
	ended := errors.Join(spoken, <-run)
	if o.out != "" {
		if err := os.WriteFile(o.out, t.recording().WAV(), 0o600); err != nil {
			return err
		}
	}
	return closeReason(ended)
}

// closeReason turns a close of the socket into words.
func closeReason(err error) error {
	if ce, ok := errors.AsType[websocket.CloseError](err); ok {
		return fmt.Errorf("the server closed the conversation: %d %s", ce.Code, ce.Reason)
	}
	return err
}

// speak says everything and waits for the answer.
func (o *talkOptions) speak(ctx context.Context, lesson *learner.Lesson, say utterance, t *transcript) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	mic := lesson.Mic(say.rate)
	sent := make(chan error, 1)
	go func() { sent <- mic.Run(ctx) }() // joined below
	o.say(ctx, mic, say, t)
	cancel()
	return <-sent
}

// say follows the order of a conversation until it is over, enough was said, or ctx ends.
func (o *talkOptions) say(ctx context.Context, mic *learner.Mic, say utterance, t *transcript) {
	wait := func(what <-chan struct{}) bool {
		select {
		case <-what:
			return true
		case <-t.enough:
		case <-t.lost:
		case <-ctx.Done():
		}
		return false
	}
	if o.greeting && !wait(t.greeted) {
		return
	}
	if say.live != nil {
		if !wait(follow(ctx, mic, say)) {
			return
		}
	} else if !wait(mic.Say(say.pcm)) {
		return
	}
	wait(t.quietFor(o.after))
}

// follow passes a live microphone on. The channel is closed when it has ended. The
// reader cannot be interrupted: it is left to end with the process.
func follow(ctx context.Context, mic *learner.Mic, say utterance) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		defer close(over)
		for ctx.Err() == nil {
			frame := make([]byte, say.rate*int(learner.FrameTime/time.Millisecond)/1000*2)
			n, err := io.ReadFull(say.live, frame)
			if n > 0 {
				select {
				case <-mic.Say(frame[:n&^1]):
				case <-ctx.Done():
				}
			}
			if err != nil {
				return
			}
		}
	}()
	return over
}

// transcript prints a conversation and keeps the tutor's audio.
type transcript struct {
	w     io.Writer
	turns int
	// greeted is closed when the tutor's first words have been heard, enough when as
	// many answers were heard as were wanted, lost when the connection is over.
	greeted, enough, lost chan struct{}

	mu       sync.Mutex // guards what follows
	caption  strings.Builder
	replies  int
	silence  time.Duration
	deadline *time.Timer // fires when nothing was said for that long
	pcm      []byte
	rate     int
}

func newTranscript(w io.Writer, turns int) *transcript {
	return &transcript{w: w, turns: turns, rate: 24000,
		greeted: make(chan struct{}), enough: make(chan struct{}), lost: make(chan struct{})}
}

// quietFor returns a channel that is closed when nothing has happened for d.
func (t *transcript) quietFor(d time.Duration) <-chan struct{} {
	quiet := make(chan struct{})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.silence, t.deadline = d, time.AfterFunc(d, func() { close(quiet) })
	return quiet
}

// audio keeps what is played.
func (t *transcript) audio(f session.Frame, late bool) {
	if late {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pcm = append(t.pcm, f.Audio...)
}

// recording is the tutor's audio so far.
func (t *transcript) recording() learner.Recording {
	t.mu.Lock()
	defer t.mu.Unlock()
	return learner.Recording{PCM: t.pcm, Rate: t.rate}
}

// away prints that the connection is lost; nil is a move that nobody notices.
func (t *transcript) away(cause error) {
	if cause != nil && websocket.CloseStatus(cause) != websocket.StatusNormalClosure {
		_, _ = fmt.Fprintf(t.w, "— connection lost (%v); coming back\n", cause)
	}
}

// back prints how the lesson goes on.
func (t *transcript) back(r learner.Return) {
	how := "the session goes on"
	switch {
	case r.Fresh:
		how = "a new session goes on with the conversation"
	case r.Restarted:
		how = "the session goes on; some of it may not have been shown"
	case !r.Warm:
		how = "another node goes on with the session"
	}
	if r.Planned {
		_, _ = fmt.Fprintf(t.w, "— moved to another connection: %s\n", how)
		return
	}
	_, _ = fmt.Fprintf(t.w, "— back after %d ms: %s, %.1f s of the microphone were sent again\n", r.Away.Milliseconds(), how,
		(time.Duration(r.Again) * learner.FrameTime).Seconds())
}

// event prints what matters to somebody who reads along. A write error has nowhere to be reported.
func (t *transcript) event(_ session.Head, ev session.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.deadline != nil {
		switch ev.(type) {
		case session.Ping, session.InputAck, session.Nudge: // help for somebody who is silent is no answer
		default:
			if t.deadline.Stop() {
				t.deadline.Reset(t.silence)
			}
		}
	}
	print := func(format string, args ...any) { _, _ = fmt.Fprintf(t.w, format+"\n", args...) }
	switch e := ev.(type) {
	case session.Created:
		t.rate = e.Session.Audio.Output.Format.Rate
		print("— %s, level %s; hears: %s, thinks: %s, speaks: %s", e.Session.Language, e.Session.Level,
			e.Session.Parts.STT, e.Session.Parts.LLM, e.Session.Parts.TTS)
	case session.TranscriptCompleted:
		print("you:   %s", e.Transcript)
	case session.CaptionDelta:
		t.caption.WriteString(e.Delta)
	case session.Truncated:
		print("tutor: %s— (interrupted after %d ms)", e.Transcript, e.AudioEndMS)
		t.caption.Reset()
	case session.ResponseDone:
		t.done(e, print)
	case session.NotUnderstood:
		print("— (nothing was understood)")
	case session.Nudge:
		print("— nudge: %s", strings.TrimSpace(e.Kind+" "+e.Text))
	case session.Warning:
		print("— warning: %s (%s)", e.Message, e.Code)
	case session.Failure:
		print("— error: %s (%s)", e.Error.Message, e.Error.Code)
	case session.Ended:
		print("— ended: %s, %d turns in %.1f s", e.Reason, e.Summary.Turns, float64(e.Summary.DurationMS)/1000)
	}
}

// done prints an answer that is over.
func (t *transcript) done(e session.ResponseDone, print func(string, ...any)) {
	if text := strings.TrimSpace(t.caption.String()); text != "" {
		print("tutor: %s", text)
	}
	t.caption.Reset()
	if l := e.Latency; l.FirstAudioMS > 0 {
		print("       %s", latencyLine(l))
	}
	t.replies++
	if t.replies == 1 {
		close(t.greeted)
	}
	if t.turns > 0 && t.replies == t.turns+1 { // the greeting is no answer
		close(t.enough)
	}
}

// latencyLine says what the learner waited and where that time went, in milliseconds:
// by the client's clock first, then as the server reckons it, stage by stage. What was
// drafted lies before the turn's end, and is in no sum.
func latencyLine(l session.Latency) string {
	var b strings.Builder
	if l.ClientMS > 0 {
		fmt.Fprintf(&b, "heard %d ms after the end of speech, by the server's reckoning %d", l.ClientMS, l.HeardMS)
	} else {
		fmt.Fprintf(&b, "first audio %d ms after the end of speech", l.FirstAudioMS)
	}
	fmt.Fprintf(&b, " (turn's end %d, model %d, clause %d, voice %d, sending %d, player %d", l.EndpointMS, l.LLMFirstMS, l.ClauseMS, l.TTSFirstMS, l.EgressMS, l.BufferMS)
	if l.DraftMS > 0 {
		fmt.Fprintf(&b, "; %d of it drafted before", l.DraftMS)
	}
	return b.String() + ")"
}
