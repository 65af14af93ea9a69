package deepgram_test

import (
	"os"
	"testing"

	"kalami/providers"
	"kalami/providers/deepgram"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

func newTranscriber(t *testing.T, opt deepgram.TranscriberOptions) *deepgram.Transcriber {
	t.Helper()
	tr, err := deepgram.NewTranscriber(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

func TestTranscriberConforms(t *testing.T) {
	recording, err := os.ReadFile(cleanWAV)
	if err != nil {
		t.Fatal(err)
	}
	providertest.Transcriber(t, providertest.TranscriberUnderTest{
		Vendor:    simulate.Deepgram,
		Spent:     simulate.Fault{Status: 402},
		Recording: recording, Text: english, Words: true,
		New: func(t *testing.T, at providertest.VoiceEndpoint) providers.Transcriber {
			return newTranscriber(t, deepgram.TranscriberOptions{Key: at.Key, BaseURL: at.BaseURL})
		},
	})
}
