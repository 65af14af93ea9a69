package failover_test

import (
	"context"
	"testing"

	"kalami/providers"
	"kalami/providers/failover"
)

// deafEar takes audio and says that each second of it is final.
type deafEar struct{}

func (deafEar) Name() string { return "deaf" }

func (deafEar) Listen(context.Context, providers.ListenOptions) (providers.RecognitionStream, error) {
	return &deafStream{events: make(chan providers.Heard), closing: make(chan struct{})}, nil
}

type deafStream struct {
	events  chan providers.Heard
	closing chan struct{}
	ms      int
	segment int
}

func (s *deafStream) Send(_ context.Context, b []byte) error {
	s.ms += len(b) / 32
	if s.ms < 1000*(s.segment+1) {
		return nil
	}
	select {
	case s.events <- providers.Heard{Kind: providers.HeardEnd, Segment: s.segment, Text: "x", StartMS: s.ms, EndMS: s.ms}:
	case <-s.closing:
	}
	s.segment++
	return nil
}
func (s *deafStream) Flush(context.Context) error     { return nil }
func (s *deafStream) Finalize(context.Context) error  { return nil }
func (s *deafStream) KeepAlive(context.Context) error { return nil }
func (s *deafStream) Events() <-chan providers.Heard  { return s.events }
func (s *deafStream) Err() error                      { return nil }
func (s *deafStream) Drain(context.Context) error     { return s.Close() }
func (s *deafStream) Close() error {
	select {
	case <-s.closing:
	default:
		close(s.closing)
		close(s.events)
	}
	return nil
}

// BenchmarkFrame is what a frame of 20 ms costs on its way through a stream that could
// be said again: kept, looked at for a voice, handed to the feeder.
func BenchmarkFrame(b *testing.B) {
	r := failover.NewRecognizer(failover.RecognizerOptions{}, failover.Ear{Recognizer: deafEar{}, Replay: -1})
	defer r.Close()
	s, err := r.Listen(b.Context(), providers.ListenOptions{Language: "es", SampleRate: 16000})
	if err != nil {
		b.Fatal(err)
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for range s.Events() {
		}
	}()
	frame := make([]byte, 640)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Send(b.Context(), frame); err != nil {
			b.Fatal(err)
		}
	}
	_ = s.Close()
	<-heard
}
