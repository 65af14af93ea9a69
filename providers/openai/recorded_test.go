package openai_test

import (
	"os"
	"testing"

	"kalami/providers"
	"kalami/providers/openai"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

func TestTranscriberConforms(t *testing.T) {
	recording, err := os.ReadFile("../simulate/testdata/en-01-clean.wav")
	if err != nil {
		t.Fatal(err)
	}
	for _, model := range []string{"whisper-1", "gpt-4o-mini-transcribe"} {
		t.Run(model, func(t *testing.T) {
			providertest.Transcriber(t, providertest.TranscriberUnderTest{
				Vendor:    simulate.OpenAI,
				Spent:     simulate.Fault{Status: 429, Message: "insufficient_quota"},
				Recording: recording, Text: simulate.Scripts()["en"].Turns[0].Learner,
				Words: model == "whisper-1", Bare: model != "whisper-1",
				New: func(t *testing.T, at providertest.VoiceEndpoint) providers.Transcriber {
					tr, err := openai.NewTranscriber(openai.TranscriberOptions{Endpoint: openai.Endpoint{Key: at.Key, BaseURL: at.BaseURL + "/v1"}, Model: model})
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(tr.Close)
					return tr
				},
			})
		})
	}
}

func newSynthesizer(t *testing.T, opt openai.SynthesizerOptions) *openai.Synthesizer {
	t.Helper()
	s, err := openai.NewSynthesizer(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestSynthesizerConforms(t *testing.T) {
	for _, model := range []string{"gpt-4o-mini-tts", "tts-1"} {
		t.Run(model, func(t *testing.T) {
			providertest.Synthesizer(t, providertest.SynthesizerUnderTest{
				Vendor: simulate.OpenAI,
				Spent:  simulate.Fault{Status: 429, Message: "insufficient_quota"},
				Voice:  "coral",
				New: func(t *testing.T, at providertest.VoiceEndpoint) providers.Synthesizer {
					return newSynthesizer(t, openai.SynthesizerOptions{Endpoint: openai.Endpoint{Key: at.Key, BaseURL: at.BaseURL + "/v1"}, Model: model})
				},
			})
		})
	}
}
