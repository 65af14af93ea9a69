package gateway

import "kalami/session/learn"

// Scenarios are what conversations can play. Implemented by package session/learn/scenarios.
// They do not change while the server runs.
type Scenarios interface {
	// Scenario returns the one with an id; ok is false when there is none.
	Scenario(id string) (s learn.Scenario, ok bool)
	// Scenarios returns those that the filter lets through, the easiest first.
	Scenarios(f learn.ScenarioFilter) []learn.Scenario
}
