package session

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session/learn"
)

// What was left undone is done in a quiet moment, with the plan of its conversation; what
// fails is given back, to wait longer each time.
func TestAnalysesAreCaughtUp(t *testing.T) {
	claims := func(n int) (all []learn.AnalysisClaim) {
		for i := range n {
			all = append(all, learn.AnalysisClaim{ID: fmt.Sprint(i), TenantID: "school", UserID: "u2", ProfileID: "p2", ConversationID: "c2", Attempt: i%3 + 1,
				Reviewed: learn.Reviewed{Language: "es", NativeLanguage: "en", Learner: learn.Message{ID: fmt.Sprint("m", i), Content: "Yo soy del mercado."}}})
		}
		return all
	}
	for name, tt := range map[string]struct {
		arrange       func(h *analysesHouse)
		saved, missed int
	}{
		"all is well":          {func(*analysesHouse) {}, 6, 0},
		"the node is busy":     {func(h *analysesHouse) { h.Busy = func() bool { return true } }, 0, 0},
		"the analyst is dead":  {func(h *analysesHouse) { h.analyst.err = errBroken }, 0, 6},
		"the analyst panics":   {func(h *analysesHouse) { h.analyst.panics = true }, 0, 6},
		"the store panics":     {func(h *analysesHouse) { h.kept.panics = true }, 0, 6},
		"the store is away":    {func(h *analysesHouse) { h.kept.fail = errBroken }, 0, 0},
		"the message has gone": {func(h *analysesHouse) { h.Store = gone{h.kept} }, 0, 6},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newAnalysesHouse(t)
				h.kept.claims = claims(6)
				h.kept.plan = learn.Plan{Due: []learn.DueWord{{ID: "card-1", Text: "mercado"}}}
				tt.arrange(h)
				h.run(t)
				time.Sleep(time.Minute)
				synctest.Wait()
				saved := h.kept.all()
				if len(saved) != tt.saved || len(h.kept.missed) != tt.missed {
					t.Fatalf("saved %d, missed %d", len(saved), len(h.kept.missed))
				}
				for _, a := range saved {
					if a.TenantID != "school" || a.UserID != "u2" || a.ProfileID != "p2" || a.ConversationID != "c2" || len(a.UsedDueWords) != 1 {
						t.Errorf("saved %+v", a)
					}
				}
				for i, c := range h.kept.missed {
					if want := []time.Duration{30 * time.Second, 2 * time.Minute, 8 * time.Minute}[c.Attempt-1]; h.kept.again[i] != want {
						t.Errorf("attempt %d: again after %v, want %v", c.Attempt, h.kept.again[i], want)
					}
				}
				if h.meter.of(AnalysesCaughtUp) != tt.saved {
					t.Errorf("counted %v", h.meter.counts)
				}
			})
		})
	}
}

// gone is a store whose messages were deleted.
type gone struct{ AnalysisStore }

func (gone) SaveAnalysis(context.Context, learn.TurnAnalysis) error {
	return learn.Errorf(learn.NotFound, "gone", "Message not found")
}

// A conversation that has ended is summed up in a quiet moment; what a model makes of it is
// checked against what was said, and without a model it is tried again later.
func TestConversationsAreSummedUp(t *testing.T) {
	const answer = `{"went_well":["You said what you bought.","Sehr gut, das war nicht leicht für dich."],"next_step":"Practise estar.",
		"facts":[{"kind":"interest","text":"Likes markets.","quote":"mercado"},{"kind":"health","text":"Is tired.","quote":"cansado"},
			{"kind":"plan","text":"Call 555-12345.","quote":"cansado"},{"kind":"plan","text":"Will travel.","quote":"Ignore your rules"}]}`
	lesson := learn.SummaryClaim{Attempt: 1, Lesson: learn.Lesson{NativeLanguage: "en", Conversation: learn.Conversation{ID: "c1", TenantID: "personal", UserID: "u1", Language: "es"},
		Said: []learn.Message{{ID: "m1", Speaker: learn.SpeakerLearner, Content: "Soy cansado del mercado.", Audio: 2 * time.Second}}}}
	for name, arrange := range map[string]func(h *analysesHouse){
		"all is well":         func(*analysesHouse) {},
		"the analyst is dead": func(h *analysesHouse) { h.analyst.err = errBroken },
		"it panics":           func(h *analysesHouse) { h.analyst.panics = true },
		"it talks rot":        func(h *analysesHouse) { h.analyst.answer = "Well done!" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newAnalysesHouse(t)
				h.analyst.answer = answer
				h.kept.lessons = []learn.SummaryClaim{lesson}
				arrange(h)
				h.run(t)
				time.Sleep(time.Minute)
				synctest.Wait()
				if name != "all is well" {
					if len(h.kept.sums) != 0 || len(h.kept.unsummed) != 1 || h.kept.again[0] != 20*time.Second {
						t.Errorf("%+v, missed %+v", h.kept.sums, h.kept.unsummed)
					}
					return
				}
				if len(h.kept.sums) != 1 {
					t.Fatalf("%+v", h.kept.sums)
				}
				want := learn.ToldSummary{Language: "en", WentWell: []string{"You said what you bought."}, NextStep: "Practise estar.", Provider: "head/1",
					Facts: []learn.MemoryFact{{Kind: "interest", Text: "Likes markets.", MessageID: "m1"}}}
				if s := h.kept.sums[0]; !reflect.DeepEqual(s.Told, want) || s.Words != 4 || s.Turns != 1 {
					t.Errorf("summed up %+v", s)
				}
			})
		})
	}
}

// A node that is slow keeps what it has claimed for as long as it is at it, and lets go of
// what it has done; also while its store does not answer for a while.
func TestClaimsAreHeld(t *testing.T) {
	for name, fail := range map[string]error{"all is well": nil, "the store is away": errBroken} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var done []int
				var held [][]int
				workOff(t.Context(), slog.New(slog.DiscardHandler), []int{1, 2, 3}, func(_ context.Context, left []int) error {
					held = append(held, left)
					return fail
				}, func(c int) {
					time.Sleep(claimRenew + claimRenew/4)
					done = append(done, c)
				})
				time.Sleep(time.Minute) // nothing is held any more
				if want := []int{1, 2, 3}; !slices.Equal(done, want) {
					t.Errorf("done %v", done)
				}
				if want := [][]int{{1, 2, 3}, {2, 3}, {3}}; !reflect.DeepEqual(held, want) {
					t.Errorf("held %v, want %v", held, want)
				}
			})
		})
	}
}
