package elevenlabs_test

import (
	"testing"

	"kalami/providers"
	"kalami/providers/elevenlabs"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

func newSynthesizer(t *testing.T, opt elevenlabs.SynthesizerOptions) *elevenlabs.Synthesizer {
	t.Helper()
	s, err := elevenlabs.NewSynthesizer(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestSynthesizerConforms(t *testing.T) {
	providertest.Synthesizer(t, providertest.SynthesizerUnderTest{
		Vendor: simulate.ElevenLabs,
		Spent:  simulate.Fault{Status: 401, Message: "quota_exceeded: This request exceeds your quota of 10000."},
		Voice:  "simulated-en",
		New: func(t *testing.T, at providertest.VoiceEndpoint) providers.Synthesizer {
			return newSynthesizer(t, elevenlabs.SynthesizerOptions{Key: at.Key, BaseURL: at.BaseURL})
		},
	})
}
