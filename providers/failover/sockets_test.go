package failover_test

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"kalami/providers"
	"kalami/providers/anthropic"
	"kalami/providers/deepgram"
	"kalami/providers/elevenlabs"
	"kalami/providers/failover"
	"kalami/providers/openai"
	"kalami/providers/simulate"
)

// served is a simulator behind a real socket, with faults in it.
func served(t *testing.T, faults ...simulate.Fault) (url string) {
	t.Helper()
	sim := simulate.New(simulate.Options{Key: key})
	for _, f := range faults {
		sim.Inject(f)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		sim.Close()
		server.Close()
	})
	return server.URL
}

// Claude fails over its real socket, before its first word or after some; GPT answers, or
// goes on from what was said. The reply is the one that was meant, to the letter.
func TestModelsOverSockets(t *testing.T) {
	es := simulate.Scripts()["es"]
	for name, f := range map[string]simulate.Fault{
		"cut after tokens":      {Kind: simulate.FaultCut, After: 6},
		"cut at once":           {Kind: simulate.FaultCut},
		"200, then an error":    {Kind: simulate.FaultStreamError},
		"an error after tokens": {Kind: simulate.FaultStreamError, After: 6},
		"an end without an end": {Kind: simulate.FaultEnd, After: 6},
		"overloaded":            {Kind: simulate.FaultStatus, Status: 529, RetryAfter: 1},
	} {
		t.Run(name, func(t *testing.T) {
			f.Vendor = simulate.Anthropic
			first, err := anthropic.New(anthropic.Options{Key: key, BaseURL: served(t, f)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(first.Close)
			second, err := openai.NewTutor(openai.TutorOptions{Endpoint: openai.Endpoint{Key: key, BaseURL: served(t) + "/v1"}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(second.Close)
			tutor := choice(t, first, second)
			p := providers.Prompt{System: "Teach Spanish (es).", MaxTokens: 200,
				Lines: []providers.Line{{Role: providers.RoleLearner, Text: es.Turns[0].Learner}}}
			var by string
			for legs := 0; by == "" && legs < 2; legs++ {
				for d, err := range tutor.Reply(t.Context(), p) {
					p.Said += d.Text
					if d.Done {
						by = d.Model
					}
					if broke, ok := errors.AsType[*providers.Error](err); ok {
						p.Avoid = append(p.Avoid, broke.Vendor)
					} else if err != nil {
						t.Fatal(err)
					}
				}
			}
			if letters(p.Said) != letters(es.Turns[0].Tutor) || !strings.HasPrefix(by, "openai/") {
				t.Errorf("%q by %q, want %q", p.Said, by, es.Turns[0].Tutor)
			}
			if mid := f.After > 0; mid != (len(p.Avoid) == 1) {
				t.Errorf("broken off by %v", p.Avoid)
			}
		})
	}
}

// ElevenLabs fails over its real socket, and OpenAI's voice goes on: the marks spell the
// whole text, once.
func TestVoicesOverSockets(t *testing.T) {
	es := simulate.Scripts()["es"]
	for name, f := range map[string]simulate.Fault{
		"cut before a frame":   {Kind: simulate.FaultCut},
		"cut after frames":     {Kind: simulate.FaultCut, After: 3},
		"closed":               {Kind: simulate.FaultClose, After: 2, Status: 1011},
		"an error":             {Kind: simulate.FaultStreamError, After: 1},
		"one context too many": {Kind: simulate.FaultContextLimit},
		"refused":              {Kind: simulate.FaultStatus, Status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			f.Vendor, f.Times = simulate.ElevenLabs, -1
			first, err := elevenlabs.New(elevenlabs.Options{Key: key, BaseURL: served(t, f)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(first.Close)
			second, err := openai.NewVoice(openai.VoiceOptions{Endpoint: openai.Endpoint{Key: key, BaseURL: served(t) + "/v1"}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(second.Close)
			voice := failover.NewVoice(failover.Options{}, first, second)
			t.Cleanup(voice.Close)
			r := recite(t, voice, es.Turns[1].Tutor[:strings.Index(es.Turns[1].Tutor, "Hoy")], es.Turns[1].Tutor[strings.Index(es.Turns[1].Tutor, "Hoy"):])
			if !errors.Is(r.err, io.EOF) || len(r.pcm) < 2*speakerRate || r.vendors[len(r.vendors)-1] != "openai" {
				t.Fatalf("%d bytes by %v, %v", len(r.pcm), r.vendors, r.err)
			}
			var spelled strings.Builder
			for _, m := range r.marks {
				spelled.WriteString(m.Char)
			}
			if len(r.vendors) > 1 && letters(spelled.String()) != letters(es.Turns[1].Tutor) {
				t.Errorf("the marks spell %q", spelled.String())
			}
		})
	}
}

// Deepgram's Nova is cut over its real socket in the middle of a sentence, and Flux hears
// it whole.
func TestEarsOverSockets(t *testing.T) {
	line := simulate.Scripts()["es"].Turns[0].Learner
	t.Parallel() // it takes as long as the sentence
	var ears []failover.Ear
	for i, e := range []deepgram.Endpoint{deepgram.Nova, deepgram.Flux} {
		var faults []simulate.Fault
		if i == 0 {
			faults = append(faults, simulate.Fault{Vendor: simulate.Deepgram, Kind: simulate.FaultCut, After: 4, Times: -1})
		}
		client, err := deepgram.New(deepgram.Options{Key: key, BaseURL: served(t, faults...), Endpoint: func(string) deepgram.Endpoint { return e }})
		if err != nil {
			t.Fatal(err)
		}
		ears = append(ears, failover.Ear{Recognizer: client})
	}
	l := hearing(t, failover.RecognizerOptions{}, ears...)
	l.say(samples(t, "en-01-clean"))
	events := l.drained()
	wellFormed(t, events)
	var texts []string
	for _, h := range events {
		if h.Kind == providers.HeardEnd && h.Text != "" {
			texts = append(texts, strings.Trim(h.Text, "."))
		}
	}
	if got := strings.Join(texts, " "); got != strings.Trim(line, ".") {
		t.Errorf("heard %q%s", got, story(events))
	}
}
