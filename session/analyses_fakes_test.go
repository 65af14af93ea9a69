package session

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"kalami/session/learn"
)

// keptAnalyses is the store's side of analyses, in memory.
type keptAnalyses struct {
	mu     sync.Mutex
	saved  []learn.TurnAnalysis
	claims []learn.AnalysisClaim // handed out once each
	missed []learn.AnalysisClaim
	again  []time.Duration
	fail   error
	panics bool
	held   []int // how many claims were renewed, each time
	plan   learn.Plan
	met    []learn.GoalMet // by others
	unread error           // when goals are asked for

	lessons, unsummed []learn.SummaryClaim
	sums              []learn.Summary
}

func (s *keptAnalyses) SaveAnalysis(_ context.Context, a learn.TurnAnalysis) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panics {
		panic("a store that panics")
	}
	if s.fail == nil {
		s.saved = append(s.saved, a)
	}
	return s.fail
}

func (s *keptAnalyses) ClaimAnalyses(_ context.Context, n int, _ time.Duration) ([]learn.AnalysisClaim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = min(n, len(s.claims))
	taken := s.claims[:n:n]
	s.claims = s.claims[n:]
	return taken, s.fail
}

func (s *keptAnalyses) HoldAnalyses(_ context.Context, left []learn.AnalysisClaim, _ time.Duration) error {
	return s.hold(len(left))
}

func (s *keptAnalyses) HoldSummaries(_ context.Context, left []learn.SummaryClaim, _ time.Duration) error {
	return s.hold(len(left))
}

func (s *keptAnalyses) hold(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = append(s.held, n)
	return s.fail
}

func (s *keptAnalyses) MissAnalysis(_ context.Context, c learn.AnalysisClaim, again time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missed, s.again = append(s.missed, c), append(s.again, again)
	return s.fail
}

func (s *keptAnalyses) ClaimSummaries(_ context.Context, n int, _ time.Duration) ([]learn.SummaryClaim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = min(n, len(s.lessons))
	taken := s.lessons[:n:n]
	s.lessons = s.lessons[n:]
	return taken, s.fail
}

func (s *keptAnalyses) MissSummary(_ context.Context, c learn.SummaryClaim, again time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsummed, s.again = append(s.unsummed, c), append(s.again, again)
	return s.fail
}

func (s *keptAnalyses) SaveSummary(_ context.Context, _ learn.Conversation, sum learn.Summary) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.sums = append(s.sums, sum)
	}
	return s.fail
}

func (s *keptAnalyses) Plan(context.Context, string, string, string) (learn.Plan, error) {
	return s.plan, nil
}

// GoalsMet tells the first proof of each goal, as the store does.
func (s *keptAnalyses) GoalsMet(context.Context, string, string, string) (met []learn.GoalMet, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	met = slices.Clone(s.met)
	for _, a := range s.saved {
		for _, g := range a.Goals {
			if g.Met && !slices.ContainsFunc(met, func(m learn.GoalMet) bool { return m.ID == g.ID }) {
				met = append(met, learn.GoalMet{ID: g.ID, MessageID: a.MessageID, Quote: g.Quote})
			}
		}
	}
	return met, s.unread
}

func (s *keptAnalyses) all() []learn.TurnAnalysis {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.saved)
}

// analysesHouse is a node's analyses, running, with everything around them.
type analysesHouse struct {
	*Analyses
	analyst *fakeAnalyst
	kept    *keptAnalyses
	meter   *tally
}

// newAnalysesHouse makes one whose analyst says of every turn that "soy" should be "estoy".
func newAnalysesHouse(t *testing.T) *analysesHouse {
	h := &analysesHouse{analyst: &fakeAnalyst{answer: sayEstoy}, kept: &keptAnalyses{}, meter: &tally{}}
	h.Analyses = &Analyses{Analyst: h.analyst, Store: h.kept, Plans: h.kept, Log: slog.New(slog.DiscardHandler), Meter: h.meter}
	return h
}

// run runs the analyses until the test is over.
func (h *analysesHouse) run(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { h.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
}

const sayEstoy = `{"understood":true,"comprehension":"ok","wants_to_lead":false,"new_words":[],"l1_words":[],
	"used_due_words":[{"id":"w1","quote":"mercado"}],"goals":[{"id":"g1","met":true,"quote":"mercado"}],
	"corrections":[{"original":"soy","corrected":"estoy","category":"word_choice","severity":"major","explanation":"Use it for how you feel.","confidence":0.9}]}`

// analysedTalk is a talk whose turns are analysed, and its analyses.
func analysedTalk(t *testing.T, mode learn.CorrectionMode) (*talk, *analysesHouse) {
	k, h := newTalk(t), newAnalysesHouse(t)
	k.params.Config.CorrectionMode = string(mode)
	k.params.Conversation.UserID, k.params.Conversation.ProfileID = "u1", "p1"
	k.host.Analyses, k.host.Meter = h.Analyses, h.meter
	h.run(t)
	return k, h
}
