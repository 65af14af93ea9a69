// Package metrics shows what a node does to Prometheus: where the time of turns goes,
// how drafts and interruptions fare, and how many conversations there are.
//
// [Metrics] is the [session.Meter] of all sessions, and the [failover.Observer] of the
// vendors behind them. Names and units follow
// Prometheus' practice (seconds, _total); label values come from closed lists, so that
// the number of series does not grow with learners. What they say, who they are and
// which language they learn never gets here.
//
//	kalami_turn_stage_seconds{stage,drafted}          each stage of an answer
//	kalami_turn_first_audio_seconds{drafted}          end of speech to the first frame written
//	kalami_turn_voice_to_voice_seconds{measured_by,drafted}  end of speech to the first sample heard
//	kalami_turn_estimate_error_seconds                how far the server's figure is from the client's
//	kalami_draft_lead_seconds                         what drafts had done when the turn ended
//	kalami_dead_air_seconds                           silences while an answer was owed
//	kalami_sessions_active                            conversations of this node now
//	kalami_session_resume_total{result}               clients that came back
//	kalami_session_resume_seconds                     how long that took, when they could
//	kalami_takeovers_total{reason}                    conversations taken from another owner
//	kalami_provider_requests_total{kind,provider,outcome}  calls of vendors, by how they ended
//	kalami_provider_failovers_total{kind,when}        times that the next vendor was asked
//	kalami_provider_breaker_state{kind,provider}      0 asked, 1 probed, 2 left alone
//	kalami_provider_hedges_total{won}                 replies for which two vendors raced
//	kalami_degraded{store}                            1 while redis or db does not answer
//	kalami_build_info{version}
//	…_total                                           one for each of [session.Counters]
//
// Histograms are both classic, with bounds every 20 ms from 400 to 1,200 ms where a
// turn's latency is decided, and native for servers that scrape these.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kalami/providers/failover"
	"kalami/session"
)

// Metrics is what one node measures. Safe for concurrent use; none of its methods blocks.
type Metrics struct {
	registry *prometheus.Registry
	turns    turns
	counters map[session.Counter]counter
	resumes  resumes
	vendors  vendors
	degraded *prometheus.GaugeVec
}

var (
	_ session.Meter     = (*Metrics)(nil)
	_ failover.Observer = (*Metrics)(nil)
)

// New returns metrics in a registry of their own. version is that of the program;
// sessions tells how many conversations the node has now, and is called at every scrape.
func New(version string, sessions func() int) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "kalami_build_info", Help: "Always 1; the label is the program's version.", ConstLabels: prometheus.Labels{"version": version},
		}, func() float64 { return 1 }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "kalami_sessions_active", Help: "Conversations that this node has now.",
		}, func() float64 { return float64(sessions()) }),
	)
	m.turns = newTurns(m.registry)
	m.counters = newCounters(m.registry)
	m.resumes = newResumes(m.registry)
	m.vendors = newVendors(m.registry)
	m.degraded = newDegraded(m.registry)
	return m
}

// Handler answers scrapes, in the text form or another that the scraper prefers.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
