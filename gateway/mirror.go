package gateway

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"kalami/gateway/line"
	"kalami/session/learn"
)

const (
	// mirrorEvery is how often what has changed is written: the most that a node which dies
	// takes with it.
	mirrorEvery = 25 * time.Millisecond
	// mirrorWait bounds one write of all that has changed.
	mirrorWait = 2 * time.Second
	// mirrorAgain is the pause after a write that failed.
	mirrorAgain = 500 * time.Millisecond
	// renewEvery is how often the node says that it is alive, and what it has.
	renewEvery = 3 * time.Second
)

// mirrorWriter writes what happens in the sessions of this node where other nodes find it:
// all of them at once, in one goroutine, and never in the way of a session. There is no
// queue: a line that has something new is noted once, and asked for all of it when it is
// its turn. While the mirror is away nothing of that is lost either, for as long as the
// lines keep it; what it has lost it is told again.
type mirrorWriter struct {
	// Static after newMirrorWriter.
	mirror Mirror // nil: nothing is written
	node   string
	live   *registry
	log    *slog.Logger
	wake   chan struct{} // somebody has changed; one notice is enough
	back   chan struct{} // the mirror may have lost what it had; one notice is enough

	mu      sync.Mutex
	changed map[*line.Line]struct{}

	// Owned by run.
	failing bool // it has been logged
}

func newMirrorWriter(m Mirror, node string, live *registry, log *slog.Logger) *mirrorWriter {
	return &mirrorWriter{mirror: m, node: node, live: live, log: log,
		wake: make(chan struct{}, 1), back: make(chan struct{}, 1), changed: map[*line.Line]struct{}{}}
}

// notify returns what a line tells of changes; nil when nobody wants to know.
func (w *mirrorWriter) notify() func(*line.Line) {
	if w.mirror == nil {
		return nil
	}
	return w.note
}

// note remembers that l has something new. It does not block.
func (w *mirrorWriter) note(l *line.Line) {
	w.mu.Lock()
	w.changed[l] = struct{}{}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run writes until ctx ends, and then once more.
func (w *mirrorWriter) run(ctx context.Context) {
	if w.mirror == nil {
		return
	}
	renew := time.NewTicker(renewEvery)
	defer renew.Stop()
	pace := time.NewTimer(0)
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			w.write(context.WithoutCancel(ctx))
			return
		case <-renew.C:
			w.renew(ctx)
			continue
		case <-w.back:
			w.renew(ctx) // which tells what is lost
			continue
		case <-w.wake:
		}
		pause := mirrorEvery
		if !w.write(ctx) {
			pause = mirrorAgain
		}
		pace.Reset(pause)
		select {
		case <-ctx.Done():
		case <-pace.C:
		}
	}
}

// heedOutage has the mirror filled again when it is back. It does not block.
func (w *mirrorWriter) heedOutage(degraded bool) {
	if !degraded {
		w.refill()
	}
}

// refill has the mirror asked soon what it has lost. It does not block.
func (w *mirrorWriter) refill() {
	select {
	case w.back <- struct{}{}:
	default:
	}
}

// write writes all that has changed; false when the mirror did not take it.
func (w *mirrorWriter) write(ctx context.Context) bool {
	w.mu.Lock()
	changed := w.changed
	w.changed = make(map[*line.Line]struct{}, len(changed))
	w.mu.Unlock()
	changes := make([]learn.LiveChange, 0, len(changed))
	lines := make(map[string]*line.Line, len(changed))
	for l := range changed {
		var c learn.LiveChange
		some, err := l.Changes(&c)
		if err != nil {
			w.log.Error("the state of a session is not mirrored", "err", err)
		}
		if some {
			changes, lines[c.ConversationID] = append(changes, c), l
		}
	}
	if len(changes) == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, mirrorWait)
	defer cancel()
	answer, err := w.mirror.KeepLive(ctx, w.node, changes)
	w.heed(answer, func(id string) *line.Line { return lines[id] })
	if err == nil {
		confirm(changes, lines, answer.Lost)
		if len(answer.Lost) > 0 {
			w.refill() // what is lost of these may be lost of those that are silent, too
		}
	}
	return w.told(err)
}

// confirm tells the lines what the mirror has got of them, but those that it has lost.
func confirm(changes []learn.LiveChange, lines map[string]*line.Line, lost []string) {
	for _, c := range changes {
		if n := len(c.Events); n > 0 && !slices.Contains(lost, c.ConversationID) {
			lines[c.ConversationID].Mirrored(c.Events[n-1].Seq)
		}
	}
}

// renew says which conversations the node has.
func (w *mirrorWriter) renew(ctx context.Context) {
	leases := w.live.held()
	ctx, cancel := context.WithTimeout(ctx, mirrorWait)
	defer cancel()
	answer, err := w.mirror.RenewLive(ctx, w.node, leases)
	w.heed(answer, w.live.lineOf)
	w.told(err)
}

// heed does what the mirror's answer asks for: who was superseded ends, and what was lost
// is told again.
func (w *mirrorWriter) heed(answer learn.LiveAnswer, lineOf func(id string) *line.Line) {
	for _, id := range answer.Superseded {
		w.live.refused(id, lineOf(id))
	}
	for _, id := range answer.Lost {
		if l := lineOf(id); l != nil {
			l.Republish()
		}
	}
}

// told logs the beginning and the end of a failure, and says whether there is none.
func (w *mirrorWriter) told(err error) bool {
	switch {
	case err != nil && !w.failing && !errors.Is(err, context.Canceled):
		w.failing = true
		w.log.Warn("sessions are not mirrored; clients of this node that come back to another start over from what is stored", "err", err)
	case err == nil && w.failing:
		w.failing = false
		w.log.Info("sessions are mirrored again")
	}
	return err == nil
}
