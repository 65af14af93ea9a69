package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"kalami/gateway/learner"
	"kalami/providers/simulate"
	"kalami/session"
)

// loadRecordings are what the crowd says, in turn.
var loadRecordings = []string{"en-01-clean", "en-03-grammar-error", "en-04-bargein"}

// talkOverEvery is how often a talker speaks over the tutor instead of hearing it out.
const talkOverEvery = 3

// talker is one learner of a crowd. It keeps no audio, only what must be true of it.
type talker struct {
	number int
	began  time.Time
	said   [][]byte // recordings
	call   *learner.Call
	mic    *learner.Mic

	mu       sync.Mutex
	change   chan struct{} // closed and replaced when something arrives
	id       string        // of the session
	replies  []*heardReply
	heard    []string    // final transcripts
	acked    int         // mic frames acknowledged
	silenced []time.Time // when the player fell silent, by the order to
	wrong    []string    // what must not happen, as it happened
}

// heardReply is one reply of the tutor's as it arrived.
type heardReply struct {
	id      string
	stream  uint16
	frames  uint32
	samples uint32
	firstAt time.Time
	whole   bool // the last frame came
	audioMS int64
	caption string
	cleared bool
	doneAs  string // the response's status, when it is done
}

// join signs the talker up and opens its call; leave frees the account.
func (k *talker) join(ctx context.Context, base string) (leave func(), err error) {
	account, err := learner.Guest(ctx, base, "en")
	if err != nil {
		return nil, err
	}
	profile, err := account.Profile(ctx, "en", "B2")
	if err == nil {
		k.call, err = account.Call(ctx, learner.Wish{ProfileID: profile},
			learner.Handler{Event: k.event, Audio: k.audio, Report: k.report})
	}
	if err != nil {
		account.Close()
		return nil, err
	}
	k.mic = k.call.Mic(16000)
	return account.Close, nil
}

// wrongf notes something that must not happen; k.mu is held.
func (k *talker) wrongf(format string, args ...any) {
	const most = 5
	if len(k.wrong) < most {
		k.wrong = append(k.wrong, fmt.Sprintf("learner %d, after %.1f s: ", k.number, time.Since(k.began).Seconds())+fmt.Sprintf(format, args...))
	}
}

// broke notes what ended the conversation too early.
func (k *talker) broke(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wrongf("%v", err)
}

// told wakes whoever waits; k.mu is held.
func (k *talker) told() {
	close(k.change)
	k.change = make(chan struct{})
}

// of returns a reply by its id; k.mu is held.
func (k *talker) of(id string) *heardReply {
	i := slices.IndexFunc(k.replies, func(r *heardReply) bool { return r.id == id })
	if i < 0 {
		k.wrongf("an unknown response %s", id)
		return &heardReply{}
	}
	return k.replies[i]
}

// event checks one event of the server's.
func (k *talker) event(_ session.Head, ev session.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch e := ev.(type) {
	case session.Created:
		k.id = e.Session.ID
	case session.ResponseCreated:
		k.replies = append(k.replies, &heardReply{id: e.Response.ID, stream: e.Stream})
	case session.TranscriptCompleted:
		k.heard = append(k.heard, e.Transcript)
	case session.InputAck:
		k.acked = int(e.Input.Seq) + 1
	case session.CaptionDone:
		k.of(e.ResponseID).caption = e.Transcript
	case session.AudioDone:
		k.of(e.ResponseID).audioMS = e.AudioMS
	case session.ClearAudio:
		k.of(e.ResponseID).cleared = true
	case session.ResponseDone:
		k.of(e.Response.ID).doneAs = e.Response.Status
	case session.Failure:
		k.wrongf("error %+v", e.Error)
	case session.Warning:
		if e.Code != session.WarnStorageDelayed { // whose disk is slow loses nothing
			k.wrongf("warning %+v", e)
		}
	case session.NotUnderstood:
		k.wrongf("was not understood")
	default:
		return
	}
	k.told()
}

// audio checks one frame of the tutor's audio: it goes on where the one before ended.
func (k *talker) audio(f session.Frame, late bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.replies, func(r *heardReply) bool { return r.stream == f.Stream })
	if i < 0 || late {
		k.wrongf("audio of stream %d that nobody wants (late: %v)", f.Stream, late)
		return
	}
	r := k.replies[i]
	if f.Seq != r.frames || f.Pos != r.samples || r.whole {
		k.wrongf("frame %d at sample %d, want %d at %d (after the last: %v)", f.Seq, f.Pos, r.frames, r.samples, r.whole)
	}
	if r.frames == 0 {
		r.firstAt = time.Now()
	}
	r.frames++
	r.samples += uint32(len(f.Audio) / 2)
	r.whole = f.Flags&session.FlagEndOfStream != 0
	k.told()
}

// report notes when the player has fallen silent.
func (k *talker) report(ctl session.Control) {
	if _, ok := ctl.(session.PlaybackCleared); ok {
		now := time.Now()
		k.mu.Lock()
		k.silenced = append(k.silenced, now)
		k.mu.Unlock()
	}
}

// errWait is what a talker's wait ends with when nothing comes of it.
var errWait = errors.New("did not happen in time")

// until waits for what only an arrival can make true; happened is called with k.mu held.
func (k *talker) until(ctx context.Context, what string, happened func() bool) error {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		k.mu.Lock()
		ok, change := happened(), k.change
		k.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-change:
		case <-timeout.C:
			return fmt.Errorf("%s: %w", what, errWait)
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		}
	}
}

// talk has one conversation: it calls begun when the tutor greets, speaks until the time
// is over, hears the last answer out, and leaves. It returns the latencies of the turns
// whose answers came.
func (k *talker) talk(ctx context.Context, over <-chan struct{}, begun func()) (latencies []time.Duration, err error) {
	run, mic := make(chan error, 1), make(chan error, 1)
	micCtx, mute := context.WithCancel(ctx)
	var both sync.WaitGroup
	both.Go(func() { run <- k.call.Run() })
	both.Go(func() { mic <- k.mic.Run(micCtx) })
	defer func() {
		mute()
		k.call.Abort()
		both.Wait()
	}()
	if err := k.until(ctx, "the greeting", func() bool { return len(k.replies) > 0 }); err != nil {
		return nil, err
	}
	begun()
	for turn, talking := 0, true; talking; turn++ {
		latency, err := k.turn(ctx, turn)
		if err != nil {
			return latencies, err
		}
		latencies = append(latencies, latency)
		select {
		case <-over:
			talking = false
		default:
		}
	}
	if err := k.until(ctx, "the last answer", func() bool { return k.replies[len(k.replies)-1].doneAs != "" }); err != nil {
		return latencies, err
	}
	mute()
	if err := <-mic; err != nil {
		return latencies, err
	}
	if err := k.until(ctx, "the last frames' acknowledgement", func() bool { return k.acked+unacknowledged >= k.call.Sent() }); err != nil {
		return latencies, err
	}
	if err := k.call.Send(session.EndSession{}); err != nil {
		return latencies, err
	}
	return latencies, <-run
}

// unacknowledged is how many frames of 20 ms may stay unacknowledged when the microphone is
// silent: acknowledgements keep some distance, since a word may still be found in the end
// of what was heard.
const unacknowledged = 100

// turn says something and waits for the answer to begin; the latency is from the last
// frame of the recording to the first of the answer.
func (k *talker) turn(ctx context.Context, turn int) (time.Duration, error) {
	if (k.number+turn)%talkOverEvery == talkOverEvery-1 {
		err := k.until(ctx, "a second of the tutor", func() bool { return k.replies[turn].samples > 24000 })
		if err != nil {
			return 0, err
		}
	} else if err := k.until(ctx, "the answer's end", func() bool { return k.replies[turn].doneAs != "" }); err != nil {
		return 0, err
	}
	select {
	case <-k.mic.Say(k.said[turn%len(k.said)]):
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	said := time.Now()
	if err := k.until(ctx, fmt.Sprintf("turn %d", turn+1), func() bool { return len(k.heard) == turn+1 }); err != nil {
		return 0, err
	}
	answered := func() bool { return len(k.replies) == turn+2 && k.replies[turn+1].frames > 0 }
	if err := k.until(ctx, fmt.Sprintf("the answer to turn %d", turn+1), answered); err != nil {
		return 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.replies[turn+1].firstAt.Sub(said), nil
}

// check says what was wrong with the conversation, when it is over: every reply is whole
// or was interrupted, and what was understood and answered is the script's.
func (k *talker) check() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	script := simulate.Scripts()["en"]
	for i, heard := range k.heard {
		if want := script.Turns[i%len(script.Turns)].Learner; heard != want {
			k.wrongf("turn %d was understood as %q, want %q", i+1, heard, want)
		}
	}
	for i, r := range k.replies {
		want := script.Opener
		if i > 0 {
			want = script.Turns[(i-1)%len(script.Turns)].Tutor
		}
		switch {
		case r.cleared && r.doneAs == "cancelled":
		case r.doneAs != "completed" || !r.whole || r.samples == 0:
			k.wrongf("reply %d ended as %q (interrupted: %v) after %d samples, its last frame came: %v", i, r.doneAs, r.cleared, r.samples, r.whole)
		case r.caption != want || int64(r.samples)*1000/24000 != r.audioMS:
			k.wrongf("reply %d was %q, want %q; %d samples of %d ms came", i, r.caption, want, r.samples, r.audioMS)
		}
	}
	return k.wrong
}

// interrupted counts the replies that the talker spoke over.
func (k *talker) interrupted() (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range k.replies {
		if r.cleared {
			n++
		}
	}
	return n
}
