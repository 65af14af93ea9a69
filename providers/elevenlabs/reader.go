package elevenlabs

import (
	"context"
	"errors"
	"io"

	"kalami/providers"
)

// keepBuffer is the largest read buffer that is kept between messages.
const keepBuffer = 256 << 10

// read takes messages until the stream ends. It alone hands out audio.
func (s *stream) read() {
	var buf []byte
	var m message
	for {
		_, r, err := s.conn.Reader(context.Background())
		if err == nil {
			buf, err = readAll(r, buf[:0])
		}
		if err != nil {
			s.fail(s.failure("speak", err))
			return
		}
		if err := parseMessage(buf, &m); err != nil {
			s.fail(s.failure("speak", err))
			return
		}
		if !s.handle(&m) {
			return
		}
		if cap(buf) > keepBuffer {
			buf = nil
		}
	}
}

// readAll reads r to its end into b, growing it as needed.
func readAll(r io.Reader, b []byte) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, make([]byte, max(8<<10, cap(b)))...)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// handle acts on a message; false when it ended the stream.
func (s *stream) handle(m *message) bool {
	s.mu.Lock()
	u := s.open[string(m.context)]
	if u == nil && len(m.context) == 0 {
		u = s.current // the vendor need not name it
	}
	s.mu.Unlock()
	if len(m.code) > 0 || len(m.text) > 0 && len(m.audio) == 0 && !m.final {
		err := &providers.Error{
			Kind: classify(0, string(m.code), string(m.text)), Vendor: vendor, Op: "speak", RequestID: s.requestID,
			Detail: shorten(string(m.code) + ": " + string(m.text)),
		}
		if u == nil || len(m.context) == 0 {
			s.fail(err)
			return false
		}
		u.complete(err)
		u.askClose()
		return true
	}
	if u == nil {
		return true // of a context that is gone, or not about speech
	}
	if len(m.audio) > 0 || len(m.align.chars) > 0 || len(m.normal.chars) > 0 {
		if err := u.deliver(m); err != nil {
			s.fail(s.failure("speak", err))
			return false
		}
	}
	if m.final {
		u.final()
		s.release(u)
	}
	return true
}
