package session

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// A typed turn: both sides are stored, the mistake is corrected beside the answer, the
// answer is spoken at the learner's pace, and the model is asked once with all of it.
func TestTypedTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTurnsHouse(t)
		h.tutor.replies = []string{"Vaya, *está* usted cansado. ¿Quiere **sopa**? 🙂"}
		h.analyst.answer = `{"understood":true,"corrections":[{"original":"soy","corrected":"estoy","category":"word_choice","severity":"major","explanation":"Feelings take estar.","confidence":0.9}],
			"new_words":[{"lemma":"sopa","surface":"sopa","pos":"noun","translation":"soup","level":"A1"}]}`
		var steps []TurnProgress
		r := typed(" Yo soy muy cansado. ")
		r.Progress = func(p TurnProgress) { steps = append(steps, p) }
		got, err := h.Take(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		const reply = "Vaya, está usted cansado. ¿Quiere sopa?"
		if said, want := h.store.said(), "Yo soy muy cansado. ["+reply+"]"; said != want {
			t.Errorf("stored %q, want %q", said, want)
		}
		if !reflect.DeepEqual(h.store.messages, []learn.Message{got.Learner, got.Tutor}) {
			t.Errorf("stored %+v, answered %+v, %+v", h.store.messages, got.Learner, got.Tutor)
		}
		if m := got.Learner; m.Source != "text" || m.Audio != 0 || m.Seq != 1 || m.Turn != 1 || m.Heard != m.Content || m.ID == "" || m.Language != "es" {
			t.Errorf("the learner's message %+v", m)
		}
		if m := got.Tutor; m.Source != "voice" || m.Seq != 2 || m.Turn != 1 || m.Provider != "fake/1" || m.Tokens != 7 ||
			m.Timings != (learn.Timings{LLMFirstMS: 20}) {
			t.Errorf("the tutor's message %+v", m)
		}
		if string(got.Clip) != "mp3 of "+reply || got.VoiceErr != nil {
			t.Errorf("clip %q, %v", got.Clip, got.VoiceErr)
		}
		if want := []providers.Script{{Text: reply, Language: "es", VoiceID: "carmen", Speed: 0.9}}; !slices.Equal(h.mouth.asked, want) {
			t.Errorf("spoken %+v, want %+v", h.mouth.asked, want)
		}
		if len(got.Corrections) != 1 || got.Corrections[0].Original != "soy" || got.Corrections[0].ID == "" || len(got.NewWords) != 1 || !got.Analysed {
			t.Errorf("found %+v, %+v", got.Corrections, got.NewWords)
		}
		if a := h.store.analyses; len(a) != 1 || a[0].MessageID != got.Learner.ID || a[0].Provider != "head/1" ||
			a[0].ConversationID != "c1" || a[0].UserID != "u1" || a[0].TenantID != "personal" {
			t.Errorf("kept %+v", a)
		}
		if got.Conversation.Totals.Turns != 1 || got.Conversation.NextSeq != 3 || got.Conversation.Epoch != 2 {
			t.Errorf("conversation %+v", got.Conversation)
		}
		want := []TurnProgress{{TurnHeard, "Yo soy muy cansado."}, {TurnThinking, ""}, {TurnAnswered, reply}, {TurnSpeaking, ""}}
		if !slices.Equal(steps, want) {
			t.Errorf("steps %v, want %v", steps, want)
		}
		if strings.Contains(h.analyst.asked[0].System, "cansado") {
			t.Error("the learner's words stand in the analyst's instruction")
		}
	})
}

// A recorded turn counts the time in which the learner spoke, not the clock's.
func TestRecordedTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTurnsHouse(t)
		h.ear.takes = 700 * time.Millisecond
		h.ear.heard = providers.Transcript{Text: "Quiero sopa.", Model: "m1",
			Words: []providers.Word{{Text: "Quiero", StartMS: 1000, EndMS: 1400, Confidence: 0.9}, {Text: "sopa.", StartMS: 2500, EndMS: 3000}}}
		var steps []TurnStep
		r := recorded()
		r.Speak, r.Progress = false, func(p TurnProgress) { steps = append(steps, p.Step) }
		got, err := h.Take(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		m := got.Learner
		if m.Content != "Quiero sopa." || m.Source != "voice" || m.Audio != 900*time.Millisecond || m.Provider != "ear/m1" ||
			len(m.Words) != 2 || m.Words[1].StartMS != 1500 {
			t.Errorf("the learner's message %+v", m)
		}
		if got.Conversation.Totals.Learner != 900*time.Millisecond || got.Tutor.Timings.STTFinalMS != 700 || got.Tutor.Source != "text" {
			t.Errorf("totals %+v, tutor %+v", got.Conversation.Totals, got.Tutor)
		}
		if want := []TurnStep{TurnTranscribing, TurnHeard, TurnThinking, TurnAnswered}; !slices.Equal(steps, want) {
			t.Errorf("steps %v, want %v", steps, want)
		}
		if got.Clip != nil || len(h.mouth.asked) != 0 {
			t.Error("a clip that nobody asked for")
		}
	})
}

// A recording of silence is no turn: nothing is stored, no model and no voice is asked,
// and a live session goes on.
func TestUnheardTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, text := range []string{"", " ", " … ", "."} {
			h := newTurnsHouse(t)
			h.ear.heard.Text = text
			got, err := h.Take(t.Context(), recorded())
			if err != nil {
				t.Fatal(err)
			}
			if want := (TurnResult{Unheard: true, Conversation: newTurnStore().conversation}); !reflect.DeepEqual(got, want) {
				t.Errorf("%q: %+v", text, got)
			}
			if h.store.said() != "" || h.store.conversation.Epoch != 1 || len(h.tutor.prompts)+len(h.analyst.asked)+len(h.mouth.asked) != 0 {
				t.Errorf("%q: something was stored or asked", text)
			}
		}
	})
}

// The tutor breaks down after the learner's words were stored: they stay, and the next
// turn's model hears them, once.
func TestLearnersWordsOutliveTheTutor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, breakDown := range map[string]func(*fakeTutor){
			"fails":              func(f *fakeTutor) { f.fail = &providers.Error{Kind: providers.Quota, Vendor: "fake", Op: "reply"} },
			"breaks off":         func(f *fakeTutor) { f.breaks = true },
			"has nothing to say": func(f *fakeTutor) { f.replies = []string{"** 🙂"} },
		} {
			h := newTurnsHouse(t)
			breakDown(h.tutor)
			_, err := h.Take(t.Context(), typed("Hola."))
			if learn.KindOf(err) != learn.Unavailable || h.store.said() != "Hola." {
				t.Errorf("%s: %v, stored %q", name, err, h.store.said())
			}
			h.tutor.fail, h.tutor.breaks = nil, false
			if _, err := h.Take(t.Context(), typed("¿Me oye?")); err != nil {
				t.Fatal(err)
			}
			last := h.tutor.prompts[len(h.tutor.prompts)-1]
			want := []providers.Line{{Role: providers.RoleLearner, Text: "Hola."}, {Role: providers.RoleLearner, Text: "¿Me oye?"}}
			if !slices.Equal(last.Lines, want) {
				t.Errorf("%s: the model was told %q", name, last.Lines)
			}
		}
	})
}

// Live or turn by turn, the tutor is asked the same, here after an interruption.
func TestOnePromptForBothPaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, r := newTurnsHouse(t), typed("Yo también.")
		k := newTalk(t)
		k.params.User, k.params.Profile = r.User, r.Profile
		k.params.Config.Topic = h.store.conversation.Topic
		k.tutor.replies = []string{"Hola.", "Me alegro mucho de oírlo. ¿Qué tal el fin de semana?"}
		k.start()
		k.greeted()
		k.send(CreateItem{Text: "Buenos <días>."})
		k.mic(1500, false) // the answer is being spoken
		k.send(CreateItem{Text: r.Text})
		k.until("the tutor was asked", func() bool { k.tutor.mu.Lock(); defer k.tutor.mu.Unlock(); return len(k.tutor.prompts) == 3 })
		k.finish()

		h.store.messages, h.store.conversation.NextSeq = k.journal.stored()[:3], 4
		if m := h.store.messages[2]; !m.Interrupted || m.Heard == "" {
			t.Fatalf("the live answer was not interrupted: %+v", m)
		}
		if _, err := h.Take(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got, live := h.tutor.prompt(0), k.tutor.prompt(2); !reflect.DeepEqual(got, live) {
			t.Errorf("turn by turn %+v\nlive         %+v", got, live)
		}
	})
}

// Two posts at once: one is made after the other, whole, and the second model call
// knows what came of the first.
func TestTurnsComeOneAfterAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTurnsHouse(t)
		h.tutor.replies = []string{"Primero.", "Segundo."}
		var both sync.WaitGroup
		for i := range 2 {
			both.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				got, err := h.Take(t.Context(), typed(fmt.Sprint("Turno ", i+1, ".")))
				if err != nil || got.Learner.Seq != 2*i+1 || got.Tutor.Turn != i+1 {
					t.Errorf("turn %d: %+v, %v", i, got, err)
				}
			})
		}
		both.Wait()
		if got, want := h.store.said(), "Turno 1. [Primero.] Turno 2. [Segundo.]"; got != want {
			t.Errorf("stored %q, want %q", got, want)
		}
		if lines := h.tutor.prompt(1).Lines; len(lines) != 3 {
			t.Errorf("the second model call was told %q", lines)
		}
		if len(h.queues.open) != 0 {
			t.Errorf("%d queues are left", len(h.queues.open))
		}
	})
}

// Who sends more turns than can wait is refused; who leaves the queue makes room.
func TestTurnQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTurnsHouse(t)
		h.ear.takes, h.ear.heard.Text = time.Minute, "Hola."
		var waiting sync.WaitGroup
		waiting.Go(func() {
			if _, err := h.Take(t.Context(), recorded()); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		for range turnsWaiting {
			waiting.Go(func() {
				if _, err := h.Take(ctx, recorded()); err != gone {
					t.Errorf("a turn that was given up: %v", err)
				}
			})
		}
		synctest.Wait()
		if _, err := h.Take(t.Context(), recorded()); learn.KindOf(err) != learn.TooMany {
			t.Errorf("one too many: %v", err)
		}
		cancel(gone)
		synctest.Wait()
		waiting.Go(func() {
			if _, err := h.Take(t.Context(), recorded()); err != nil {
				t.Error(err)
			}
		})
		waiting.Wait()
		if h.ear.asked != 2 {
			t.Errorf("%d recordings were heard, want 2", h.ear.asked)
		}
	})
}

// A turn that is posted while the conversation is live takes it over: the live session
// ends as superseded at its next message, and what it says is not stored.
func TestTurnFencesTheLiveSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTurnsHouse(t)
		k := newTalk(t)
		k.host.Journal = h.store
		k.params.Conversation = h.store.conversation
		k.tutor.replies = []string{"Hola."}
		k.start()
		k.greeted()
		h.tutor.replies = []string{"Aquí."}
		if _, err := h.Take(t.Context(), typed("¿Dónde está?")); err != nil {
			t.Fatal(err)
		}
		k.send(CreateItem{Text: "¿Y aquí?"})
		if end := <-k.result; end.Reason != EndSuperseded {
			t.Errorf("the live session ended as %q", end.Reason)
		}
		if got, want := h.store.said(), "[Hola.] ¿Dónde está? [Aquí.]"; got != want {
			t.Errorf("stored %q, want %q", got, want)
		}
	})
}

// What happens to the conversation while the tutor thinks decides how the turn ends;
// the learner's words are kept.
func TestConversationIsLostMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, tt := range map[string]struct {
			happens func(*turnStore)
			msg     string
			ended   bool
		}{
			"it goes on elsewhere": {func(s *turnStore) {
				if _, err := s.TakeOver(t.Context(), "personal", "u1", "c1"); err != nil {
					t.Error(err)
				}
			}, "This conversation goes on elsewhere", false},
			"it is ended": {(*turnStore).end, "Session has ended", true},
		} {
			h := newTurnsHouse(t)
			h.store.appended = func(learn.Message) { tt.happens(h.store) }
			_, err := h.Take(t.Context(), typed("Hola."))
			e, ok := errors.AsType[*learn.Error](err)
			if !ok || e.Kind != learn.Conflict || e.Msg != tt.msg || errors.Is(err, ErrEnded) != tt.ended || !errors.Is(err, learn.ErrFenced) {
				t.Errorf("%s: %v", name, err)
			}
			if h.store.said() != "Hola." || len(h.mouth.asked) != 0 {
				t.Errorf("%s: stored %q", name, h.store.said())
			}
		}
	})
}

// What cannot be answered is refused before anybody is paid.
func TestTurnsThatAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := func(h *turnsHouse, _ *TurnRequest) { h.store.end() }
		for name, tt := range map[string]struct {
			change func(*turnsHouse, *TurnRequest)
			want   learn.Kind
		}{
			"another user's":    {func(_ *turnsHouse, r *TurnRequest) { r.User.ID = "u2" }, learn.NotFound},
			"another tenant's":  {func(_ *turnsHouse, r *TurnRequest) { r.Profile.TenantID = "school" }, learn.NotFound},
			"another profile's": {func(_ *turnsHouse, r *TurnRequest) { r.Profile.ID = "p2" }, learn.NotFound},
			"ended":             {ended, learn.Conflict},
			"ended while waiting": {func(h *turnsHouse, _ *TurnRequest) {
				time.AfterFunc(time.Millisecond, h.store.end)
				h.ear.takes = time.Second
			}, learn.Conflict},
			"unreadable":     {func(h *turnsHouse, _ *TurnRequest) { h.ear.err = &providers.Error{Kind: providers.Invalid} }, learn.Invalid},
			"nobody listens": {func(h *turnsHouse, _ *TurnRequest) { h.ear.err = &providers.Error{Kind: providers.Denied} }, learn.Unavailable},
			"no store": {func(h *turnsHouse, _ *TurnRequest) {
				h.store.fail = map[string]error{"Conversation": learn.Errorf(learn.Unavailable, "", "")}
			}, learn.Unavailable},
		} {
			h, r := newTurnsHouse(t), recorded()
			h.ear.heard.Text = "Hola."
			tt.change(h, &r)
			_, err := h.Take(t.Context(), r)
			if err == nil || learn.KindOf(err) != tt.want {
				t.Errorf("%s: %v, want %v", name, err, tt.want)
			}
			if h.store.said() != "" || len(h.tutor.prompts) != 0 {
				t.Errorf("%s: stored %q, the tutor was asked %d times", name, h.store.said(), len(h.tutor.prompts))
			}
		}
	})
}
