package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"kalami/session"
)

// counter is how one of [session.Counters] is shown: in its own metric, because sums
// over them mean nothing.
type counter struct {
	prometheus.Counter
	perUnit float64 // of what is shown, for each that is counted
}

// described names the counters. One of package session that is missing here is not
// shown; a test finds it.
func described() map[session.Counter]prometheus.CounterOpts {
	return map[session.Counter]prometheus.CounterOpts{
		session.DraftsStarted:    {Name: "kalami_drafts_started_total", Help: "Answers that were begun before the learner's turn ended."},
		session.DraftsReleased:   {Name: "kalami_drafts_released_total", Help: "Drafts that became the answer."},
		session.DraftsDropped:    {Name: "kalami_drafts_dropped_total", Help: "Drafts that the learner talked past, or that meant something else."},
		session.DraftsWithheld:   {Name: "kalami_drafts_withheld_total", Help: "Drafts that were not begun, for the budget or their record."},
		session.TokensWasted:     {Name: "kalami_draft_wasted_tokens_total", Help: "Tokens generated for drafts that were dropped."},
		session.CharsWasted:      {Name: "kalami_draft_wasted_characters_total", Help: "Characters spoken for drafts that were dropped."},
		session.DraftMSWon:       {Name: "kalami_draft_won_seconds_total", Help: "Waiting that drafts spared learners."},
		session.FalseAlarms:      {Name: "kalami_false_alarms_total", Help: "Times that the tutor paused for what was no interruption."},
		session.Interruptions:    {Name: "kalami_interruptions_total", Help: "Times that a learner stopped the tutor."},
		session.BackChannels:     {Name: "kalami_back_channels_total", Help: "Words beside the tutor that only meant to say: go on."},
		session.EchoesSuspected:  {Name: "kalami_echoes_suspected_total", Help: "Times that the tutor's own words came back."},
		session.ReportsClamped:   {Name: "kalami_client_reports_clamped_total", Help: "Reports of players that cannot be true."},
		session.FencedWrites:     {Name: "kalami_fenced_writes_total", Help: "Messages of sessions that had been taken over, which the database refused."},
		session.TurnsLimited:     {Name: "kalami_turns_limited_total", Help: "Learners who were interrupted because they did not stop."},
		session.Nudges:           {Name: "kalami_nudges_total", Help: "Steps by which silent learners were helped."},
		session.FillersPlayed:    {Name: "kalami_fillers_played_total", Help: "Clips that were played because the answer was not there."},
		session.AnswersGivenUp:   {Name: "kalami_answers_given_up_total", Help: "Answers of which nothing was heard for too long, so that they ended with an apology."},
		session.RecogniserFaults: {Name: "kalami_recogniser_faults_total", Help: "Recognisers' finals that came twice, out of order or never."},
		session.AnalysesDone:     {Name: "kalami_analyses_done_total", Help: "Learners' turns that were analysed while they talked on."},
		session.AnalysesDropped:  {Name: "kalami_analyses_dropped_total", Help: "Learners' turns whose analysis was left for later, for load."},
		session.AnalysesFailed:   {Name: "kalami_analyses_failed_total", Help: "Attempts to analyse a learner's turn that came to nothing."},
		session.AnalysesCaughtUp: {Name: "kalami_analyses_caught_up_total", Help: "Learners' turns that were analysed later."},
		session.FeedbackShown:    {Name: "kalami_feedback_shown_total", Help: "Corrections that learners were shown while they talked."},
		session.SummariesMade:    {Name: "kalami_summaries_made_total", Help: "Reports on conversations that were made."},
		session.SummariesFailed:  {Name: "kalami_summaries_failed_total", Help: "Attempts to make a report on a conversation that came to nothing."},
	}
}

// newCounters makes and registers them; each is there, at 0, from the start.
func newCounters(registry *prometheus.Registry) map[session.Counter]counter {
	all := map[session.Counter]counter{}
	for name, opts := range described() {
		c := counter{Counter: prometheus.NewCounter(opts), perUnit: 1}
		if name == session.DraftMSWon {
			c.perUnit = 1e-3
		}
		registry.MustRegister(c)
		all[name] = c
	}
	return all
}

// Count implements [session.Meter]; what package session does not list is not counted.
func (m *Metrics) Count(c session.Counter, n int) {
	if known, ok := m.counters[c]; ok && n > 0 {
		known.Add(float64(n) * known.perUnit)
	}
}
