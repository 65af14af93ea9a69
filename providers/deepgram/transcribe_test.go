package deepgram_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
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

// Who measures how somebody spoke is told what was said: no formatting, sounds of hesitation
// where the vendor has them, and nothing that would make a word likelier than another.
func TestTranscriberVerbatim(t *testing.T) {
	recording, err := os.ReadFile(cleanWAV)
	if err != nil {
		t.Fatal(err)
	}
	sim := simulate.New(simulate.Options{Engine: "none"})
	var asked url.Values
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query()
		sim.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		sim.Close()
		web.Close()
	})
	tr := newTranscriber(t, deepgram.TranscriberOptions{BaseURL: web.URL})
	for language, fillers := range map[string]bool{"en-GB": true, "es": false} {
		heard, err := tr.Transcribe(t.Context(), providers.Recording{Audio: recording, Format: providers.WAV, Language: language, Verbatim: true})
		if err != nil || heard.Fillers != fillers || heard.Vendor != "deepgram" || heard.Text == "" {
			t.Fatalf("%s: %+v, %v", language, heard, err)
		}
		if asked.Get("smart_format") == "true" || asked.Has("keyterm") || asked.Has("keywords") || asked.Has("numerals") ||
			(asked.Get("filler_words") == "true") != fillers {
			t.Errorf("%s: asked with %v", language, asked)
		}
	}
}
