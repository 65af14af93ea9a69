package live

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// tick is how often the embedded Redis' clock moves.
const tick = 100 * time.Millisecond

// busyWait is how long a command to the embedded Redis may take. Nothing is lost on the
// way to it: when it is slow, this machine is busy, and giving up early makes it no less so.
const busyWait = 2 * time.Second

// embedded is a Redis inside the process.
type embedded struct {
	server   *miniredis.Miniredis
	stop     context.CancelFunc
	clock    sync.WaitGroup
	closed   atomic.Bool
	arrivals arrivals
	mirror   *mirror
	places   *places
}

// ready says why what is kept beside the server cannot be asked either: the context has
// ended, or the store is closed.
func (e *embedded) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if e.closed.Load() {
		return redis.ErrClosed
	}
	return nil
}

// startEmbedded starts the server and the goroutine that moves its clock; close
// ends both.
func startEmbedded() *embedded {
	ctx, stop := context.WithCancel(context.Background())
	e := &embedded{server: miniredis.NewMiniRedis(), stop: stop, mirror: newMirror(), places: newPlaces()}
	e.clock.Go(func() { e.drive(ctx) })
	return e
}

// drive lets the server's keys grow older, by the time that has really passed.
func (e *embedded) drive(ctx context.Context) {
	t := time.NewTicker(tick)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now := time.Now()
		e.server.FastForward(now.Sub(last))
		last = now
	}
}

// dial connects a client through a pipe.
func (e *embedded) dial(context.Context, string, string) (net.Conn, error) { return e.server.Dial() }

// close stops the clock and the server and waits for both.
func (e *embedded) close() {
	e.closed.Store(true)
	e.stop()
	e.clock.Wait()
	e.server.Close()
}
