package elevenlabs

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"kalami/providers"
)

// clauseQueue are flushed clauses that wait for their request; full: Write waits.
const clauseQueue = 8

// httpStream speaks with one request per flushed clause. There is nothing to keep
// warm but the connection, which the HTTP client keeps.
type httpStream struct {
	// Static.
	client *Client
	manner manner
	ctx    context.Context // ends with Close
	end    context.CancelCauseFunc
	work   sync.WaitGroup // one goroutine per utterance in use

	// bare is set once the service has turned out to have no timestamps.
	bare atomic.Bool

	mu      sync.Mutex
	current *httpUtterance
}

func (c *Client) openHTTP(m manner) *httpStream {
	s := &httpStream{client: c, manner: m}
	s.ctx, s.end = context.WithCancelCause(context.Background())
	return s
}

// Alive implements providers.VoiceStream.
func (s *httpStream) Alive() bool { return s.ctx.Err() == nil }

// Close implements providers.VoiceStream.
func (s *httpStream) Close() error {
	s.mu.Lock()
	s.end(providers.ErrCancelled)
	s.mu.Unlock()
	s.work.Wait()
	return nil
}

// Say implements providers.VoiceStream. It cancels the utterance before and does
// not wait.
func (s *httpStream) Say(ctx context.Context) (providers.Utterance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ctx.Err() != nil:
		return nil, closeError("say", "", errClosed)
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	if s.current != nil {
		s.current.Cancel()
	}
	u := &httpUtterance{
		stream: s, clock: clock{rate: s.manner.rate}, clauses: make(chan string, clauseQueue),
		chunks: make(chan providers.Chunk, chunkQueue), over: make(chan struct{}), gone: make(chan struct{}),
	}
	u.ctx, u.end = context.WithCancelCause(s.ctx)
	s.current = u
	s.work.Go(u.run)
	return u, nil
}

// httpUtterance is one reply, spoken clause by clause.
type httpUtterance struct {
	// Static.
	stream  *httpStream
	ctx     context.Context // of the requests; ends with Cancel, Close and run
	end     context.CancelCauseFunc
	clauses chan string          // closed by End
	chunks  chan providers.Chunk // run to Next
	gone    chan struct{}        // closed by Cancel
	over    chan struct{}        // closed by run when nothing more is handed out; err is set before
	err     error                // nil for the orderly end

	goneOnce sync.Once

	// Owned by whoever writes text.
	buffer string
	ended  bool

	// Owned by run.
	clock clock
	said  string
}

// Write implements providers.Utterance.
func (u *httpUtterance) Write(ctx context.Context, text string, flush bool) error {
	if u.ended {
		return invalid("speak", "text after the end")
	}
	u.buffer += text
	if !flush {
		return u.state(ctx)
	}
	return u.flush(ctx)
}

// flush queues what was written.
func (u *httpUtterance) flush(ctx context.Context) error {
	if err := u.state(ctx); err != nil {
		return err
	}
	if _, letters := prepare(u.buffer); letters == 0 {
		return nil
	}
	select {
	case u.clauses <- u.buffer:
		u.buffer = ""
		return nil
	case <-u.over:
	case <-u.gone:
	case <-ctx.Done():
	}
	return u.state(ctx)
}

// state is why nothing can be written any more, or nil.
func (u *httpUtterance) state(ctx context.Context) error {
	switch {
	case u.cancelled():
		return providers.ErrCancelled
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	select {
	case <-u.over:
		return u.err
	default:
		return nil
	}
}

func (u *httpUtterance) cancelled() bool {
	select {
	case <-u.gone:
		return true
	default:
		return false
	}
}

// End implements providers.Utterance.
func (u *httpUtterance) End(ctx context.Context) error {
	if u.ended {
		return u.state(ctx)
	}
	if err := u.flush(ctx); err != nil {
		return err
	}
	u.ended = true
	close(u.clauses)
	return nil
}

// Next implements providers.Utterance. What arrived before a failure is returned
// before it.
func (u *httpUtterance) Next(ctx context.Context) (providers.Chunk, error) {
	if u.cancelled() {
		return providers.Chunk{}, providers.ErrCancelled
	}
	select {
	case c := <-u.chunks:
		return c, nil
	default:
	}
	select {
	case c := <-u.chunks:
		return c, nil
	case <-u.gone:
		return providers.Chunk{}, providers.ErrCancelled
	case <-ctx.Done():
		return providers.Chunk{}, context.Cause(ctx)
	case <-u.over:
	}
	select { // more may have been handed out meanwhile
	case c := <-u.chunks:
		return c, nil
	default:
	}
	if u.err != nil {
		return providers.Chunk{}, u.err
	}
	return providers.Chunk{}, io.EOF
}

// Cancel implements providers.Utterance: the request is aborted.
func (u *httpUtterance) Cancel() {
	u.goneOnce.Do(func() { close(u.gone) })
	u.end(providers.ErrCancelled)
}

// run speaks the clauses one after the other.
func (u *httpUtterance) run() {
	defer u.end(nil)
	defer close(u.over)
	for {
		select {
		case clause, ok := <-u.clauses:
			if !ok {
				return
			}
			if u.err = u.speak(clause); u.err != nil {
				return
			}
			u.said += clause
		case <-u.ctx.Done():
			u.err = context.Cause(u.ctx)
			return
		}
	}
}
