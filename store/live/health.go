package live

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// health knows which servers do not answer, and tells.
type health struct {
	// Static after newHealth.
	log  *slog.Logger // nil for nowhere
	ctx  context.Context
	stop context.CancelFunc

	probes sync.WaitGroup

	mu      sync.Mutex // guards what follows
	closed  bool
	silent  map[string]time.Time // since when, by address
	changes uint64
	changed chan struct{} // closed and replaced at each change
}

func newHealth(log *slog.Logger) *health {
	h := &health{log: log, silent: map[string]time.Time{}, changed: make(chan struct{})}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// start runs probe in a goroutine that close ends and waits for, unless it is too late.
func (h *health) start(probe func(ctx context.Context)) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.probes.Go(func() { probe(h.ctx) })
	return true
}

// close ends what was started and every watch.
func (h *health) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.stop()
	h.probes.Wait()
}

// down notes that a server does not answer.
func (h *health) down(addr string) {
	h.change(func() { h.silent[addr] = time.Now() })
	if h.log != nil {
		h.log.LogAttrs(h.ctx, slog.LevelWarn, "redis does not answer; going on without it", slog.String("addr", addr))
	}
}

// up notes that it does, or is not needed any more.
func (h *health) up(addr string) {
	var since time.Time
	h.change(func() {
		since = h.silent[addr]
		delete(h.silent, addr)
	})
	if h.log != nil {
		h.log.LogAttrs(h.ctx, slog.LevelInfo, "redis answers again", slog.String("addr", addr),
			slog.Duration("after", time.Since(since).Round(time.Millisecond)))
	}
}

func (h *health) change(how func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	how()
	h.changes++
	close(h.changed)
	h.changed = make(chan struct{})
}

// now returns whether anything is silent, the number of the last change, and what is
// closed at the next.
func (h *health) now() (degraded bool, changes uint64, next <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.silent) > 0, h.changes, h.changed
}

// Degraded tells whether Redis, or one of a cluster's masters, is known not to answer.
// Calls that need it fail at once then. It does not block, and is false in embedded mode.
func (s *Store) Degraded() bool {
	degraded, _, _ := s.health.now()
	return degraded
}

// Watch calls take with what Degraded says, at once and after each change, one after
// another. After an outage that was over before take had returned, it is told the same
// again. So whenever it is told false but for the first time, what this node has in Redis
// may be lost, and is to be stored again: by [Store.RenewLive], which tells what is missing,
// and [Store.RenewPlaces]. Notices of the time between were missed.
//
// It blocks until ctx ends or the store is closed.
func (s *Store) Watch(ctx context.Context, take func(degraded bool)) {
	told, last := false, uint64(0)
	for {
		degraded, changes, next := s.health.now()
		if !told || changes != last {
			told, last = true, changes
			take(degraded)
			continue
		}
		select {
		case <-next:
		case <-ctx.Done():
			return
		case <-s.health.ctx.Done():
			return
		}
	}
}
