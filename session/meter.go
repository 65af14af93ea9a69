package session

import "time"

// Meter is told what happens in all sessions of a node, for whoever watches them. Its
// methods are called by CONDUCTOR and [Analyses]: they must not block, and are safe for
// concurrent use.
// What learners say, and who they are, is never told.
type Meter interface {
	// Turn tells where the time of an answer went that is over.
	Turn(Latency)
	// DeadAir tells how long the learner heard nothing while an answer was owed: before its
	// first frame, be it a filler's, and wherever its audio ran dry.
	DeadAir(silent time.Duration)
	// Count adds n, which is positive, to a counter.
	Count(c Counter, n int)
}

// Counter names something that is counted; the closed list of [Counters].
type Counter string

// The counters.
const (
	DraftsStarted    Counter = "drafts_started"
	DraftsReleased   Counter = "drafts_released"   // became the answer
	DraftsDropped    Counter = "drafts_dropped"    // the learner went on, or meant something else
	DraftsWithheld   Counter = "drafts_withheld"   // would have been started, but for the budget or its record
	TokensWasted     Counter = "draft_tokens"      // generated for drafts that were dropped
	CharsWasted      Counter = "draft_characters"  // spoken for drafts that were dropped
	DraftMSWon       Counter = "draft_ms_won"      // milliseconds of waiting that drafts saved
	FalseAlarms      Counter = "false_alarms"      // the tutor paused for what was no interruption
	Interruptions    Counter = "interruptions"     // the learner stopped the tutor
	BackChannels     Counter = "back_channels"     // words that were meant to say "go on"
	EchoesSuspected  Counter = "echoes_suspected"  // the tutor's own words came back
	ReportsClamped   Counter = "reports_clamped"   // reports of a player that cannot be true
	FencedWrites     Counter = "fenced_writes"     // messages that the store refused, because somebody else had the conversation
	TurnsLimited     Counter = "turns_limited"     // learners who were interrupted gently, because they did not stop
	Nudges           Counter = "nudges"            // steps of the unstick ladder
	FillersPlayed    Counter = "fillers_played"    // clips, the apology among them
	AnswersGivenUp   Counter = "answers_given_up"  // nothing of the answer was heard for too long
	RecogniserFaults Counter = "recogniser_faults" // finals twice, out of order, or never
	AnalysesDone     Counter = "analyses_done"     // of turns, while the learner talked on
	AnalysesDropped  Counter = "analyses_dropped"  // turns whose analysis was left for later
	AnalysesFailed   Counter = "analyses_failed"   // attempts
	AnalysesCaughtUp Counter = "analyses_caught_up"
	FeedbackShown    Counter = "feedback_shown"   // corrections that the learner was shown in the conversation
	SummariesMade    Counter = "summaries_made"   // reports on conversations
	SummariesFailed  Counter = "summaries_failed" // attempts
)

// Counters returns all counters.
func Counters() []Counter {
	return []Counter{DraftsStarted, DraftsReleased, DraftsDropped, DraftsWithheld, TokensWasted, CharsWasted, DraftMSWon,
		FalseAlarms, Interruptions, BackChannels, EchoesSuspected, ReportsClamped, FencedWrites, TurnsLimited, Nudges, FillersPlayed, AnswersGivenUp,
		RecogniserFaults, AnalysesDone, AnalysesDropped, AnalysesFailed, AnalysesCaughtUp, FeedbackShown,
		SummariesMade, SummariesFailed}
}

// count tells the node's meter, if there is one.
func (c *conductor) count(what Counter, n int) {
	if c.meter != nil && n > 0 {
		c.meter.Count(what, n)
	}
}
