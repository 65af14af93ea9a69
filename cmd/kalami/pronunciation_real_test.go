package main

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/deploy/bench/trial"
	"kalami/gateway/learner"
	"kalami/providers"
	"kalami/providers/deepgram"
	"kalami/providers/simulate"
	"kalami/session"
	"kalami/session/learn"
)

// The sentence of the recording that is assessed, and another text for it: two words are
// changed (like, table), one is missing (eight), and there is one more (nice).
const (
	spokenFixture = "en-01-clean"
	otherText     = "I would love to book a chair for two nice people at o'clock."
)

// realReading is a text for the recording, and what is to be found: how many words in a
// hundred were said as they stand there, and every word that was not, as "text>heard".
type realReading struct {
	text         string
	completeness float64
	differences  []string
}

func readings(t *testing.T) map[string]realReading {
	t.Helper()
	fixtures, err := trial.Fixtures(speechFolder)
	if err != nil {
		t.Fatal(err)
	}
	spoken := fixtures[slices.IndexFunc(fixtures, func(f trial.Fixture) bool { return f.Name == spokenFixture })].Text()
	return map[string]realReading{
		"what was said": {spoken, 100, nil},
		"another text": {otherText, 76.9, []string{
			"substitution love>like", "substitution chair>table", "omission nice>", "insertion >eight"}},
	}
}

// checkReading compares an assessment of the recording with what is to be found, and makes
// sure that a recogniser's word is not taken for a judgement of sounds.
func checkReading(t *testing.T, a learn.Assessment, want realReading) {
	t.Helper()
	var got []string
	for _, w := range a.Words {
		heard, text := "", w.Word
		if w.Heard != nil {
			heard = strings.ToLower(*w.Heard)
		}
		if w.RefIndex == nil {
			text = ""
		}
		if *w.Status != learn.WordMatch {
			got = append(got, string(*w.Status)+" "+strings.ToLower(text)+">"+heard)
		}
		if w.Accuracy != nil || w.Phonemes != nil {
			t.Errorf("a recogniser judged the sounds of %q", w.Word)
		}
	}
	if !slices.Equal(got, want.differences) {
		t.Errorf("found %q, want %q", got, want.differences)
	}
	if a.Mode != learn.Scripted || a.Scores.Completeness == nil || *a.Scores.Completeness != want.completeness {
		t.Errorf("%s, completeness %v, want %v", a.Mode, a.Scores.Completeness, want.completeness)
	}
	if a.Basis != learn.RecognitionBasis || a.Overall != nil || a.Scores.Accuracy != nil || a.Caveat == "" {
		t.Errorf("basis %s, overall %v, %+v, caveat %q", a.Basis, a.Overall, a.Scores, a.Caveat)
	}
	if a.Fluency.ArticulationWPM == nil || a.Fluency.VoicedMS < 2000 || a.Fluency.VoicedMS > a.Fluency.DurationMS {
		t.Errorf("fluency %+v", a.Fluency)
	}
}

// heardLive are ears that have heard already, and keep nothing.
type heardLive struct{ transcript providers.Transcript }

func (h heardLive) Transcribe(context.Context, string, providers.Recording) (providers.Transcript, error) {
	return h.transcript, nil
}

func (heardLive) SaveAssessment(_ context.Context, a learn.Assessment) (learn.Assessment, error) {
	return a, nil
}

func (heardLive) Consented(context.Context, string, string, learn.ConsentPurpose) (bool, error) {
	return false, nil
}

func (heardLive) TenantSettings(context.Context, string) (learn.TenantSettings, error) {
	return learn.TenantSettings{}, nil
}

// hearLive streams a recording to a recogniser as fast as it was spoken, and returns all
// that it heard.
func hearLive(t *testing.T, client providers.Recognizer, pcm []byte) providers.Transcript {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stream, err := client.Listen(ctx, providers.ListenOptions{Language: "en", SampleRate: 16000})
	if err != nil {
		t.Fatal(err)
	}
	out := providers.Transcript{Vendor: client.Name(), Language: "en", Duration: time.Duration(len(pcm)/2) * time.Second / 16000}
	var listening sync.WaitGroup
	listening.Go(func() {
		for h := range stream.Events() {
			if h.Kind == providers.HeardEnd {
				out.Words, out.Text = append(out.Words, h.Words...), out.Text+" "+h.Text
			}
		}
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for frame := range slices.Chunk(pcm, 640) {
		if err = stream.Send(ctx, frame); err != nil {
			break
		}
		<-tick.C
	}
	err = errors.Join(err, stream.Drain(ctx), stream.Close())
	listening.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A real recording is heard by a real recogniser over our client of Deepgram's live socket,
// and assessed: against what was said nothing is missing, and against another text exactly
// its differences are found.
func TestRealReadingHeardLive(t *testing.T) {
	client, err := deepgram.New(deepgram.Options{Key: "any", BaseURL: realEngines(t), DialTimeout: 10 * time.Second,
		Endpoint: func(string) deepgram.Endpoint { return deepgram.Nova }})
	if err != nil {
		t.Fatal(err)
	}
	heard := heardLive{hearLive(t, client, recording(t, spokenFixture))}
	t.Logf("heard %q", heard.transcript.Text)
	p := &session.Pronunciation{Ears: heard, Store: heard, Log: slog.New(slog.DiscardHandler)}
	for name, r := range readings(t) {
		t.Run(name, func(t *testing.T) {
			a, err := p.Assess(t.Context(), session.AssessRequest{TenantID: learn.PersonalTenant, Language: "en-US", Reference: r.text})
			if err != nil {
				t.Fatal(err)
			}
			checkReading(t, a, r)
			if a.Scores.Recognition == nil || !slices.Contains(a.Capabilities, learn.CanRecognition) {
				t.Errorf("how surely it was understood is not told: %+v, %v", a.Scores, a.Capabilities)
			}
		})
	}
}

// The same by POST /pronunciation/assess, with the engine as the server's own recogniser of
// recordings; it is in the history then.
func TestRealReadingSent(t *testing.T) {
	h := openHouse(t, backends()[0], simulate.BenchLatency(), "DEEPGRAM_API_KEY=", "OPENAI_API_KEY=", "KALAMI_RATE_LIMITS=false",
		"KALAMI_STT_BASE_URL="+realEngines(t)+"/v1")
	token := guest(t, h)
	wav := learner.Recording{Rate: 16000, PCM: recording(t, spokenFixture)}.WAV()
	all := readings(t)
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			var a, kept learn.Assessment
			ask(t, h, token, http.MethodPost, "/pronunciation/assess", jsonOf(t, map[string]any{"audio_base64": base64.StdEncoding.EncodeToString(wav),
				"language": "en", "reference_text": r.text}), http.StatusOK, &a)
			checkReading(t, a, r)
			ask(t, h, token, http.MethodGet, "/pronunciation/assessments/"+a.ID, "", http.StatusOK, &kept)
			checkReading(t, kept, r)
		})
	}
	var history []learn.Assessment
	ask(t, h, token, http.MethodGet, "/pronunciation/assessments", "", http.StatusOK, &history)
	if len(history) != len(all) {
		t.Errorf("%d in the history", len(history))
	}
}
