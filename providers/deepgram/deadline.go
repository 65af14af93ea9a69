package deepgram

import (
	"context"
	"net"
	"sync"
	"time"
)

// aLongTimeAgo is a deadline that makes a write fail at once.
var aLongTimeAgo = time.Unix(1, 0)

// writeDeadline bounds writes on a socket by a time and by the writer's context.
//
// The WebSocket library would do so by a context per write, which costs four
// allocations each; here the socket's own deadline is set, and a context is
// watched once however many writes it is used for (a session's writes all carry
// the same one). A write that was cut short leaves half a frame on the wire, so
// the socket cannot be used after it.
type writeDeadline struct {
	socket net.Conn
	limit  time.Duration

	// owned by the writing goroutine
	watched <-chan struct{} // Done of the context that is being watched
	unwatch func() bool

	mu      sync.Mutex
	writing bool
	current <-chan struct{} // Done of the write in progress
}

// begin prepares a write; it fails when ctx has ended. Each begin that succeeds
// is followed by done.
func (d *writeDeadline) begin(ctx context.Context) error {
	d.watch(ctx)
	d.mu.Lock()
	d.writing, d.current = true, ctx.Done()
	err := d.socket.SetWriteDeadline(time.Now().Add(d.limit))
	d.mu.Unlock()
	// Looked at after writing was set: whichever of this check and the watcher
	// comes second sees the other.
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		d.done()
	}
	return err
}

// done takes the deadline away, so that it does not hit the library's own writes
// (pongs, the answer to a close) while the caller is idle.
func (d *writeDeadline) done() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writing = false
	_ = d.socket.SetWriteDeadline(time.Time{}) // a closed socket fails the write itself
}

// watch makes the end of ctx interrupt a write in progress.
func (d *writeDeadline) watch(ctx context.Context) {
	if d.watched == ctx.Done() {
		return
	}
	d.release()
	over := ctx.Done()
	d.watched = over
	if over == nil {
		return
	}
	d.unwatch = context.AfterFunc(ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.writing && d.current == over {
			_ = d.socket.SetWriteDeadline(aLongTimeAgo)
		}
	})
}

// release stops watching.
func (d *writeDeadline) release() {
	if d.unwatch != nil {
		d.unwatch()
	}
	d.watched, d.unwatch = nil, nil
}
