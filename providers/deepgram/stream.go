package deepgram

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"kalami/providers"
)

const (
	vendor = "deepgram"
	// maxEvents is how many events wait for the consumer; then the reader waits,
	// and with it the vendor.
	maxEvents = 16
	// maxMessage bounds one server message.
	maxMessage = 1 << 20
	// joined is how much audio is sent in one message.
	joined = 80 * time.Millisecond
	// closeWait bounds the closing handshake after everything has been delivered.
	closeWait = time.Second
)

// closeStream asks both endpoints to finish.
const closeStream = `{"type":"CloseStream"}`

// dialect is what the two endpoints do differently. Its methods run on the reader
// goroutine, but for the texts, which are constants.
type dialect interface {
	// receive reads one server message and passes what it means to emit. It
	// returns true for the message after which nothing but the close follows.
	receive(msg []byte, emit func(providers.Heard)) (last bool, err error)
	// finish emits what is still open when the stream ended in order.
	finish(emit func(providers.Heard))
	// endsByClose says that after CloseStream the close itself is the end, without a last message.
	endsByClose() bool
	// finalizeText is the message that makes what was heard final, empty when there is none.
	finalizeText() string
	// keepAliveText is the message that keeps an idle stream, empty when there is
	// none and a ping has to do.
	keepAliveText() string
}

// stream implements [providers.RecognitionStream] for both endpoints.
type stream struct {
	// static after open
	conn      *websocket.Conn
	socket    net.Conn // what conn runs on: deadlines, and closing it without ceremony
	requestID string
	dialect   dialect
	chunk     int // bytes of audio in one message; 0 sends every frame as it comes

	// owned by the goroutine that sends
	pending  []byte // joined frames, below chunk
	deadline writeDeadline

	events   chan providers.Heard // closed by read, after done
	done     chan struct{}        // closed by read: err is set
	err      error                // owned by read until done
	draining atomic.Bool
	late     atomic.Bool // a write missed its deadline
	pinging  atomic.Bool
	pings    sync.WaitGroup
	closing  chan struct{} // closed by Close
	closed   sync.Once
}

var _ providers.RecognitionStream = (*stream)(nil)

// open makes a stream of an accepted socket and starts its reader.
func open(conn *websocket.Conn, socket net.Conn, requestID string, d dialect, limit time.Duration, chunk int) *stream {
	conn.SetReadLimit(maxMessage)
	s := &stream{
		conn: conn, socket: socket, requestID: requestID, dialect: d, chunk: chunk,
		pending:  make([]byte, 0, chunk),
		deadline: writeDeadline{socket: socket, limit: limit},
		events:   make(chan providers.Heard, maxEvents),
		done:     make(chan struct{}),
		closing:  make(chan struct{}),
	}
	go s.read()
	return s
}

// Events implements [providers.RecognitionStream].
func (s *stream) Events() <-chan providers.Heard { return s.events }

// Err implements [providers.RecognitionStream].
func (s *stream) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Send implements [providers.RecognitionStream].
func (s *stream) Send(ctx context.Context, audio []byte) error {
	if s.chunk == 0 {
		if len(audio) == 0 {
			return nil
		}
		return s.write(ctx, websocket.MessageBinary, audio)
	}
	for len(audio) > 0 {
		n := min(len(audio), s.chunk-len(s.pending))
		s.pending = append(s.pending, audio[:n]...)
		audio = audio[n:]
		if len(s.pending) == s.chunk {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush sends the frames that wait to be joined.
func (s *stream) flush(ctx context.Context) error {
	if len(s.pending) == 0 {
		return nil
	}
	err := s.write(ctx, websocket.MessageBinary, s.pending)
	s.pending = s.pending[:0]
	return err
}

// control sends what is waiting and then a text message, unless that is empty.
func (s *stream) control(ctx context.Context, text string) error {
	if err := s.flush(ctx); err != nil || text == "" {
		return err
	}
	return s.write(ctx, websocket.MessageText, []byte(text))
}

// Flush implements [providers.RecognitionStream].
func (s *stream) Flush(ctx context.Context) error { return s.flush(ctx) }

// Finalize implements [providers.RecognitionStream].
func (s *stream) Finalize(ctx context.Context) error {
	return s.control(ctx, s.dialect.finalizeText())
}

// KeepAlive implements [providers.RecognitionStream]. A ping's pong is not waited
// for: the caller may be the one who empties Events, behind which the pong comes.
func (s *stream) KeepAlive(ctx context.Context) error {
	text := s.dialect.keepAliveText()
	if err := s.control(ctx, text); err != nil || text != "" {
		return err
	}
	if s.ended() || s.pinging.Swap(true) {
		return s.Err() // the last ping has not been answered yet
	}
	s.pings.Go(func() {
		defer s.pinging.Store(false)
		// It ends with the pong or with the connection, whose reader has the reason.
		_ = s.conn.Ping(context.Background())
	})
	return nil
}

// write sends one message within the deadline and ctx.
func (s *stream) write(ctx context.Context, kind websocket.MessageType, b []byte) error {
	err := s.deadline.begin(ctx)
	if err == nil {
		// A context that can end would make the library start a watcher per write;
		// the deadline does the same for less.
		err = s.conn.Write(context.Background(), kind, b)
		s.deadline.done()
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.late.Store(true)
		s.abort() // half a frame may be out
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := s.Err(); err != nil {
		return err // the vendor had closed; its reason says more
	}
	return s.failure(providers.Unavailable, "write", err)
}

// Drain implements [providers.RecognitionStream].
func (s *stream) Drain(ctx context.Context) error {
	defer s.Close()
	s.draining.Store(true)
	if err := s.control(ctx, closeStream); err != nil {
		return err
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if s.err == nil {
		s.closeInOrder(ctx)
	}
	return s.err
}

// closeInOrder closes with 1000 and waits shortly for the vendor to do the same.
func (s *stream) closeInOrder(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, closeWait)
	defer cancel()
	// The library's CloseNow does not interrupt its Close; closing the socket does.
	stop := context.AfterFunc(ctx, s.cut)
	defer stop()
	_ = s.conn.Close(websocket.StatusNormalClosure, "") // everything has been delivered; nobody minds
}

// Close implements [providers.RecognitionStream].
func (s *stream) Close() error {
	s.closed.Do(func() { close(s.closing) })
	s.abort()
	<-s.done
	s.pings.Wait()
	return nil
}

// ended says whether the reader has gone.
func (s *stream) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// cut closes the socket. TLS would first try to say goodbye, for up to 5 s when
// the peer does not read, so the socket below it is closed.
func (s *stream) cut() {
	if t, ok := s.socket.(*tls.Conn); ok {
		_ = t.NetConn().Close()
		return
	}
	_ = s.socket.Close()
}

// abort ends the connection at once, whatever is going on on it.
func (s *stream) abort() {
	s.cut()
	_ = s.conn.CloseNow()
}
