package gateway

import (
	"context"
	"math/rand/v2"
	"time"

	"kalami/session"
)

const (
	// answerWait is how long a node that stops waits to hear of any other.
	answerWait = time.Second
	// neighbourLook is how often it looks whether there still is one.
	neighbourLook = 250 * time.Millisecond
	// farewellEach is how far apart sessions are asked to go, and farewellsMost how long
	// that takes at the most for all of them.
	farewellEach  = 50 * time.Millisecond
	farewellsMost = 10 * time.Second
	// jitterLeast and jitterMost bound how long a client waits before it goes.
	jitterLeast, jitterMost = 50 * time.Millisecond, 250 * time.Millisecond
)

// DrainSessions refuses new conversations and clients that come back, sees to it that all
// conversations leave this node, and waits for that. When ctx ends first, the rest is cut
// off, and the error says how many. Shutdown does not do this.
//
// When another node is known to be open, clients are sent there after DrainWait: each
// at a moment when nobody speaks, a few at a time, so that its socket there is open before
// this one is closed. Whoever has not gone when most of DrainGrace is over, and all if there
// is no other node, is let finish the sentence being spoken, and closed as a restart (1012).
func (s *Server) DrainSessions(ctx context.Context) error {
	s.Drain()
	if s.opts.Nodes != nil && s.opts.Resumptions != nil {
		s.sendAway(ctx)
	}
	return s.voice.drain(ctx)
}

// sendAway waits for the balancer to look elsewhere and sends all clients there. It returns
// when they have gone, or have had their time, or there is nowhere to go.
func (s *Server) sendAway(ctx context.Context) {
	grace := s.opts.DrainGrace
	routed := time.NewTimer(min(s.opts.DrainWait, grace/4))
	defer routed.Stop()
	if !s.somewhereToGo(ctx) {
		s.log.Info("no other node is open: clients come back to this one")
		return
	}
	began := time.Now()
	if !waited(ctx, routed.C) {
		return
	}
	left := max(0, grace-time.Since(began))
	start := time.Now()
	by, cut := start.Add(left*3/4), time.NewTimer(left*9/10)
	defer cut.Stop()
	seats := s.live.leaving()
	s.log.Info("clients are sent to other nodes", "sessions", len(seats))
	spread := min(farewellsMost, left/3, time.Duration(len(seats))*farewellEach)
	for i, seat := range seats {
		pause := time.NewTimer(time.Until(start.Add(spread * time.Duration(i) / time.Duration(len(seats)))))
		if !waited(ctx, pause.C) {
			pause.Stop()
			return
		}
		if !s.neighbours.open() {
			return
		}
		seat.moves <- session.Move{By: by, Until: start.Add(left), After: jitterLeast + rand.N(jitterMost-jitterLeast)} // room for the only one
	}
	s.awaitMoves(ctx, cut.C)
}

// awaitMoves waits until all clients have gone, until cut, or until no other node is open
// any more: the last of them may stop as well.
func (s *Server) awaitMoves(ctx context.Context, cut <-chan time.Time) {
	look := time.NewTicker(neighbourLook)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if !s.neighbours.open() {
				s.log.Info("no other node is open any more: clients come back to whoever is next")
				return
			}
		case <-s.live.empty:
			return
		case <-cut:
			return
		case <-ctx.Done():
			return
		}
	}
}

// waited waits for c; false when ctx ends first.
func waited(ctx context.Context, c <-chan time.Time) bool {
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}

// somewhereToGo says whether any other node takes clients. It waits a moment if none is
// known.
func (s *Server) somewhereToGo(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	return s.neighbours.find(ctx)
}

// leaving refuses new seats from here on, and returns those whose clients can go elsewhere.
// The others are ended as restarts.
func (r *registry) leaving() []*seat {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse()
	var seats []*seat
	for s := range r.seats {
		if s.line != nil {
			seats = append(seats, s)
			continue
		}
		s.cancel(&session.End{Reason: session.EndRestart, Code: session.Draining})
	}
	return seats
}
