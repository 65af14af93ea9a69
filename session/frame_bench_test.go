package session

import (
	"context"
	"log/slog"
	"testing"

	"kalami/providers"
)

// deafHearing is a recogniser's stream that takes audio and says nothing.
type deafHearing struct {
	events chan providers.Heard
	got    chan struct{}
}

func (h *deafHearing) Send(context.Context, []byte) error {
	h.got <- struct{}{}
	return nil
}
func (h *deafHearing) Finalize(context.Context) error  { return nil }
func (h *deafHearing) Flush(context.Context) error     { return nil }
func (h *deafHearing) KeepAlive(context.Context) error { return nil }
func (h *deafHearing) Events() <-chan providers.Heard  { return h.events }
func (h *deafHearing) Err() error                      { return nil }
func (h *deafHearing) Drain(context.Context) error     { return nil }
func (h *deafHearing) Close() error                    { return nil }

type deafRecognizer struct{ stream *deafHearing }

func (deafRecognizer) Name() string { return "deaf" }
func (r deafRecognizer) Listen(context.Context, providers.ListenOptions) (providers.RecognitionStream, error) {
	return r.stream, nil
}

// framesConn gives the frames that the benchmark feeds, and counts what is written.
type framesConn struct {
	in     chan Input
	frames chan struct{}
	over   chan struct{}
}

func (c *framesConn) Read(in *Input) error {
	select {
	case *in = <-c.in:
		return nil
	case <-c.over:
		return &End{Reason: EndGone}
	}
}
func (c *framesConn) WriteEvent(Head, Event) error { return nil }
func (c *framesConn) WriteAudio(Frame) error       { c.frames <- struct{}{}; return nil }
func (c *framesConn) Close(*End)                   {}
func (c *framesConn) Abort()                       {}

// BenchmarkMicFrame is a frame of 20 ms from the client to the recogniser, through
// UPLINK and LISTEN.
func BenchmarkMicFrame(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	hearing := &deafHearing{events: make(chan providers.Heard), got: make(chan struct{})}
	host := &Host{Deps: Deps{Recognizer: deafRecognizer{hearing}, Log: slog.New(slog.DiscardHandler)}}
	s := host.assemble(Params{Config: Config{Language: "es", Level: "B1"}})
	conn := &framesConn{in: make(chan Input), over: make(chan struct{})}
	done := make(chan error, 2)
	go func() { done <- s.uplink(conn).run(ctx) }()
	go func() { done <- s.listen(host.Recognizer, host.Log).run(ctx) }()
	pcm := make([]byte, 640)
	b.SetBytes(int64(len(pcm)))
	b.ReportAllocs()
	n := uint32(0)
	for b.Loop() {
		conn.in <- Input{Frame: Frame{Stream: 1, Seq: n, Pos: n * 320, Audio: pcm}}
		<-hearing.got
		n++
	}
	cancel()
	close(conn.over)
	<-done
	<-done
}

// mutteringUtterance speaks 100 ms with ten characters at every turn of the benchmark.
type mutteringUtterance struct {
	next chan struct{}
	pcm  []byte
	at   int
	line *timeline
}

func (u *mutteringUtterance) Write(context.Context, string, bool) error { return nil }
func (u *mutteringUtterance) End(context.Context) error                 { return nil }
func (u *mutteringUtterance) Cancel()                                   {}
func (u *mutteringUtterance) Next(ctx context.Context) (providers.Chunk, error) {
	select {
	case <-u.next:
	case <-ctx.Done():
		return providers.Chunk{}, context.Cause(ctx)
	}
	if u.at == 10_000 { // the next reply
		*u.line, u.at = *newTimeline(), 0
	}
	chunk := providers.Chunk{PCM: u.pcm, Marks: make([]providers.CharMark, 10)}
	for i := range chunk.Marks {
		chunk.Marks[i] = providers.CharMark{Char: "palabras y"[i : i+1], StartMS: u.at, EndMS: u.at + 10}
		u.at += 10
	}
	return chunk, nil
}

// BenchmarkTutorChunk is 100 ms of the tutor's audio with two words from the voice to
// the client, through SPEAK's reader and DOWNLINK, with CONDUCTOR's share of reports.
func BenchmarkTutorChunk(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	s := (&Host{}).assemble(Params{Config: Config{Language: "es", Level: "B1"}})
	conn := &framesConn{frames: make(chan struct{}, 1)}
	d := s.downlink(conn, func(error) {})
	t := &turn{id: 1, responseID: "r_1", itemID: "it_1", ctx: ctx}
	u := &mutteringUtterance{next: make(chan struct{}), pcm: make([]byte, 4800)}
	const noPacing = 1 << 30 // at such a rate it all lasts no time
	u.line = newTimeline()
	r := &reading{turn: t, utterance: u, lanes: s.lanes, rate: noPacing, line: u.line, gauge: newGauge(1)}
	done := make(chan error, 3)
	go func() { done <- d.run(ctx) }()
	go func() { done <- r.run(ctx) }()
	go func() {
		for {
			select {
			case <-s.lanes.progress:
			case <-ctx.Done():
				done <- nil
				return
			}
		}
	}()
	b.SetBytes(int64(len(u.pcm)))
	b.ReportAllocs()
	for b.Loop() {
		r.written("palabras y ")
		u.next <- struct{}{}
		<-conn.frames
	}
	cancel()
	for range 3 {
		<-done
	}
}
