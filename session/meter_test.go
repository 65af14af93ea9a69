package session

import (
	"sync"
	"time"
)

// countingMeter keeps what it is told.
type countingMeter struct {
	mu    sync.Mutex
	turns []Latency
	n     map[Counter]int
}

func (m *countingMeter) DeadAir(time.Duration) {}

func (m *countingMeter) Turn(l Latency) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turns = append(m.turns, l)
}

func (m *countingMeter) Count(c Counter, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.n == nil {
		m.n = map[Counter]int{}
	}
	m.n[c] += n
}

func (m *countingMeter) counted(c Counter) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n[c]
}

// told is what it was told of replies, in order.
func (m *countingMeter) told() []Latency {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Latency(nil), m.turns...)
}
