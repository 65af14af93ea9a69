package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"kalami/gateway/learner"
	"kalami/session/verify"
)

const (
	// turnWait is how long an utterance may take to be acknowledged, and its answer to be
	// over, whatever fails meanwhile.
	turnWait = 30 * time.Second
	// farewell is how long the end of a lesson may take.
	farewell = 15 * time.Second
)

// talker is a learner who talks until told to stop.
type talker struct {
	name   string
	notes  *notes
	lesson *learner.Lesson
	rng    *rand.Rand
	file   *os.File
	writer *verify.Writer

	mu    sync.Mutex
	turns int
	wrong []string
}

// wrongf notes what must not happen.
func (k *talker) wrongf(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wrong = append(k.wrong, k.name+": "+fmt.Sprintf(format, args...))
}

// complaints are what must not have happened and did, so far.
func (k *talker) complaints() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.wrong)
}

// newTalker begins the history of one.
func newTalker(dir, name string, rng *rand.Rand) (*talker, error) {
	file, err := os.OpenFile(filepath.Join(dir, name+".jsonl"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	k := &talker{name: name, rng: rng, file: file, writer: verify.NewWriter(file, name)}
	k.notes = newNotes(k.writer)
	return k, nil
}

// talk has one lesson: it calls begun when the tutor greets, talks until over is closed,
// hears the last answer out and leaves.
func (k *talker) talk(ctx context.Context, base string, say []byte, over <-chan struct{}, begun func()) (err error) {
	defer func() { err = errors.Join(err, k.writer.Err(), k.file.Close()) }()
	defer begun()
	account, err := k.open(ctx, base)
	if err != nil {
		return fmt.Errorf("%s does not come in: %w", k.name, err)
	}
	defer account.Close()
	ctx, hangUp := context.WithCancel(ctx)
	ran := make(chan error, 1)
	var all sync.WaitGroup
	defer all.Wait()
	defer hangUp()
	all.Go(func() { ran <- k.lesson.Run(ctx) })
	mic := k.lesson.Mic(micRate)
	micCtx, mute := context.WithCancel(ctx)
	defer mute()
	all.Go(func() { _ = mic.Run(micCtx) }) // a lesson's microphone ends with its context alone
	k.until(ctx, ran, "the greeting", func(n *notes) bool { return n.done > 0 })
	begun()
	for {
		select {
		case <-over:
			mute()
			k.leave(ran)
			return nil
		case err := <-ran:
			if ctx.Err() == nil {
				k.wrongf("the lesson ended: %v", err)
			}
			return nil
		case <-time.After(time.Duration(50+k.rng.IntN(250)) * time.Millisecond):
			k.turn(ctx, ran, mic, say)
		}
	}
}

// open signs the talker up and begins the lesson.
func (k *talker) open(ctx context.Context, base string) (*learner.Account, error) {
	account, err := learner.Guest(ctx, base, "en")
	if err != nil {
		return nil, err
	}
	profile, err := account.Profile(ctx, "en", "B2")
	if err == nil {
		k.lesson, err = account.Lesson(ctx, learner.Wish{ProfileID: profile, Session: json.RawMessage(`{"audio":{"input":{"turn_detection":{"type":"endpoint"}}}}`)}, k.notes.handler())
	}
	if err != nil {
		account.Close()
		return nil, err
	}
	return account, nil
}

// turn says something and hears the answer.
func (k *talker) turn(ctx context.Context, ran chan error, mic *learner.Mic, say []byte) {
	k.notes.mu.Lock()
	acks, done, misheard := k.notes.acks, k.notes.done, k.notes.misheard
	k.notes.mu.Unlock()
	select {
	case <-mic.Say(say):
	case <-ctx.Done():
		return
	}
	// A learner who knows that storing takes longer goes on with the answer.
	heard := func(n *notes) bool {
		return n.acks > acks || n.misheard > misheard || n.storing.late && n.done > done && n.playing == ""
	}
	if !k.until(ctx, ran, "the acknowledgement", heard) {
		return
	}
	over := func(n *notes) bool { return n.done > done && n.playing == "" || n.acks == acks }
	if k.until(ctx, ran, "the answer", over) {
		k.mu.Lock()
		k.turns++
		k.mu.Unlock()
	}
}

// until waits for what only an arrival can make true. What does not happen in time must
// not happen.
func (k *talker) until(ctx context.Context, ran chan error, what string, happened func(n *notes) bool) bool {
	timeout := time.NewTimer(turnWait)
	defer timeout.Stop()
	for {
		k.notes.mu.Lock()
		ok, change := happened(k.notes), k.notes.change
		k.notes.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-change:
		case err := <-ran:
			ran <- err
			return false
		case <-timeout.C:
			k.wrongf("%s did not come within %v", what, turnWait)
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// leave ends the lesson.
func (k *talker) leave(ran chan error) {
	k.lesson.End()
	select {
	case err := <-ran:
		if err != nil {
			k.wrongf("the lesson ended with %v", err)
		}
	case <-time.After(farewell):
		k.wrongf("the lesson did not end within %v", farewell)
	}
}

// signedSince says whether the tutor has shown a sign of life since then.
func (k *talker) signedSince(t time.Time) bool {
	k.notes.mu.Lock()
	defer k.notes.mu.Unlock()
	return k.notes.lastSign.After(t)
}

// micRate is that of the recordings and the microphones, in hertz.
const micRate = 16000

// speech is what the learners say: voice for as long as the simulated recogniser needs for
// a line of the script.
func speech(folder string) ([]byte, error) {
	f, err := os.Open(filepath.Join(folder, "en-01-clean.wav"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rec, err := learner.ReadWAV(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	const length = micRate * 2 * 1600 / 1000
	if rec.Rate != micRate || len(rec.PCM) < 2*length {
		return nil, fmt.Errorf("%s: %d bytes at %d Hz", f.Name(), len(rec.PCM), rec.Rate)
	}
	return rec.PCM[len(rec.PCM)/8&^1:][:length], nil
}

// returned is how the lesson has come back since then.
func (k *talker) returned(since time.Time) []timedReturn {
	k.notes.mu.Lock()
	defer k.notes.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(k.notes.returns), func(r timedReturn) bool { return r.at.Before(since) })
}

// misheard is how often the tutor has asked to say something again.
func (k *talker) misheard() int {
	k.notes.mu.Lock()
	defer k.notes.mu.Unlock()
	return k.notes.misheard
}

// away says whether the lesson has no socket at the moment.
func (k *talker) away() bool {
	k.notes.mu.Lock()
	defer k.notes.mu.Unlock()
	return k.notes.away
}

// playing is the reply that is not over, empty for none.
func (k *talker) playing() string {
	k.notes.mu.Lock()
	defer k.notes.mu.Unlock()
	return k.notes.playing
}
