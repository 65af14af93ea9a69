package gateway

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// cutPipe is a network connection in memory with a way of its own: what is written is on
// its way for a while, and is lost when the connection is cut, although the writer was
// told that it is written. It works in a bubble of virtual time.
type cutPipe struct {
	mu     sync.Mutex
	ends   [2]*pipeEnd
	way    time.Duration
	budget [2]int // how many bytes each end may still write; negative for any number
	broken bool
	// cut is told of the cut, once; or nil.
	cut func()
}

// pipeEnd is one end of a cutPipe.
type pipeEnd struct {
	pipe *cutPipe
	side int
	// Guarded by the pipe's mu: what is on its way to this end.
	coming  []packet
	held    int
	closed  bool
	readBy  time.Time
	writeBy time.Time
	changed chan struct{} // closed and made anew when something changes
}

type packet struct {
	data []byte
	at   time.Time
}

const pipeWindow = 64 << 10

var errReset = &net.OpError{Op: "read", Net: "pipe", Err: errors.New("connection reset")}

// newCutPipe returns the ends of a connection that is cut when the end side has written
// budget bytes; a negative budget is for one that is not cut.
func newCutPipe(way time.Duration, side, budget int, cut func()) (net.Conn, net.Conn) {
	p := &cutPipe{way: way, budget: [2]int{-1, -1}, cut: cut}
	p.budget[side] = budget
	for i := range p.ends {
		p.ends[i] = &pipeEnd{pipe: p, side: i, changed: make(chan struct{})}
	}
	return p.ends[0], p.ends[1]
}

// stir wakes who waits at an end; the lock is held.
func (e *pipeEnd) stir() {
	close(e.changed)
	e.changed = make(chan struct{})
}

// wait gives the lock up until something changes at e, or the time comes.
func (e *pipeEnd) wait(until time.Time) {
	changed := e.changed
	e.pipe.mu.Unlock()
	defer e.pipe.mu.Lock()
	if until.IsZero() {
		<-changed
		return
	}
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-changed:
	case <-t.C:
	}
}

func (e *pipeEnd) Read(b []byte) (int, error) {
	e.pipe.mu.Lock()
	defer e.pipe.mu.Unlock()
	for {
		now := time.Now()
		switch {
		case e.closed:
			return 0, net.ErrClosed
		case !e.readBy.IsZero() && !now.Before(e.readBy):
			return 0, os.ErrDeadlineExceeded
		case len(e.coming) > 0 && !now.Before(e.coming[0].at):
			n := copy(b, e.coming[0].data)
			if e.coming[0].data = e.coming[0].data[n:]; len(e.coming[0].data) == 0 {
				e.coming = e.coming[1:]
			}
			e.held -= n
			e.other().stir()
			return n, nil
		case len(e.coming) == 0 && (e.pipe.broken || e.other().closed):
			return 0, errReset
		}
		until := e.readBy
		if len(e.coming) > 0 && (until.IsZero() || e.coming[0].at.Before(until)) {
			until = e.coming[0].at
		}
		e.wait(until)
	}
}

func (e *pipeEnd) other() *pipeEnd { return e.pipe.ends[1-e.side] }

func (e *pipeEnd) Write(b []byte) (int, error) {
	p := e.pipe
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch to := e.other(); {
		case e.closed:
			return 0, net.ErrClosed
		case p.broken || to.closed:
			return 0, errReset
		case !e.writeBy.IsZero() && !time.Now().Before(e.writeBy):
			return 0, os.ErrDeadlineExceeded
		case to.held < pipeWindow:
			arrives := b
			if left := p.budget[e.side]; left >= 0 {
				arrives = b[:min(left, len(b))]
				p.budget[e.side] -= len(arrives)
			}
			to.coming = append(to.coming, packet{append([]byte(nil), arrives...), time.Now().Add(p.way)})
			to.held += len(arrives)
			if len(arrives) < len(b) {
				p.breaks(e)
			}
			to.stir()
			return len(b), nil
		}
		e.wait(e.writeBy)
	}
}

// breaks cuts the connection where e has written its last byte: that one arrives, and what
// is on its way to e does not.
func (p *cutPipe) breaks(e *pipeEnd) {
	p.broken = true
	e.coming, e.held = nil, 0
	for _, end := range p.ends {
		end.stir()
	}
	if p.cut != nil {
		p.cut()
	}
}

func (e *pipeEnd) Close() error {
	e.pipe.mu.Lock()
	defer e.pipe.mu.Unlock()
	e.closed = true
	e.stir()
	e.other().stir()
	return nil
}

func (e *pipeEnd) SetDeadline(t time.Time) error {
	_ = e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

func (e *pipeEnd) SetReadDeadline(t time.Time) error {
	e.pipe.mu.Lock()
	defer e.pipe.mu.Unlock()
	e.readBy = t
	e.stir()
	return nil
}

func (e *pipeEnd) SetWriteDeadline(t time.Time) error {
	e.pipe.mu.Lock()
	defer e.pipe.mu.Unlock()
	e.writeBy = t
	e.stir()
	return nil
}

func (e *pipeEnd) LocalAddr() net.Addr  { return pipeAddr{} }
func (e *pipeEnd) RemoteAddr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "127.0.0.1:1" }

// pipeListener hands out the server's ends of connections.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

// offer has the server accept c.
func (l *pipeListener) offer(ctx context.Context, c net.Conn) error {
	select {
	case l.conns <- c:
		return nil
	case <-l.done:
		return net.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
