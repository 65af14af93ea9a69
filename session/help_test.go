package session

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session/learn"
)

// helpDesk is help for the one conversation of a turnStore, in which three things were said.
func helpDesk() (*Help, *turnStore, *fakeAnalyst, *fakeSynthesizer, HelpRequest) {
	store, analyst, voice := newTurnStore(), &fakeAnalyst{}, &fakeSynthesizer{}
	store.messages = []learn.Message{
		{ID: "m1", UtteranceID: "u1", Speaker: learn.SpeakerTutor, Content: "¿Qué hiciste ayer?", Heard: "¿Qué hiciste ayer?"},
		{ID: "m2", UtteranceID: "u2", Speaker: learn.SpeakerLearner, Content: "Fui al cine.", Heard: "Fui al cine."},
		{ID: "m3", UtteranceID: "u3", Speaker: learn.SpeakerTutor, Content: "¡Qué bien! ¿Con quién?", Heard: "¡Qué bien!", Interrupted: true},
	}
	r := HelpRequest{User: learn.User{ID: "u1", NativeLanguage: "en"}, ConversationID: "c1",
		Profile: learn.Profile{ID: "p1", TenantID: "personal", TargetLanguage: "es", Level: learn.B1, VoiceID: "v1", SpeechRate: 0.8}}
	return &Help{Analyst: analyst, Synthesizer: voice, Store: store, Log: slog.New(slog.DiscardHandler)}, store, analyst, voice, r
}

// By REST a learner gets a hint, and from a list when the model is away; none when the
// conversation is over or somebody else's.
func TestHelpHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, store, a, _, r := helpDesk()
		a.answer = `{"hint":"Say with whom."}`
		if got, err := h.Hint(t.Context(), r); err != nil || got != (Hint{Text: "Say with whom.", Language: "en"}) {
			t.Errorf("%+v, %v", got, err)
		}
		a.takes = time.Hour
		asked := time.Now()
		if got, err := h.Hint(t.Context(), r); err != nil || got != (Hint{Text: learn.Opener("es", learn.B1, 3), Language: "es"}) || time.Since(asked) != helpWait {
			t.Errorf("%+v, %v after %v", got, err, time.Since(asked))
		}
		other := r
		other.User.ID = "u2"
		if _, err := h.Hint(t.Context(), other); learn.KindOf(err) != learn.NotFound {
			t.Errorf("somebody else: %v", err)
		}
		store.end()
		if _, err := h.Hint(t.Context(), r); !errors.Is(err, ErrEnded) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A message is translated as far as it was heard, once; what it knows of one learner it does
// not tell another, and after an hour it asks again.
func TestHelpTranslate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, store, a, _, r := helpDesk()
		a.answer = `{"translation":"How nice!"}`
		want := Translation{Source: "¡Qué bien!", Text: "How nice!", Language: "en", ItemID: "u3"}
		for range 2 {
			if got, err := h.Translate(t.Context(), r, "m3", ""); err != nil || got != want {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if n := a.count(); n != 1 {
			t.Errorf("%d questions", n)
		}
		if _, err := h.translation(t.Context(), "personal/u2", learn.Foreign{Language: "es", NativeLanguage: "en", Text: "¡Qué bien!"}); err != nil || a.count() != 2 {
			t.Errorf("somebody else: %v after %d questions", err, a.count())
		}
		time.Sleep(translationLife)
		if _, err := h.Translate(t.Context(), r, "", "¡Qué bien!"); err != nil || a.count() != 3 {
			t.Errorf("an hour later: %v after %d questions", err, a.count())
		}
		store.messages[1].Content = strings.Repeat("a", learn.TranslatedMost+1)
		if _, err := h.Translate(t.Context(), r, "m2", ""); learn.KindOf(err) != learn.Invalid {
			t.Errorf("too long: %v", err)
		}
		if _, err := h.Translate(t.Context(), r, "m9", ""); learn.KindOf(err) != learn.NotFound {
			t.Errorf("no message: %v", err)
		}
		a.err = errBroken
		if _, err := h.Translate(t.Context(), r, "m1", ""); learn.KindOf(err) != learn.Unavailable {
			t.Errorf("without a model: %v", err)
		}
	})
}

// The clip is of the whole of the tutor's last reply, at three quarters of the pace.
func TestHelpRepeat(t *testing.T) {
	h, store, _, voice, r := helpDesk()
	for slow, speed := range map[bool]float64{true: learn.SlowRate(0.8), false: 0.8} {
		mp3, err := h.Repeat(t.Context(), r, slow)
		if err != nil || len(mp3) == 0 {
			t.Fatalf("%d bytes, %v", len(mp3), err)
		}
		if s := voice.asked[len(voice.asked)-1]; s.Text != "¡Qué bien! ¿Con quién?" || s.Speed != speed || s.VoiceID != "v1" || s.Language != "es" {
			t.Errorf("the script was %+v", s)
		}
	}
	store.messages = store.messages[1:2]
	if _, err := h.Repeat(t.Context(), r, true); learn.KindOf(err) != learn.NotFound {
		t.Errorf("nothing said: %v", err)
	}
}

// A node remembers the latest translations, and no more than it may.
func TestTranslationsKept(t *testing.T) {
	var known translations
	now := time.Now()
	for i := range 2 * translationsKept {
		known.put(translationKey{text: strings.Repeat("x", i)}, "y", now)
	}
	if len(known.of) != translationsKept || len(known.oldest) != translationsKept {
		t.Errorf("%d and %d are kept", len(known.of), len(known.oldest))
	}
	if _, ok := known.get(translationKey{text: strings.Repeat("x", 2*translationsKept-1)}, now); !ok {
		t.Error("the latest is forgotten")
	}
}
