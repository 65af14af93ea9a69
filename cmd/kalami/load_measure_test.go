package main

import (
	"context"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kalami/providers"
	"kalami/session"
)

// watchedHost is the app's host with an eye on both ends of each session: on what the
// recogniser hands to it, and on what it reads from the socket and writes to it.
type watchedHost struct {
	*session.Host
	mu        sync.Mutex
	sightings map[string]*sighting // by session
}

// sighting is what was seen of one session.
type sighting struct {
	words atomic.Int64 // when words were last handed to the session, in Unix nanoseconds
	// next is the frame of the microphone that is to come; one that did not come in its turn
	// is counted as missing.
	next, missing atomic.Int64

	mu     sync.Mutex
	clears []clearing
}

// clearing is one order to be silent: when the words came that caused it, and when it
// was on the wire, after which no audio of the old reply is.
type clearing struct{ words, written time.Time }

// Run implements gateway.Host.
func (h *watchedHost) Run(ctx context.Context, conn session.Conn, p session.Params) *session.End {
	s := &sighting{}
	h.mu.Lock()
	h.sightings[p.Config.ID] = s
	h.mu.Unlock()
	host := *h.Host
	host.Recognizer = &watchedRecognizer{host.Recognizer, s}
	return host.Run(ctx, &watchedConn{conn.(session.Line), s}, p)
}

// heard returns how many frames of the microphone a session has read, and how many of those
// before the last are missing.
func (h *watchedHost) heard(id string) (frames, missing int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.sightings[id]
	if s == nil {
		return 0, 0
	}
	return s.next.Load(), s.missing.Load()
}

// of returns what was seen of a session.
func (h *watchedHost) of(id string) []clearing {
	h.mu.Lock()
	s := h.sightings[id]
	h.mu.Unlock()
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.clears)
}

type watchedConn struct {
	session.Line
	*sighting
}

func (c *watchedConn) Read(in *session.Input) error {
	err := c.Line.Read(in)
	if err == nil && in.Control == nil {
		seq := int64(in.Frame.Seq)
		c.missing.Add(max(0, seq-c.next.Load()))
		c.next.Store(seq + 1)
	}
	return err
}

func (c *watchedConn) WriteEvent(h session.Head, ev session.Event) error {
	err := c.Line.WriteEvent(h, ev)
	if e, ok := ev.(session.ClearAudio); ok && e.Reason == "turn_detected" {
		c.mu.Lock()
		c.clears = append(c.clears, clearing{time.Unix(0, c.words.Load()), time.Now()})
		c.mu.Unlock()
	}
	return err
}

type watchedRecognizer struct {
	providers.Recognizer
	*sighting
}

func (r *watchedRecognizer) Listen(ctx context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	stream, err := r.Recognizer.Listen(ctx, opt)
	if err != nil {
		return nil, err
	}
	w := &watchedStream{RecognitionStream: stream, events: make(chan providers.Heard), closing: make(chan struct{})}
	w.passing.Go(func() {
		defer close(w.events)
		for ev := range stream.Events() {
			if ev.Text != "" {
				r.words.Store(time.Now().UnixNano())
			}
			select {
			case w.events <- ev:
			case <-w.closing:
				return
			}
		}
	})
	return w, nil
}

// watchedStream passes a recogniser's events on.
type watchedStream struct {
	providers.RecognitionStream
	events  chan providers.Heard
	once    sync.Once
	closing chan struct{}
	passing sync.WaitGroup
}

func (w *watchedStream) Events() <-chan providers.Heard { return w.events }

func (w *watchedStream) Close() error {
	w.once.Do(func() { close(w.closing) })
	err := w.RecognitionStream.Close()
	w.passing.Wait()
	return err
}

// samples are durations of which quantiles are wanted.
type samples []time.Duration

// quantiles is a table row's end: the median, the 95th and 99th percentile, and how many.
func (s samples) quantiles() string {
	if len(s) == 0 {
		return "– | – | – | 0"
	}
	sorted := slices.Sorted(slices.Values(s))
	at := func(q float64) string {
		d := sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%s | %s | %s | %d", at(0.5), at(0.95), at(0.99), len(s))
}

// ourGoroutines counts the goroutines that are in code of this module, whoever runs it:
// unlike all goroutines, these do not hang on idle connections of libraries.
func ourGoroutines() (n int, stacks string) {
	var b strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&b, 1) // a strings.Builder takes everything
	for record := range strings.SplitSeq(b.String(), "\n\n") {
		if !strings.Contains(record, "\tkalami/") && !strings.Contains(record, " kalami/") {
			continue
		}
		var same int
		if _, err := fmt.Sscanf(strings.TrimSpace(record), "%d @", &same); err == nil {
			n += same
			stacks += record + "\n\n"
		}
	}
	return n, stacks
}
