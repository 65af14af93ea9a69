package live

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// libraryLogEvery is how often go-redis may speak; an outage of seconds makes it
// print hundreds of lines.
const libraryLogEvery = 10 * time.Second

// LibraryLog carries go-redis' own log to slog, at most one line in ten seconds,
// with the number of those left out. Its lines hold addresses and errors, not keys
// or values.
type LibraryLog struct {
	log *slog.Logger

	mu      sync.Mutex // guards what follows
	next    time.Time
	skipped int
}

// NewLibraryLog returns a logger for redis.SetLogger.
func NewLibraryLog(log *slog.Logger) *LibraryLog { return &LibraryLog{log: log} }

// Printf logs a line or counts it as left out.
func (l *LibraryLog) Printf(ctx context.Context, format string, v ...any) {
	l.mu.Lock()
	now := time.Now()
	if now.Before(l.next) {
		l.skipped++
		l.mu.Unlock()
		return
	}
	skipped := l.skipped
	l.skipped, l.next = 0, now.Add(libraryLogEvery)
	l.mu.Unlock()
	l.log.LogAttrs(ctx, slog.LevelWarn, "redis client",
		slog.String("message", fmt.Sprintf(format, v...)), slog.Int("left_out", skipped))
}
