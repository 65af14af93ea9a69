package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// keptAssessments is a store of assessments in memory, which may be slow or broken. A message
// is assessed once.
type keptAssessments struct {
	takes  time.Duration
	fail   error
	panics bool

	mu    sync.Mutex
	tries int
	kept  []learn.Assessment
}

func (s *keptAssessments) SaveAssessment(ctx context.Context, a learn.Assessment) (learn.Assessment, error) {
	s.mu.Lock()
	s.tries++
	s.mu.Unlock()
	if s.panics {
		panic("a store that panics")
	}
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return a, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	again := slices.ContainsFunc(s.kept, func(k learn.Assessment) bool { return *k.MessageID == *a.MessageID })
	if s.fail == nil && !again {
		s.kept = append(s.kept, a)
	}
	return a, s.fail
}

func (s *keptAssessments) Consented(context.Context, string, string, learn.ConsentPurpose) (bool, error) {
	return true, nil
}

func (s *keptAssessments) TenantSettings(context.Context, string) (learn.TenantSettings, error) {
	return learn.TenantSettings{}, nil
}

// all are the assessments that were kept, and how often one was to be.
func (s *keptAssessments) all() (kept []learn.Assessment, tries int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept), s.tries
}

// measuredTalk is a talk whose turns are analysed and measured. Its learner has agreed to
// assessors, of which there is one, and it must not be asked; nor must a recogniser.
func measuredTalk(t *testing.T) (*talk, *analysesHouse, *keptAssessments) {
	k, h := analysedTalk(t, learn.CorrectStrict)
	kept, unasked := &keptAssessments{}, newPronunciationBench()
	h.Pronunciation = &Pronunciation{Ears: unasked, Assessors: []providers.Assessor{unasked}, Store: kept, Log: h.Log}
	t.Cleanup(func() {
		if unasked.judged != 0 || unasked.asked.Audio != nil {
			t.Errorf("%d judged, and heard again %v", unasked.judged, unasked.asked)
		}
	})
	return k, h, kept
}

// saySlowly speaks a sentence, of which every word has its time, with 400 ms before the last.
func (k *talk) saySlowly(sentence string) {
	began := k.sentMS
	var words []providers.Word
	for _, w := range strings.Fields(sentence) {
		words = append(words, providers.Word{Text: w, Confidence: 0.5})
	}
	for i := range words {
		if i == len(words)-1 {
			k.mic(400, false)
		}
		words[i].StartMS = k.sentMS
		k.mic(300, true)
		words[i].EndMS = k.sentMS
	}
	k.hears.last().events <- providers.Heard{Kind: providers.HeardEnd, Segment: k.said, Text: sentence, Words: words, StartMS: began, EndMS: k.sentMS}
	k.said++
	synctest.Wait()
}

// A live turn is measured when it is durable: its words, their pauses and how surely each
// was understood, of its message and nobody else's, whether or not the analyst answers.
// Nobody is asked for it.
func TestLiveTurnIsMeasured(t *testing.T) {
	for name, arrange := range map[string]func(*analysesHouse){
		"analysed": func(*analysesHouse) {}, "not analysed": func(h *analysesHouse) { h.analyst.err = errBroken },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, h, store := measuredTalk(t)
				arrange(h)
				k.start()
				k.greeted()
				k.saySlowly("Yo soy cansado.")
				k.until("the answer is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
				k.send(CreateItem{Text: "Escribo esto."})
				k.until("the next answer is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 3 })
				k.finish()

				kept, _ := store.all()
				if len(kept) != 1 {
					t.Fatalf("kept %+v", kept)
				}
				a, m := kept[0], k.journal.stored()[1]
				if m.ID == "" || *a.MessageID != m.ID || *a.ConversationID != "c1" || a.UserID != "u1" || a.TenantID != learn.PersonalTenant {
					t.Errorf("of %v in %v, %s; the message is %s", *a.MessageID, *a.ConversationID, a.UserID, m.ID)
				}
				if a.Mode != learn.Spontaneous || a.Basis != learn.RecognitionBasis || a.Overall != nil || a.Scores.Accuracy != nil ||
					a.Caveat == "" || *a.Scores.Recognition != 50 || len(a.Words) != 3 || a.Fluency.Pauses.Count != 1 || a.Fluency.VoicedMS != 900 {
					t.Errorf("measured %+v", a)
				}
			})
		})
	}
}

// A turn that nobody had time for is measured when it is caught up with, and once however
// often it is.
func TestMeasuringIsCaughtUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h, store := measuredTalk(t)
		claim := learn.AnalysisClaim{ID: "1", TenantID: "school", UserID: "u2", ProfileID: "p2", ConversationID: "c2", Attempt: 1,
			Reviewed: learn.Reviewed{Language: "es", NativeLanguage: "en", Learner: learn.Message{ID: "m1", Speaker: learn.SpeakerLearner,
				Source: "voice", Content: "Hola.", Words: []learn.SpokenWord{{Text: "Hola.", EndMS: 300, Confidence: 0.9}}}}}
		h.kept.mu.Lock()
		h.kept.claims = []learn.AnalysisClaim{claim, claim}
		h.kept.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		kept, tries := store.all()
		if tries != 2 || len(kept) != 1 || *kept[0].MessageID != "m1" || *kept[0].ConversationID != "c2" || kept[0].UserID != "u2" || kept[0].TenantID != "school" {
			t.Errorf("%d tries, kept %+v", tries, kept)
		}
		if len(h.kept.all()) != 2 {
			t.Error("it was not analysed")
		}
	})
}

// Whatever is wrong with the store of assessments, every answer comes exactly as soon as
// when nothing is measured, and every turn is analysed.
func TestMeasuringDelaysNothing(t *testing.T) {
	const turns = 5
	lesson := func(t *testing.T, k *talk) (took []Latency) {
		k.start()
		k.greeted()
		for turn := range turns {
			k.saySlowly(fmt.Sprintf("Yo soy cansado %d.", turn))
			k.until("the answer is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == turn+2 })
		}
		k.mic(int(2*commitTimeout.Milliseconds()), false) // what is under way comes to its end
		if e := k.finish(); e.Reason != EndNormal {
			t.Errorf("ended %+v", e)
		}
		for _, d := range eventsOf[ResponseDone](k.conn)[1:] {
			took = append(took, d.Latency)
		}
		return took
	}
	var without []Latency
	synctest.Test(t, func(t *testing.T) { without = lesson(t, newTalk(t)) })
	if len(without) != turns || slices.ContainsFunc(without, func(l Latency) bool { return l.FirstAudioMS == 0 }) {
		t.Fatalf("without: %+v", without)
	}
	for name, arrange := range map[string]func(*keptAssessments){
		"on":        func(*keptAssessments) {},
		"slow":      func(s *keptAssessments) { s.takes = time.Second },
		"hanging":   func(s *keptAssessments) { s.takes = time.Hour },
		"broken":    func(s *keptAssessments) { s.fail = errBroken },
		"panicking": func(s *keptAssessments) { s.panics = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, h, store := measuredTalk(t)
				arrange(store)
				if with := lesson(t, k); !slices.Equal(with, without) {
					t.Errorf("%+v, without\n%+v", with, without)
				}
				if _, tries := store.all(); tries != turns || len(h.kept.all()) != turns {
					t.Errorf("%d tries to measure, %d analysed", tries, len(h.kept.all()))
				}
			})
		})
	}
}

// A recorded turn is measured, too, a typed one is not; a store that fails changes nothing
// of either.
func TestWholeTurnIsMeasured(t *testing.T) {
	for name, fail := range map[string]error{"kept": nil, "not kept": errBroken} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, store := newTurnsHouse(t), &keptAssessments{fail: fail}
				h.Pronunciation = &Pronunciation{Store: store, Log: h.Log}
				h.ear.heard = providers.Transcript{Text: "Quiero sopa.", Model: "m1", Words: []providers.Word{
					{Text: "Quiero", StartMS: 1000, EndMS: 1400, Confidence: 0.9}, {Text: "sopa.", StartMS: 2500, EndMS: 3000, Confidence: 0.7}}}
				got, err := h.Take(t.Context(), recorded())
				if err != nil || !got.Analysed {
					t.Fatal(got.Analysed, err)
				}
				if _, err := h.Take(t.Context(), typed("Sí.")); err != nil {
					t.Fatal(err)
				}
				kept, tries := store.all()
				if tries != 1 || (len(kept) == 1) != (fail == nil) {
					t.Fatalf("%d tries, kept %+v", tries, kept)
				}
				if fail != nil {
					return
				}
				if a := kept[0]; *a.MessageID != got.Learner.ID || *a.ConversationID != "c1" || a.UserID != "u1" || a.Provider != "ear-basic" ||
					a.ProviderVersion != "m1" || *a.Scores.Recognition != 80 || a.Fluency.Pauses.LongestMS != 1100 || a.Language != "es" {
					t.Errorf("measured %+v", a)
				}
			})
		})
	}
}
