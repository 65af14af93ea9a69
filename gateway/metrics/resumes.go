package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ResumeResult is what became of a client that came back with a resume token.
type ResumeResult string

// The values of the label result.
const (
	ResumeWarm      ResumeResult = "warm"      // its session had waited in memory
	ResumeCold      ResumeResult = "cold"      // another session went on, and nothing was missed
	ResumeRestarted ResumeResult = "restarted" // it went on, and what was missed is not known
	ResumeExpired   ResumeResult = "expired"   // the conversation had ended, or the time was over
	ResumeForeign   ResumeResult = "foreign"   // the token was used before, or never good
	ResumeRevoked   ResumeResult = "revoked"   // the user's sessions had been ended
	ResumeFull      ResumeResult = "full"      // the user or the tenant has as many sessions as may be
	ResumeInvalid   ResumeResult = "invalid"   // what the client said was not session.resume, or wrong
	ResumeFailed    ResumeResult = "failed"    // a store did not answer
)

// TakeoverReason is why a conversation was taken from its owner.
type TakeoverReason string

// The values of the label reason.
const (
	TakeoverResume   TakeoverReason = "resume"   // its client came to this node
	TakeoverContinue TakeoverReason = "continue" // the learner went on with a ticket
	TakeoverHandover TakeoverReason = "handover" // the node that had it is stopping, and sent the client
)

// resumes are the figures of clients that come back.
type resumes struct {
	results   *prometheus.CounterVec
	seconds   prometheus.Histogram
	takeovers *prometheus.CounterVec
}

func newResumes(registry *prometheus.Registry) resumes {
	r := resumes{
		results: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kalami_session_resume_total",
			Help: "Clients that came back with a resume token, by what became of them."}, []string{"result"}),
		seconds: prometheus.NewHistogram(histogram("kalami_session_resume_seconds",
			"From a client's session.resume until it had all that it had missed.", []float64{.001, .002, .005, .01, .02, .05, .1, .15, .2, .5, 1, 2, 5})),
		takeovers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kalami_takeovers_total",
			Help: "Conversations that this node took from whoever held them before."}, []string{"reason"}),
	}
	registry.MustRegister(r.results, r.seconds, r.takeovers)
	for _, result := range []ResumeResult{ResumeWarm, ResumeCold, ResumeRestarted, ResumeExpired, ResumeForeign, ResumeRevoked, ResumeFull, ResumeInvalid, ResumeFailed} {
		r.results.WithLabelValues(string(result)) // all series are there from the start
	}
	for _, reason := range []TakeoverReason{TakeoverResume, TakeoverContinue, TakeoverHandover} {
		r.takeovers.WithLabelValues(string(reason))
	}
	return r
}

// Resumed counts a client that came back. How long it took is kept of those who could.
func (m *Metrics) Resumed(result ResumeResult, took time.Duration) {
	m.resumes.results.WithLabelValues(string(result)).Inc()
	switch result {
	case ResumeWarm, ResumeCold, ResumeRestarted:
		m.resumes.seconds.Observe(took.Seconds())
	}
}

// TookOver counts a conversation that was taken from another owner.
func (m *Metrics) TookOver(reason TakeoverReason) {
	m.resumes.takeovers.WithLabelValues(string(reason)).Inc()
}
