package openai_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/http"
	"testing"

	"kalami/providers"
	"kalami/providers/openai"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

// voiced makes a hum that rises and falls like speech, and the quiet after it.
func voiced(ms, quietMS int) []byte {
	pcm := make([]byte, 0, 32*(ms+quietMS))
	for i := range 16 * (ms + quietMS) {
		v := 0.0
		if i < 16*ms {
			t := float64(i) / 16000
			v = 6000 * math.Sin(2*math.Pi*140*t) * (0.6 + 0.4*math.Sin(2*math.Pi*4*t))
		}
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(v)))
	}
	return pcm
}

// live is a recogniser through a simulator on connections in memory.
func live(t *testing.T, model string) (*simulate.Server, *openai.Recognizer) {
	t.Helper()
	sim := simulate.New(simulate.Options{Key: key})
	tr := newTranscriber(t, openai.TranscriberOptions{Model: model,
		Endpoint: openai.Endpoint{BaseURL: "http://openai.test/v1", Transport: providertest.Serve(t, sim).Transport}})
	t.Cleanup(sim.Close)
	return sim, openai.NewRecognizer(tr)
}

func TestRecognizerConforms(t *testing.T) {
	// The hiss of a room: what is louder is a voice to an ear for energy, and whether
	// that has words is up to the engine.
	noise, rng := make([]byte, 0, 64_000), rand.New(rand.NewPCG(1, 1))
	for range 32_000 {
		noise = binary.LittleEndian.AppendUint16(noise, uint16(int16(rng.NormFloat64()*80)))
	}
	for _, model := range []string{"whisper-1", "gpt-4o-mini-transcribe"} {
		t.Run(model, func(t *testing.T) {
			providertest.RecognizerBySegments(t, func(t *testing.T) providertest.RecognizerFixture {
				sim, r := live(t, model)
				return providertest.RecognizerFixture{
					Recognizer: r,
					Options:    providers.ListenOptions{Language: "en", SampleRate: 16000},
					Speech:     voiced(2000, 1000), Text: simulate.Scripts()["en"].Turns[0].Learner, Noise: noise,
					Fail: func(f providertest.RecognizerFailure) { sim.Inject(liveFault(f)) },
				}
			})
		})
	}
}

// liveFault says in the simulator's words what the suite asks for.
func liveFault(f providertest.RecognizerFailure) simulate.Fault {
	out := simulate.Fault{Vendor: simulate.OpenAI}
	switch f {
	case providertest.RefusedKey:
		out.Kind, out.Status = simulate.FaultStatus, http.StatusUnauthorized
	case providertest.RefusedBusy:
		out.Kind, out.Status = simulate.FaultStatus, http.StatusTooManyRequests
		out.RetryAfter = int(providertest.BusyWait.Seconds())
	case providertest.CutOff:
		out.Kind = simulate.FaultCut
	case providertest.Garbled:
		out.Kind = simulate.FaultGarbage
	}
	return out
}

// A voice without a pause is cut where the engine's limit is, and goes on.
func TestEndlessVoiceIsCut(t *testing.T) {
	_, r := live(t, "whisper-1")
	s, err := r.Listen(t.Context(), providers.ListenOptions{Language: "en", SampleRate: 16000})
	if err != nil {
		t.Fatal(err)
	}
	ends := make(chan []providers.Heard)
	go func() {
		var all []providers.Heard
		for h := range s.Events() {
			if h.Kind == providers.HeardEnd {
				all = append(all, h)
			}
		}
		ends <- all
	}()
	var pcm []byte
	for range 25 { // with gaps that are no pause
		pcm = append(pcm, voiced(2600, 200)...)
	}
	if err := s.Send(t.Context(), pcm); err != nil {
		t.Fatal(err)
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := <-ends
	if len(got) != 3 || got[1].StartMS < 30_000 || got[1].StartMS > 30_200 || got[2].StartMS < 60_000 {
		t.Errorf("segments %+v, want three, cut at 30 s", got)
	}
}

// Audio that cannot be heard is refused by name.
func TestListenRefuses(t *testing.T) {
	_, r := live(t, "whisper-1")
	for name, opt := range map[string]providers.ListenOptions{
		"encoding": {SampleRate: 16000, Encoding: "opus"},
		"rate":     {SampleRate: 4000},
	} {
		if _, err := r.Listen(t.Context(), opt); providers.KindOf(err) != providers.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
}
