package deepgram

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/coder/websocket"

	"kalami/providers"
)

// read is the reader goroutine: it lives from open until the connection ends, and
// Close waits for it.
func (s *stream) read() {
	defer close(s.events)
	defer close(s.done)
	s.err = s.receive()
	if s.err != nil {
		s.abort()
	}
}

// receive reads messages until the stream is over and says why.
func (s *stream) receive() error {
	buf := make([]byte, 0, 4<<10)
	for {
		msg, err := s.next(buf)
		if err != nil {
			return s.over(err)
		}
		last, err := s.dialect.receive(msg, s.emit)
		if err != nil {
			return s.blame(err)
		}
		if last && s.draining.Load() {
			s.dialect.finish(s.emit)
			return nil
		}
		if cap(msg) <= 64<<10 { // keep a buffer that grew, but not after one huge message
			buf = msg[:0]
		}
	}
}

// next reads one text message into buf, growing it as needed; binary messages,
// which no endpoint sends, are stepped over.
func (s *stream) next(buf []byte) ([]byte, error) {
	for {
		// No context: Close unblocks the reader by closing the socket. A context
		// that can end would cost allocations on every message.
		kind, r, err := s.conn.Reader(context.Background())
		if err != nil {
			return buf, err
		}
		if buf, err = readAll(r, buf[:0]); err != nil {
			return buf, err
		}
		if kind == websocket.MessageText {
			return buf, nil
		}
	}
}

// readAll appends all of r to buf.
func readAll(r io.Reader, buf []byte) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// emit hands an event to the consumer, or drops it once Close was called.
func (s *stream) emit(h providers.Heard) {
	select {
	case s.events <- h:
	case <-s.closing:
	}
}

// over turns the end of the connection into the stream's error, nil when the end
// was asked for.
func (s *stream) over(err error) error {
	select {
	case <-s.closing:
		return nil
	default:
	}
	if s.late.Load() {
		return s.failure(providers.Unavailable, "the vendor does not read", nil)
	}
	closed, ok := errors.AsType[websocket.CloseError](err)
	if !ok {
		return s.failure(providers.Unavailable, "connection lost", err)
	}
	orderly := closed.Code == websocket.StatusNormalClosure || closed.Code == websocket.StatusNoStatusRcvd
	if orderly && s.draining.Load() && s.dialect.endsByClose() {
		s.dialect.finish(s.emit)
		return nil
	}
	return s.failure(kindOfClose(closed), short("closed "+closed.Code.String()+": "+closed.Reason), nil)
}

// kindOfClose sorts a close that was not asked for.
func kindOfClose(c websocket.CloseError) providers.Kind {
	switch {
	case strings.Contains(c.Reason, "DATA-0000"), c.Code == websocket.StatusPolicyViolation,
		c.Code == websocket.StatusMessageTooBig:
		return providers.Invalid // the vendor could not decode what we sent
	case c.Code == websocket.StatusTryAgainLater:
		return providers.Overloaded
	}
	return providers.Unavailable
}

// blame makes the stream's error of what a dialect returned.
func (s *stream) blame(err error) error {
	if e, ok := errors.AsType[*providers.Error](err); ok {
		e.Vendor, e.Op, e.RequestID = vendor, "listen", s.requestID
		return e
	}
	return s.failure(providers.Unavailable, "broken message", err)
}

func (s *stream) failure(kind providers.Kind, detail string, err error) error {
	return &providers.Error{Kind: kind, Vendor: vendor, Op: "listen", RequestID: s.requestID, Detail: detail, Err: err}
}

// short keeps a vendor's explanation to a length that suits a log line.
func short(s string) string {
	const most = 200
	s = strings.ToValidUTF8(strings.TrimSpace(s), "")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
