package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"kalami/gateway/learner"
	"kalami/session"
)

const (
	// hesitateEvery is how often an utterance has a pause in its middle, and pauseTime how
	// long that is: long enough for a draft to be begun, and no end of a turn.
	hesitateEvery = 5
	pauseTime     = 700 * time.Millisecond
	// enjoy is how much of an answer is heard before the learner has heard enough: its
	// beginning is what is measured.
	enjoy = 500 * time.Millisecond
	// longest bounds any wait of a learner.
	longest = 15 * time.Second
)

// measured is one turn.
type measured struct {
	hesitant bool
	// first is the time from the end of speech to the first audio at the client, and turn
	// that from the end of the turn, as the client was told of it.
	first, turn time.Duration
	latency     session.Latency // as the server has it
}

// talker is one learner. Its fields are guarded by mu once the call runs.
type talker struct {
	language, level string
	endpoint        bool // turns end where the recogniser says
	number          int
	call            *learner.Call

	mu        sync.Mutex
	change    chan struct{} // closed and replaced when something arrives
	responses []string      // ids, the greeting's first
	firstAt   []time.Time   // of each: its first audio
	done      map[string]session.ResponseDone
	committed []time.Time // turns of the learner's that ended
	wrong     []error
	answered  int // tokens of answers
}

// wish is what the talker asks of the session.
func (k *talker) wish() json.RawMessage {
	if k.endpoint {
		return json.RawMessage(`{"audio":{"input":{"turn_detection":{"type":"endpoint"}}}}`)
	}
	return nil
}

// talk has one conversation: the talker speaks until ctx ends and leaves.
func (k *talker) talk(ctx context.Context, server string, said []utterance) (all []measured, err error) {
	open := context.WithoutCancel(ctx)
	account, err := learner.Guest(open, server, "en")
	if err != nil {
		return nil, err
	}
	defer account.Close()
	profile, err := account.Profile(open, k.language, k.level)
	if err != nil {
		return nil, err
	}
	k.change, k.done = make(chan struct{}), map[string]session.ResponseDone{}
	k.call, err = account.Call(open, learner.Wish{ProfileID: profile, Session: k.wish()}, learner.Handler{Event: k.event, Audio: k.audio})
	if err != nil {
		return nil, err
	}
	mic := k.call.Mic(micRate)
	micCtx, mute := context.WithCancel(open)
	var both sync.WaitGroup
	both.Go(func() { k.fail(k.call.Run()) })
	both.Go(func() { k.fail(mic.Run(micCtx)) })
	defer both.Wait()
	defer k.call.Abort()
	defer mute()
	if err := k.hearSome(0); err != nil {
		return nil, fmt.Errorf("the greeting: %w", err)
	}
	for turn := 0; ctx.Err() == nil; turn++ {
		u, hesitant := said[turn%len(said)], (k.number+turn)%hesitateEvery == hesitateEvery-1
		pcm := u.fluent
		if hesitant {
			pcm = u.hesitant
		}
		<-mic.Say(pcm)
		end := time.Now()
		m, err := k.answer(turn, end)
		if err != nil {
			return all, fmt.Errorf("turn %d: %w", turn+1, err)
		}
		m.hesitant = hesitant
		all = append(all, m)
	}
	mute()
	return all, k.call.Send(session.EndSession{})
}

// answer waits for the answer to a turn whose speech ended at end.
func (k *talker) answer(turn int, end time.Time) (m measured, err error) {
	if err := k.hearSome(turn + 1); err != nil {
		return m, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.committed); n != turn+1 {
		return m, fmt.Errorf("%d turns were made of %d utterances", n, turn+1)
	}
	m.first, m.turn = k.firstAt[turn+1].Sub(end), k.firstAt[turn+1].Sub(k.committed[turn])
	m.latency = k.done[k.responses[turn+1]].Latency
	return m, nil
}

// hearSome hears the beginning of a response, says that this is enough, and waits until
// the server has noted it.
func (k *talker) hearSome(n int) error {
	if err := k.until("first audio", func() bool { return len(k.firstAt) > n && !k.firstAt[n].IsZero() }); err != nil {
		return err
	}
	time.Sleep(enjoy)
	k.mu.Lock()
	id := k.responses[n]
	k.mu.Unlock()
	if err := k.call.Send(session.CancelResponse{ResponseID: id}); err != nil {
		return err
	}
	return k.until("the response's end", func() bool { _, ok := k.done[id]; return ok })
}

// event notes what the server says.
func (k *talker) event(_ session.Head, ev session.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch e := ev.(type) {
	case session.ResponseCreated:
		k.responses, k.firstAt = append(k.responses, e.Response.ID), append(k.firstAt, time.Time{})
	case session.Committed:
		k.committed = append(k.committed, time.Now())
	case session.ResponseDone:
		k.done[e.Response.ID] = e
		if u := e.Response.Usage; u != nil {
			k.answered += u.OutputTokens
		}
	case session.Failure:
		k.wrong = append(k.wrong, fmt.Errorf("the server says %s", e.Error.Code))
	case session.NotUnderstood:
		k.wrong = append(k.wrong, errors.New("was not understood"))
	default:
		return
	}
	k.told()
}

// audio notes when the first audio of a response comes.
func (k *talker) audio(f session.Frame, late bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.firstAt) - 1; n >= 0 && k.firstAt[n].IsZero() && !late && len(f.Audio) > 0 {
		k.firstAt[n] = time.Now()
		k.told()
	}
}

// told wakes whoever waits; k.mu is held.
func (k *talker) told() {
	close(k.change)
	k.change = make(chan struct{})
}

// fail notes why the conversation cannot go on.
func (k *talker) fail(err error) {
	if err != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.wrong = append(k.wrong, err)
		k.told()
	}
}

// until waits for what only an arrival can make true; happened is called with k.mu held.
func (k *talker) until(what string, happened func() bool) error {
	timeout := time.NewTimer(longest)
	defer timeout.Stop()
	for {
		k.mu.Lock()
		ok, change, wrong := happened(), k.change, errors.Join(k.wrong...)
		k.mu.Unlock()
		switch {
		case wrong != nil:
			return wrong
		case ok:
			return nil
		}
		select {
		case <-change:
		case <-timeout.C:
			return fmt.Errorf("%s did not come within %v", what, longest)
		}
	}
}
