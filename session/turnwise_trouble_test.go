package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// Neither a voice nor an analyst that fails undoes the turn; the learner is told what
// is missing.
func TestTurnStandsWithoutVoiceOrAnalysis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := &providers.Error{Kind: providers.Unavailable, Vendor: "x", Op: "y"}
		for name, tt := range map[string]struct {
			change          func(*turnsHouse)
			voice, analysed bool
			takes           time.Duration
		}{
			"all is well":             {func(*turnsHouse) {}, true, true, 20 * time.Millisecond},
			"no voice":                {func(h *turnsHouse) { h.mouth.err = down }, false, true, 20 * time.Millisecond},
			"a voice that breaks off": {func(h *turnsHouse) { h.mouth.breaks = down }, false, true, 20 * time.Millisecond},
			"no analyst":              {func(h *turnsHouse) { h.analyst.err = down }, true, false, 20 * time.Millisecond},
			"an analyst that raves":   {func(h *turnsHouse) { h.analyst.answer = `"yes"` }, true, false, 20 * time.Millisecond},
			"an analyst that panics":  {func(h *turnsHouse) { h.analyst.panics = true }, true, false, 20 * time.Millisecond},
			"an analyst that sleeps":  {func(h *turnsHouse) { h.analyst.takes = time.Hour }, true, false, analysisWait + 20*time.Millisecond},
			"a store that is full":    {func(h *turnsHouse) { h.store.fail = map[string]error{"SaveAnalysis": errBroken} }, true, false, 20 * time.Millisecond},
		} {
			h := newTurnsHouse(t)
			tt.change(h)
			start := time.Now()
			got, err := h.Take(t.Context(), typed("Hola."))
			if err != nil || h.store.said() != "Hola. [Good.]" {
				t.Errorf("%s: %v, stored %q", name, err, h.store.said())
			}
			if (got.Clip != nil) != tt.voice || (got.VoiceErr == nil) != tt.voice || got.Analysed != tt.analysed {
				t.Errorf("%s: clip %q, %v; analysed %v", name, got.Clip, got.VoiceErr, got.Analysed)
			}
			if took := time.Since(start); took != tt.takes {
				t.Errorf("%s: took %v, want %v", name, took, tt.takes)
			}
		}
	})
}

// A client that leaves ends the step that is under way; what was stored stays, and a
// reply that is complete is stored even so.
func TestClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("the client has gone")
		for name, tt := range map[string]struct {
			at     TurnStep
			stored string
			err    error
		}{
			"while it is heard":      {TurnTranscribing, "", gone},
			"while the tutor thinks": {TurnThinking, "Hola.", gone},
			"while it is spoken":     {TurnSpeaking, "Hola. [Good.]", nil},
		} {
			h, r := newTurnsHouse(t), recorded()
			h.ear.heard.Text, h.ear.takes = "Hola.", time.Second
			ctx, cancel := context.WithCancelCause(t.Context())
			r.Progress = func(p TurnProgress) {
				if p.Step == tt.at {
					cancel(gone)
				}
			}
			_, err := h.Take(ctx, r)
			if err != tt.err || h.store.said() != tt.stored {
				t.Errorf("%s: %v, stored %q", name, err, h.store.said())
			}
			cancel(nil)
		}
	})
}

// A store that fails for a moment loses nothing and stores nothing twice; one that
// stays down is told to the client, before the tutor is paid.
func TestStoreFailsForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := learn.Errorf(learn.Unavailable, "turnStore", "down")
		h := newTurnsHouse(t)
		h.store.refuse = []error{down, down, nil, down}
		if _, err := h.Take(t.Context(), typed("Hola.")); err != nil || h.store.said() != "Hola. [Good.]" {
			t.Errorf("%v, stored %q", err, h.store.said())
		}
		h = newTurnsHouse(t)
		h.store.refuse = []error{down, down, down}
		if _, err := h.Take(t.Context(), typed("Hola.")); learn.KindOf(err) != learn.Unavailable || len(h.tutor.prompts) != 0 {
			t.Errorf("%v, the tutor was asked %d times", err, len(h.tutor.prompts))
		}
	})
}

// Learners in silent mode are shown nothing, and nobody is shown what the recogniser
// may have misheard; both is kept.
func TestCorrectionsThatAreNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const found = `{"understood":true,"new_words":[],"corrections":[
			{"original":"soy","corrected":"estoy","category":"word_choice","severity":"major","explanation":"x","confidence":0.9},
			{"original":"cansada","corrected":"cansado","category":"gender","severity":"minor","explanation":"x","confidence":0.9}]}`
		for mode, shown := range map[learn.CorrectionMode]int{"": 1, learn.CorrectFlow: 1, learn.CorrectStrict: 1, learn.CorrectSilent: 0} {
			h, r := newTurnsHouse(t), recorded()
			r.Profile.CorrectionMode = mode
			h.ear.heard = providers.Transcript{Text: "soy cansada", Words: []providers.Word{{Text: "soy", Confidence: 0.9}, {Text: "cansada", Confidence: 0.3}}}
			h.analyst.answer = found
			got, err := h.Take(t.Context(), r)
			if err != nil || len(got.Corrections) != shown || len(h.store.analyses[0].Corrections) != 2 {
				t.Errorf("mode %q: %+v, %v, kept %+v", mode, got.Corrections, err, h.store.analyses)
			}
		}
	})
}

func TestVoicedTime(t *testing.T) {
	words := func(at ...int) (w []providers.Word) {
		for i := 0; i < len(at); i += 2 {
			w = append(w, providers.Word{StartMS: at[i], EndMS: at[i+1]})
		}
		return w
	}
	for name, tt := range map[string]struct {
		words         []providers.Word
		known, vendor int
		want          int
	}{
		"no words, known length":           {nil, 4000, 5000, 4000},
		"no words, the vendor's":           {nil, 0, 5000, 5000},
		"nothing known":                    {nil, 0, 0, 0},
		"a pause between words":            {words(1000, 1400, 2500, 3000), 4000, 0, 900},
		"breath between words":             {words(1000, 1400, 1699, 2000), 4000, 0, 1000},
		"just a pause":                     {words(1000, 1400, 1700, 2000), 4000, 0, 700},
		"words out of order":               {words(1500, 2000, 1000, 1400), 4000, 0, 1000},
		"words that overlap":               {words(1000, 2000, 1500, 1800, 1900, 2100), 4000, 0, 1100},
		"words that end before they begin": {words(1000, 900), 4000, 0, 4000},
		"words without times":              {words(0, 0, 0, 0), 4000, 0, 4000},
		"words beyond the recording":       {words(0, 9000), 4000, 0, 4000},
		"words of unknown length":          {words(100, 900), 0, 0, 800},
		"times before the beginning":       {words(-500, 500), 4000, 0, 500},
	} {
		tr := providers.Transcript{Words: tt.words, Duration: time.Duration(tt.vendor) * time.Millisecond}
		if got := voicedTime(tr, time.Duration(tt.known)*time.Millisecond); got != time.Duration(tt.want)*time.Millisecond {
			t.Errorf("%s: %v, want %d ms", name, got, tt.want)
		}
	}
}
