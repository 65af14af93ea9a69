package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/gateway/learner"
	"kalami/session"
)

// pupil is a learner in a conversation; it keeps all that it is told.
type pupil struct {
	t       *testing.T
	account *learner.Account
	call    *learner.Call
	mic     *learner.Mic

	mu     sync.Mutex
	events []arrival
	change chan struct{} // closed and replaced when something arrives
	ended  chan error
}

// arrival is an event or a frame of audio, and when it came, or what the pupil's
// player reported, and when.
type arrival struct {
	at     time.Time
	event  session.Event
	frame  session.Frame
	late   bool
	report session.Control
}

// join signs a guest up for a language and opens a call with a live microphone.
func join(t *testing.T, base, language, level string, change ...func(*learner.Handler)) *pupil {
	t.Helper()
	account, err := learner.Guest(t.Context(), base, "en")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(account.Close)
	profile, err := account.Profile(t.Context(), language, level)
	if err != nil {
		t.Fatal(err)
	}
	p := &pupil{t: t, account: account, change: make(chan struct{}), ended: make(chan error, 1)}
	handler := learner.Handler{
		Event: func(_ session.Head, ev session.Event) { p.add(arrival{event: ev}) },
		Audio: func(f session.Frame, late bool) {
			f.Audio = bytes.Clone(f.Audio)
			p.add(arrival{frame: f, late: late})
		},
		Report: func(ctl session.Control) { p.add(arrival{report: ctl}) },
	}
	for _, c := range change {
		c(&handler)
	}
	if p.call, err = account.Call(t.Context(), learner.Wish{ProfileID: profile}, handler); err != nil {
		t.Fatal(err)
	}
	p.mic = p.call.Mic(16000)
	ctx, cancel := context.WithCancel(context.Background())
	sent := make(chan error, 1)
	go func() { sent <- p.mic.Run(ctx) }()
	go func() {
		err := p.call.Run()
		cancel()
		<-sent
		p.ended <- err
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.call.Abort()
		<-p.ended
	})
	return p
}

func (p *pupil) add(a arrival) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.at = time.Now()
	p.events = append(p.events, a)
	close(p.change)
	p.change = make(chan struct{})
}

// all returns a copy of what has arrived.
func (p *pupil) all() []arrival {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]arrival(nil), p.events...)
}

// patience bounds the wait for one thing to happen; generous, for busy machines.
const patience = 90 * time.Second

// await waits until the nth event of a type (from 1) has arrived and returns it.
func await[E session.Event](p *pupil, n int) (e E) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s number %d", e.EventType(), n), func() bool { return len(told[E](p)) >= n })
	return told[E](p)[n-1]
}

// until waits for what only something that arrives can make true.
func (p *pupil) until(what string, happened func() bool) {
	p.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		p.mu.Lock()
		change := p.change
		p.mu.Unlock()
		if happened() {
			return
		}
		select {
		case <-change:
		case <-timeout.C:
			p.t.Fatalf("%s did not come\n%s", what, p.story())
		}
	}
}

// told returns the events of one type so far.
func told[E session.Event](p *pupil) []E {
	var out []E
	for _, a := range p.all() {
		if e, ok := a.event.(E); ok {
			out = append(out, e)
		}
	}
	return out
}

// story prints what arrived, without words of audio.
func (p *pupil) story() string {
	var b strings.Builder
	all := p.all()
	for _, a := range all {
		at := a.at.Sub(all[0].at).Milliseconds()
		switch {
		case a.event != nil:
			fmt.Fprintf(&b, "%6d %s %+v\n", at, a.event.EventType(), a.event)
		case a.report != nil:
			fmt.Fprintf(&b, "%6d reported %T %+v\n", at, a.report, a.report)
		default:
			fmt.Fprintf(&b, "%6d audio stream %d %d bytes\n", at, a.frame.Stream, len(a.frame.Audio))
		}
	}
	return b.String()
}

// recording reads one of the shared recordings of speech.
func recording(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "deploy", "bench", "speech", name+".wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rec, err := learner.ReadWAV(f)
	if err != nil {
		t.Fatal(err)
	}
	return rec.PCM
}
