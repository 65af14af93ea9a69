package session

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

const (
	// analysisQueue is how many turns of a node may wait to be analysed; the next is left to
	// be done later. analysisPerSession is the same for one session, with what is under way.
	analysisQueue      = 64
	analysisPerSession = 2
	// analysisWorkers is how many are made at a time where [Analyses] does not say.
	analysisWorkers = 4
	// analysisStale is how long a turn may wait: what is said about it later than that helps
	// nobody while they talk, and is left to be done later.
	analysisStale = 10 * time.Second
)

// Analyses finds out what learners' turns show, beside the conversations of a node and never
// in their way: CONDUCTOR offers it a turn when the learner's message is durable, and goes
// on. What it takes waits in a queue, is analysed by one of a few workers, stored, and told
// to the session if that still lives.
//
// It is the first to go under load. A turn is not taken, or dropped where it waits, when the
// node is busy, when the queue is full, when the session has two already, and when it waited
// for ten seconds; each is counted. Nothing is lost by that, nor by an analyst that fails
// nor by a node that dies: the store keeps a note of every message that waits for its
// analysis, and [Analyses.Run] catches them up in quiet moments, whichever node they are of.
// In the same way it makes the reports on conversations that have ended.
//
// Fill Analyst, Store and Log. Safe for concurrent use.
type Analyses struct {
	Analyst providers.Analyst
	Store   AnalysisStore
	Log     *slog.Logger
	// Meter may be nil.
	Meter Meter
	// Busy says whether the node has better things to do; nil for never. It must not block.
	Busy func() bool
	// Plans may be nil: nothing is practised on purpose.
	Plans Plans
	// Words says how hard words are; nil where nothing is known.
	Words WordLevels
	// Pronunciation measures how turns were spoken beside their analysis; may be nil.
	Pronunciation *Pronunciation
	// Workers is how many turns are analysed at a time; 0 means 4.
	Workers int

	once  sync.Once
	queue chan analysisJob
}

// AnalysisStore keeps what turns show. Package store implements it.
type AnalysisStore interface {
	// SaveAnalysis keeps what was found out about a learner's message, once for a message.
	// Conflict when the message reads otherwise by now, NotFound when there is none.
	SaveAnalysis(ctx context.Context, a learn.TurnAnalysis) error
	// ClaimAnalyses takes up to n turns that wait and that nobody else has, of any
	// conversation, for as long as the lease.
	ClaimAnalyses(ctx context.Context, n int, lease time.Duration) ([]learn.AnalysisClaim, error)
	// HoldAnalyses makes the leases of claims last from now on again, of those that are still
	// the caller's and not given back.
	HoldAnalyses(ctx context.Context, claims []learn.AnalysisClaim, lease time.Duration) error
	// MissAnalysis gives a claim back that came to nothing, to be claimed again after a while.
	MissAnalysis(ctx context.Context, c learn.AnalysisClaim, again time.Duration) error
	// ClaimSummaries, HoldSummaries, MissSummary and SaveSummary are the same for conversations that have
	// ended and wait for a report on them.
	ClaimSummaries(ctx context.Context, n int, lease time.Duration) ([]learn.SummaryClaim, error)
	HoldSummaries(ctx context.Context, claims []learn.SummaryClaim, lease time.Duration) error
	MissSummary(ctx context.Context, c learn.SummaryClaim, again time.Duration) error
	SaveSummary(ctx context.Context, c learn.Conversation, s learn.Summary) error
}

// Plans says what conversations are to practise. Package store implements it.
type Plans interface {
	// Plan returns what the conversation of the user is to practise now; NotFound when it is
	// not theirs.
	Plan(ctx context.Context, tenantID, userID, conversationID string) (learn.Plan, error)
	// GoalsMet returns the goals that were reached in it by now, each once, with what proves
	// it; NotFound as with Plan.
	GoalsMet(ctx context.Context, tenantID, userID, conversationID string) ([]learn.GoalMet, error)
}

// analysisJob is a turn that waits. school is whose share of the vendors it takes.
type analysisJob struct {
	reviewed learn.Reviewed
	of       learn.TurnAnalysis // whose it is
	school   string
	offered  time.Time
	// tell is the session's own lane, which has room for what it has offered; told once.
	tell chan<- analysisDone
}

// analysisDone tells a session what became of a turn that it has offered.
type analysisDone struct {
	analysis learn.TurnAnalysis
	ok       bool
	// goals are all that are stored as reached in the conversation, by whatever turn.
	goals []learn.GoalMet
}

// waiting is the queue; it is there from the first use on.
func (a *Analyses) waiting() chan analysisJob {
	a.once.Do(func() { a.queue = make(chan analysisJob, analysisQueue) })
	return a.queue
}

// busy says whether the node has better things to do.
func (a *Analyses) busy() bool { return a.Busy != nil && a.Busy() }

// offer takes a job or drops it. It does not block.
func (a *Analyses) offer(j analysisJob) (taken bool) {
	if a.busy() {
		a.count(AnalysesDropped)
		return false
	}
	select {
	case a.waiting() <- j:
		return true
	default:
		a.count(AnalysesDropped)
		return false
	}
}

// Run analyses what is offered, and in quiet moments what was left undone, until ctx ends.
// It returns when everything that it has begun is over.
func (a *Analyses) Run(ctx context.Context) {
	var all sync.WaitGroup
	for range cmpOr(a.Workers, analysisWorkers) {
		all.Go(func() { a.work(ctx) })
	}
	all.Go(func() { a.sweep(ctx) })
	all.Wait()
}

// work analyses one turn after the other until ctx ends.
func (a *Analyses) work(ctx context.Context) {
	for {
		select {
		case j := <-a.waiting():
			j.tell <- a.do(ctx, j)
		case <-ctx.Done():
			return
		}
	}
}

// do analyses one turn, unless it has waited for too long.
func (a *Analyses) do(ctx context.Context, j analysisJob) analysisDone {
	if time.Since(j.offered) > analysisStale || a.busy() {
		a.count(AnalysesDropped)
		return analysisDone{}
	}
	found, err := a.analyse(ctx, j.reviewed, j.of, j.school)
	if err != nil {
		a.count(AnalysesFailed)
		a.Log.Warn("turn not analysed", "conversation", j.of.ConversationID, "message", j.of.MessageID, "err", err)
		return analysisDone{}
	}
	a.count(AnalysesDone)
	done := analysisDone{analysis: found, ok: true}
	if a.Plans != nil && len(j.reviewed.Plan.Goals) > 0 {
		done.goals = a.goalsMet(ctx, j.of)
	}
	return done
}

// goalsMet are the goals that are stored as reached; none when that is not known. What was
// just found is not told by itself: another turn, or another node, may have been first.
func (a *Analyses) goalsMet(ctx context.Context, of learn.TurnAnalysis) (met []learn.GoalMet) {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	err := contained(func() (err error) {
		met, err = a.Plans.GoalsMet(ctx, of.TenantID, of.UserID, of.ConversationID)
		return err
	})
	if err != nil { // they are told with the next turn's
		a.Log.Warn("goals not read", "conversation", of.ConversationID, "err", err)
		return nil
	}
	return met
}

// analyse asks what a turn shows and stores it for whose it is. How it was spoken is kept
// whether or not the analyst answers.
func (a *Analyses) analyse(ctx context.Context, r learn.Reviewed, of learn.TurnAnalysis, school string) (learn.TurnAnalysis, error) {
	of.MessageID = cmpOr(of.MessageID, r.Learner.ID)
	var measuring sync.WaitGroup // beside the analyst, and over before nobody looks at the turn again
	measuring.Go(func() { a.Pronunciation.measure(ctx, r, of) })
	found, err := Analyse(providers.WithTenant(ctx, school), a.Analyst, r)
	measuring.Wait()
	if err != nil {
		return found, err
	}
	found.TenantID, found.UserID, found.ProfileID, found.ConversationID = of.TenantID, of.UserID, of.ProfileID, of.ConversationID
	saving, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	return found, contained(func() error { return a.Store.SaveAnalysis(saving, found) })
}

func (a *Analyses) count(c Counter) {
	if a.Meter != nil {
		a.Meter.Count(c, 1)
	}
}
