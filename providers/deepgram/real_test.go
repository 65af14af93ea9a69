package deepgram_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"kalami/providers"
	"kalami/providers/deepgram"
)

// TestRealRecogniser lets a real engine behind Deepgram's protocol hear a learner
// in real time through our client. REALSPEECH_URL is its address.
func TestRealRecogniser(t *testing.T) {
	base := os.Getenv("REALSPEECH_URL")
	if base == "" {
		t.Skip("REALSPEECH_URL names no real recogniser")
	}
	client, err := deepgram.New(deepgram.Options{Key: "any", BaseURL: base, Endpoint: func(string) deepgram.Endpoint { return deepgram.Nova }})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, client, english16k)
	var ends []string
	var words, updates int
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for h := range s.Events() {
			switch h.Kind {
			case providers.HeardUpdate:
				updates++
			case providers.HeardEnd:
				ends, words = append(ends, h.Text), words+len(h.Words)
			}
		}
	}()
	audio := samples(t, cleanWAV)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(audio) > 0 {
		n := min(640, len(audio))
		if err := s.Send(t.Context(), audio[:n]); err != nil {
			t.Fatal(err)
		}
		audio = audio[n:]
		<-tick.C
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-heard
	text := strings.ToLower(strings.Join(ends, " "))
	t.Logf("%d updates, %d segments, %d words: %s", updates, len(ends), words, text)
	for _, w := range []string{"book", "table", "two", "people", "eight"} {
		if !strings.Contains(text, w) {
			t.Errorf("%q was not heard", w)
		}
	}
	if updates == 0 || words == 0 {
		t.Error("nothing was heard while the learner spoke")
	}
}
