package session

import "time"

// pauseOrder is what CONDUCTOR tells DOWNLINK about a turn's standing still. The zero
// value says nothing.
type pauseOrder struct {
	kind pauseKind
	turn uint64
	by   time.Duration // catchUp: how much later the turn's clock was set than it should be
}

type pauseKind uint8

const (
	standStill pauseKind = iota + 1
	playOn
	catchUp
)

// pausing is the turn whose audio stands still, 0 for none. DOWNLINK writes nothing of
// it meanwhile, and its clock stands still too: the player's lead is the same when it
// plays on, so that it neither starves nor is flooded.
type pausing struct {
	turn  uint64
	since time.Time
}

// obey follows an order about standing still.
func (d *downlink) obey(o pauseOrder, now time.Time) {
	p := &d.pausing
	switch o.kind {
	case standStill:
		if o.turn > d.floor {
			*p = pausing{turn: o.turn, since: now}
		}
	case playOn:
		if o.turn == p.turn {
			d.shift(p.turn, now.Sub(p.since))
			*p = pausing{}
		}
	case catchUp:
		d.shift(o.turn, -o.by)
	}
	if p.turn != 0 && p.turn <= d.floor { // what stood still is not wanted any more
		*p = pausing{}
	}
}

// shift moves a turn's clock, if it is the one being written.
func (d *downlink) shift(turn uint64, by time.Duration) {
	if d.stream != nil && d.stream.turn == turn && !d.stream.first.IsZero() {
		d.stream.first = d.stream.first.Add(by)
	}
}
