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
	clientAway // write nothing of any turn
	clientBack // by: how much of the turn the client has played, if turn is not 0
	// clientMoves: as clientAway, although its socket is there, on which it is told so;
	// clientStays: it is not, and clientBack follows
	clientMoves
	clientStays
)

// pausing is the turn whose audio stands still, 0 for none. DOWNLINK writes nothing of
// it meanwhile, and its clock stands still too: the player's lead is the same when it
// plays on, so that it neither starves nor is flooded.
type pausing struct {
	turn  uint64
	since time.Time
	away  time.Time // since when there is no client; zero while there is one
}

// obey follows an order about standing still.
func (d *downlink) obey(o pauseOrder, now time.Time) {
	p := &d.pausing
	switch o.kind {
	case standStill:
		if o.turn > d.floor {
			p.turn, p.since = o.turn, now
		}
	case playOn:
		if o.turn == p.turn {
			until := now
			if !p.away.IsZero() { // from then on the other pause counts
				until = earlier(now, p.away)
			}
			d.shift(p.turn, max(0, until.Sub(p.since)))
			p.turn = 0
		}
	case catchUp:
		d.shift(o.turn, -o.by)
	case clientMoves, clientStays:
		d.line.Quiet(o.kind == clientMoves)
		if p.away.IsZero() {
			p.away = now
		}
	case clientAway:
		if p.away.IsZero() {
			p.away = now
		}
	case clientBack:
		d.comeBack(o, now)
	}
	if p.turn != 0 && p.turn <= d.floor { // what stood still is not wanted any more
		p.turn = 0
	}
}

// comeBack sets the clock of the turn being written by what the client has played of it:
// the lead is what it still has to play, and what is on its way to it. Where it does not
// say, no time has passed.
func (d *downlink) comeBack(o pauseOrder, now time.Time) {
	p := &d.pausing
	switch {
	case o.turn != 0 && d.stream != nil && d.stream.turn == o.turn && !d.stream.first.IsZero():
		d.stream.first = now.Add(-o.by)
	case d.stream != nil && !p.away.IsZero():
		d.shift(d.stream.turn, now.Sub(p.away))
	}
	p.away = time.Time{}
}

// shift moves a turn's clock, if it is the one being written.
func (d *downlink) shift(turn uint64, by time.Duration) {
	if d.stream != nil && d.stream.turn == turn && !d.stream.first.IsZero() {
		d.stream.first = d.stream.first.Add(by)
	}
}
