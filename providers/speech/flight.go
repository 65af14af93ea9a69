package speech

import (
	"context"
	"errors"
	"io"
	"sync"
)

var (
	// errNobodyListens ends the vendor's call when every listener has left.
	errNobodyListens = errors.New("speech: nobody listens any more")
	// errTooLong is the cause when a short text became an endless clip.
	errTooLong = errors.New("the clip is longer than its text can be")
	// errLeft is what a closed reader returns.
	errLeft = errors.New("speech: the clip was closed")
)

// flight is a clip that is arriving, for everybody who asked for it. What has arrived
// stays in memory, at most MaxClip bytes, until the last listener has left, so that
// late ones miss nothing and slow ones hold nobody up.
type flight struct {
	cancel context.CancelCauseFunc // ends the vendor's call

	// Guarded by the service's mutex.
	aboard int

	mu   sync.Mutex
	mp3  []byte
	err  error         // io.EOF when whole, the failure when not; nil while arriving
	news chan struct{} // closed when mp3 or err changes
}

// newFlight makes one with its first listener aboard.
func newFlight() *flight { return &flight{aboard: 1, news: make(chan struct{})} }

func (f *flight) board() { f.aboard++ }

// leave says whether the last one left.
func (f *flight) leave() bool {
	f.aboard--
	return f.aboard == 0
}

// over says whether nothing more comes.
func (f *flight) over() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err != nil
}

// add takes what arrived; false when it is too much, which is then dropped.
func (f *flight) add(b []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.mp3)+len(b) > MaxClip {
		return false
	}
	if len(b) > 0 {
		f.mp3 = append(f.mp3, b...)
		f.tell()
	}
	return true
}

// end says that nothing more comes, and returns what came.
func (f *flight) end(err error) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	f.tell()
	return f.mp3
}

// tell wakes the listeners. The mutex is held.
func (f *flight) tell() {
	close(f.news)
	f.news = make(chan struct{})
}

// passenger reads a flight from its beginning. It is used from one goroutine.
type passenger struct {
	ctx     context.Context // of the request, which the clip's contract bounds by it
	service *Service
	flight  *flight
	key     string
	at      int
	left    bool
}

var _ io.ReadCloser = (*passenger)(nil)

// await blocks until there is something to read; its error is the end's.
func (p *passenger) await() error {
	for {
		p.flight.mu.Lock()
		there, err, news := len(p.flight.mp3) > p.at, p.flight.err, p.flight.news
		p.flight.mu.Unlock()
		switch {
		case p.ctx.Err() != nil:
			return context.Cause(p.ctx)
		case there:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-news:
		case <-p.ctx.Done():
		}
	}
}

// Read implements io.Reader.
func (p *passenger) Read(b []byte) (int, error) {
	if p.left {
		return 0, errLeft
	}
	if len(b) == 0 {
		return 0, nil
	}
	if err := p.await(); err != nil {
		return 0, err
	}
	p.flight.mu.Lock()
	defer p.flight.mu.Unlock()
	n := copy(b, p.flight.mp3[p.at:])
	p.at += n
	return n, nil
}

// Close implements io.Closer.
func (p *passenger) Close() error {
	if !p.left {
		p.left = true
		p.service.leave(p.key, p.flight)
	}
	return nil
}
