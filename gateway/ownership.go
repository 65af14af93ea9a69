package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"kalami/gateway/metrics"
	"kalami/session/learn"
)

const (
	// watchEvery is how often the node looks whether it has slept.
	watchEvery = 200 * time.Millisecond
	// sleptFor is from which gap between two looks on it takes itself to have been
	// stopped: meanwhile others may have taken over what it has.
	sleptFor = 700 * time.Millisecond
	// askEvery is how often the database is asked all the same.
	askEvery = 4 * time.Second
	// askWait bounds one question.
	askWait = 2 * time.Second
	// databaseEvery is how often the database is asked whether it is there.
	databaseEvery = 2 * time.Second
	// sweepEvery is how often a node looks for conversations whose clients never came
	// back, and sweepLimit how many it ends at a time.
	sweepEvery = time.Minute
	sweepLimit = 100
)

// topicTakenOver carries conversations that were taken over, each as its id, a space and
// the new epoch.
const topicTakenOver = "taken-over"

// KeepSessions does what the sessions of this node need beside their goroutines: it writes
// them to the mirror, renews their places, finds out which were taken over, and gives up conversations of any
// node whose clients never came back. It blocks until ctx ends. Call it once, and end it
// after [Server.DrainSessions].
//
// Who owns a conversation stands in its row, as the epoch. That it has risen a node learns
// from a notice, from the mirror, from a write that is refused, or by asking: every four
// seconds, and at once when it finds that it has been stopped for a while. Any one of them
// ends the session as superseded.
func (s *Server) KeepSessions(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { s.places.run(ctx) })
	if s.opts.Meter != nil {
		all.Go(func() { s.watchDatabase(ctx) })
	}
	if s.opts.Outages != nil {
		all.Go(func() { s.opts.Outages.Watch(ctx, s.heedOutage) })
	}
	if s.opts.Resumptions == nil {
		return
	}
	all.Go(func() { s.mirror.run(ctx) })
	all.Go(func() { s.watchOwnership(ctx) })
	all.Go(func() { s.sweep(ctx) })
	if s.opts.Nodes != nil {
		all.Go(func() {
			if err := s.opts.Nodes.Subscribe(ctx, topicTakenOver, s.heedTakeover); err != nil {
				s.log.Error("take-overs by other nodes are not heard", "err", err)
			}
		})
		all.Go(func() {
			if err := s.opts.Nodes.Subscribe(ctx, topicCardAdded, s.heedCardAdded); err != nil {
				s.log.Error("cards that were made on other nodes are not heard of", "err", err)
			}
		})
		all.Go(func() {
			if err := s.opts.Nodes.Subscribe(ctx, topicEdited, s.heedEdited); err != nil {
				s.log.Error("edits on other nodes are not heard", "err", err)
			}
		})
		all.Go(func() {
			if err := s.opts.Nodes.Subscribe(ctx, topicNodes, s.neighbours.heed); err != nil {
				s.log.Error("other nodes that stop are not heard", "err", err)
			}
		})
		all.Go(func() { s.neighbours.announce(ctx) })
	}
}

// watchDatabase asks the database now and then whether it is there, for the meter alone.
func (s *Server) watchDatabase(ctx context.Context) {
	tick := time.NewTicker(databaseEvery)
	defer tick.Stop()
	for {
		if away := ping(ctx, s.opts.Database, pingTimeout) == serviceDown; ctx.Err() == nil {
			s.opts.Meter.Degraded(metrics.Database, away)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// heedOutage shows that live state is away, and has what it held of this node stored again
// when it is back.
func (s *Server) heedOutage(degraded bool) {
	if s.opts.Meter != nil {
		s.opts.Meter.Degraded(metrics.Redis, degraded)
	}
	s.mirror.heedOutage(degraded)
	s.places.heedOutage(degraded)
}

// watchOwnership asks the database whose the conversations of this node are.
func (s *Server) watchOwnership(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	last, asked, due := time.Now(), time.Now(), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		// By both clocks: a machine that was suspended has only lost wall time.
		slept := now.Sub(last) > sleptFor || now.Round(0).Sub(last.Round(0)) > sleptFor
		last = now
		if due = due || slept || now.Sub(asked) >= askEvery; due {
			// Until there is an answer; one that took long may be from before a sleep.
			answered := s.askOwnership(ctx) && s.askSignIns(ctx)
			due = !answered || time.Since(now) > sleptFor
			last, asked = time.Now(), time.Now()
		}
	}
}

// askOwnership ends the sessions of conversations that have been taken over or ended; false
// when the database did not answer, and is to be asked again soon.
func (s *Server) askOwnership(ctx context.Context) bool {
	held := s.live.held()
	if len(held) == 0 {
		return true
	}
	ids := make([]string, len(held))
	for i, h := range held {
		ids[i] = h.ConversationID
	}
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	epochs, err := s.opts.Resumptions.Epochs(ctx, ids)
	if err != nil {
		return errors.Is(err, context.Canceled)
	}
	for _, h := range held {
		// One that has ended is nobody's: whoever still has it is as late as who was
		// superseded. The session that has just ended it is leaving anyway.
		if epoch, active := epochs[h.ConversationID]; !active || epoch > h.Epoch {
			s.live.supersede(h.ConversationID, h.Epoch+1)
		}
	}
	return true
}

// announceTakeover tells the other nodes that a conversation is this node's now.
func (s *Server) announceTakeover(ctx context.Context, c learn.Conversation) {
	if s.opts.Nodes == nil {
		return
	}
	payload := c.ID + " " + strconv.FormatInt(c.Epoch, 10)
	if err := s.opts.Nodes.Publish(context.WithoutCancel(ctx), topicTakenOver, payload); err != nil {
		s.log.Warn("other nodes were not told of a take-over", "conversation", c.ID, "err", err)
	}
}

// countTakeover tells the meter of a take-over by this node.
func (s *Server) countTakeover(reason metrics.TakeoverReason) {
	if s.opts.Meter != nil {
		s.opts.Meter.TookOver(reason)
	}
}

// heedTakeover ends the session of a conversation that another node has taken over.
func (s *Server) heedTakeover(payload string) {
	id, epoch, _ := strings.Cut(payload, " ")
	if at, err := strconv.ParseInt(epoch, 10, 64); err == nil {
		s.live.supersede(id, at)
	}
}

// sweep gives up conversations whose clients never came back.
func (s *Server) sweep(ctx context.Context) {
	for {
		// Nodes that were started together do not come together.
		wait := time.NewTimer(sweepEvery/2 + rand.N(sweepEvery))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
		n, err := s.opts.Resumptions.AbandonConversations(ctx, time.Now().Add(-s.opts.AbandonAfter), sweepLimit)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("conversations were not given up", "err", err)
		}
		if s.opts.Secrets != nil {
			if err := s.opts.Secrets.ForgetOnce(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("old tickets were not removed", "err", err)
			}
		}
		if _, err := s.opts.Sync.PruneSync(ctx, time.Now().Add(-syncKept), pruneLimit); err != nil && ctx.Err() == nil {
			s.log.Warn("old changes were not removed", "err", err)
		}
		if n > 0 {
			s.log.Info("conversations were given up, whose learners did not come back", "conversations", n)
		}
	}
}
