package session

import "time"

// pace learns how long an answer takes from being asked for to the voice's first
// audio: language model, first clause and voice together, as the vendors are today. It
// keeps a mean and a mean deviation as TCP does for its round trips (RFC 6298), with
// two deviations instead of four: too late costs some milliseconds here, and too early
// a draft. The zero value has seen nothing.
type pace struct {
	mean, deviation time.Duration
}

const (
	// paceUnknown is what is expected before anything was seen.
	paceUnknown = 1200 * time.Millisecond
	// paceMost bounds what is expected after a vendor has stalled.
	paceMost = 4 * time.Second
)

// observe takes one answer's time.
func (p *pace) observe(took time.Duration) {
	took = max(0, min(took, paceMost))
	if p.mean == 0 {
		p.mean, p.deviation = took, took/2
		return
	}
	p.deviation += ((took - p.mean).Abs() - p.deviation) / 4
	p.mean += (took - p.mean) / 8
}

// expected is how long before it is needed an answer should be asked for.
func (p *pace) expected() time.Duration {
	if p.mean == 0 {
		return paceUnknown
	}
	return min(p.mean+2*p.deviation, paceMost)
}
