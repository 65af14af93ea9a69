package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"kalami/providers/failover"
)

// vendors are the figures of those who hear, think and speak: how their calls end, and
// what is done when they fail. The label kind is a [failover.Part], provider the name of
// one that is configured.
type vendors struct {
	requests  *prometheus.CounterVec
	failovers *prometheus.CounterVec
	breakers  *prometheus.GaugeVec
	hedges    *prometheus.CounterVec
}

func newVendors(registry *prometheus.Registry) vendors {
	v := vendors{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kalami_provider_requests_total",
			Help: "Calls of vendors that ended, probes included, by how."}, []string{"kind", "provider", "outcome"}),
		failovers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kalami_provider_failovers_total",
			Help: "Times that the next vendor was asked because one had failed, before anybody had heard it or after."}, []string{"kind", "when"}),
		breakers: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "kalami_provider_breaker_state",
			Help: "Whether a vendor is asked: 0 it is, 1 it is being probed, 2 it is left alone."}, []string{"kind", "provider"}),
		hedges: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kalami_provider_hedges_total",
			Help: "Calls for which a second vendor was asked because the first was late; won says whether it answered first."}, []string{"won"}),
	}
	registry.MustRegister(v.requests, v.failovers, v.breakers, v.hedges)
	for _, part := range failover.Parts() { // all series are there from the start
		for _, when := range []failover.When{failover.BeforeFirst, failover.AfterFirst} {
			v.failovers.WithLabelValues(string(part), string(when))
		}
	}
	for _, won := range []bool{false, true} {
		v.hedges.WithLabelValues(strconv.FormatBool(won))
	}
	return v
}

// Requested implements [failover.Observer].
func (m *Metrics) Requested(p failover.Part, vendor string, o failover.Outcome) {
	m.vendors.requests.WithLabelValues(string(p), vendor, string(o)).Inc()
}

// FailedOver implements [failover.Observer].
func (m *Metrics) FailedOver(p failover.Part, w failover.When) {
	m.vendors.failovers.WithLabelValues(string(p), string(w)).Inc()
}

// Breaker implements [failover.Observer]. What is first told of a vendor makes its series.
func (m *Metrics) Breaker(p failover.Part, vendor string, s failover.State) {
	m.vendors.breakers.WithLabelValues(string(p), vendor).Set(float64(s))
	for _, o := range failover.Outcomes() {
		m.vendors.requests.WithLabelValues(string(p), vendor, string(o))
	}
}

// Hedged implements [failover.Observer]. Replies alone are hedged, so the part is no label.
func (m *Metrics) Hedged(_ failover.Part, won bool) {
	m.vendors.hedges.WithLabelValues(strconv.FormatBool(won)).Inc()
}
