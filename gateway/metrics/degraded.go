package metrics

import "github.com/prometheus/client_golang/prometheus"

// StoreName names a store that a node can go on without for a while.
type StoreName string

// The values of the label store.
const (
	Redis    StoreName = "redis" // live state; that of the process itself is never away
	Database StoreName = "db"
)

// newDegraded makes and registers the gauge of stores that are away; each is there, at 0,
// from the start.
func newDegraded(registry *prometheus.Registry) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "kalami_degraded",
		Help: "Whether the node goes on without a store that does not answer."}, []string{"store"})
	registry.MustRegister(g)
	for _, s := range []StoreName{Redis, Database} {
		g.WithLabelValues(string(s))
	}
	return g
}

// Degraded tells whether a store is away.
func (m *Metrics) Degraded(store StoreName, away bool) {
	v := 0.0
	if away {
		v = 1
	}
	m.degraded.WithLabelValues(string(store)).Set(v)
}
