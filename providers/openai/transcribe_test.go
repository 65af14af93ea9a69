package openai_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kalami/providers"
	"kalami/providers/openai"
	"kalami/providers/simulate"
)

// wav makes a mono file of a tone at 16 kHz; amplitude 0 is silence.
func wav(length time.Duration, amplitude float64) []byte {
	n := int(16000 * length.Seconds())
	le := binary.LittleEndian
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(le.AppendUint16(b, 1), 1)
	b = le.AppendUint32(le.AppendUint32(b, 16000), 32000)
	b = le.AppendUint16(le.AppendUint16(b, 2), 16)
	b = le.AppendUint32(append(b, "data"...), uint32(2*n))
	for i := range n {
		b = le.AppendUint16(b, uint16(int16(amplitude*math.Sin(float64(i)/8))))
	}
	return b
}

func newTranscriber(t *testing.T, opt openai.TranscriberOptions) *openai.Transcriber {
	t.Helper()
	opt.Key = key
	tr, err := openai.NewTranscriber(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

func TestTranscribe(t *testing.T) {
	_, base := startSimulator(t, simulate.Latency{})
	script := simulate.Scripts()["es"]
	at := openai.Endpoint{BaseURL: base}
	whisper := newTranscriber(t, openai.TranscriberOptions{Endpoint: at})
	mini := newTranscriber(t, openai.TranscriberOptions{Endpoint: at, Model: "gpt-4o-mini-transcribe"})

	got, err := whisper.Transcribe(t.Context(), providers.Recording{
		Audio: wav(1500*time.Millisecond, 8000), Format: providers.WAV, Language: "es-MX"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != script.Turns[0].Learner || got.Language != "es" || got.Duration != 1500*time.Millisecond || got.RequestID == "" || got.Model != "whisper-1" || math.Abs(got.Confidence-math.Exp(-0.2)) > 1e-9 {
		t.Errorf("got %+v", got)
	}
	if len(got.Words) < 2 || got.Words[0].StartMS != 0 || got.Words[len(got.Words)-1].EndMS != 1500 {
		t.Errorf("the words are at %+v", got.Words)
	}
	got, err = mini.Transcribe(t.Context(), providers.Recording{Audio: wav(time.Second, 8000), Language: "es"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Text != script.Turns[1].Learner || got.Language != "es" || got.Duration != time.Second || got.Confidence != 0 {
		t.Errorf("got %+v", got)
	}
	got, err = whisper.Transcribe(t.Context(), providers.Recording{Audio: wav(time.Second, 0)})
	if err != nil || got.Text != "" || got.Confidence != 0 {
		t.Errorf("silence became %+v, %v", got, err)
	}
}

func TestTranscribeFails(t *testing.T) {
	sim, base := startSimulator(t, simulate.Latency{})
	tr := newTranscriber(t, openai.TranscriberOptions{Endpoint: openai.Endpoint{BaseURL: base}})
	audio := wav(time.Second, 8000)
	for _, c := range []struct {
		name  string
		fault simulate.Fault
		want  providers.Kind
	}{
		{"wrong key", simulate.Fault{Kind: simulate.FaultStatus, Status: 401}, providers.Denied},
		{"rate limit", simulate.Fault{Kind: simulate.FaultStatus, Status: 429, RetryAfter: 5}, providers.Overloaded},
		{"server error", simulate.Fault{Kind: simulate.FaultStatus, Status: 500}, providers.Unavailable},
		{"cut", simulate.Fault{Kind: simulate.FaultCut}, providers.Unavailable},
	} {
		c.fault.Vendor = simulate.OpenAI
		sim.Inject(c.fault)
		_, err := tr.Transcribe(t.Context(), providers.Recording{Audio: audio})
		if e, ok := errors.AsType[*providers.Error](err); !ok || e.Kind != c.want || e.RetryAfter != time.Duration(c.fault.RetryAfter)*time.Second {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	why := errors.New("hung up")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := tr.Transcribe(ctx, providers.Recording{Audio: audio}); err != why {
		t.Errorf("cancelled: %v", err)
	}
	for name, size := range map[string]int{"empty": 0, "too large": providers.MaxRecording + 1} {
		if _, err := tr.Transcribe(t.Context(), providers.Recording{Audio: make([]byte, size)}); providers.KindOf(err) != providers.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTranscribeBadAnswers(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"not JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"broken JSON": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"text":`)
		},
		"string error": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(503)
			_, _ = io.WriteString(w, `{"error":"loading"}`)
		},
	} {
		engine := httptest.NewServer(answer)
		tr := newTranscriber(t, openai.TranscriberOptions{Endpoint: openai.Endpoint{BaseURL: engine.URL}})
		_, err := tr.Transcribe(t.Context(), providers.Recording{Audio: []byte("RIFF")})
		if providers.KindOf(err) != providers.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
		engine.Close()
	}
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer slow.Close()
	tr := newTranscriber(t, openai.TranscriberOptions{Endpoint: openai.Endpoint{BaseURL: slow.URL}, Timeout: 50 * time.Millisecond})
	if _, err := tr.Transcribe(t.Context(), providers.Recording{Audio: []byte("RIFF")}); providers.KindOf(err) != providers.Unavailable || !strings.Contains(err.Error(), "no transcript within 50ms") {
		t.Errorf("slow: %v", err)
	}
}
