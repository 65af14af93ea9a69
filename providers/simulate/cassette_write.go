package simulate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// CassetteWriter writes a cassette, line by line as things happen; there is no
// queue. What happens after a write has failed is not kept, and Close tells. Safe
// for concurrent use.
type CassetteWriter struct {
	start time.Time

	mu    sync.Mutex // guards what follows, and the order of lines
	w     io.WriteCloser
	conns int
	lines int
	err   error
}

// CreateCassette makes a new file at path, which the owner alone may read, and
// begins a cassette in it. A file that is there already is an error: it may hold a
// conversation.
func CreateCassette(path string) (*CassetteWriter, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cassette: %w", err)
	}
	return NewCassetteWriter(f), nil
}

// NewCassetteWriter begins a cassette on w, which Close closes.
func NewCassetteWriter(w io.WriteCloser) *CassetteWriter {
	c := &CassetteWriter{start: time.Now(), w: w}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write(cassetteHeader{Version: cassetteVersion, Created: c.start.UTC().Truncate(time.Second), Note: cassetteNote})
	return c
}

// Lines is how many lines were written, the header among them.
func (c *CassetteWriter) Lines() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lines
}

// errCassetteClosed is why a line after Close is lost.
var errCassetteClosed = errors.New("cassette: closed")

// Close ends the cassette. It returns the first error of any write. Whoever records
// on it has stopped.
func (c *CassetteWriter) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(c.err, errCassetteClosed) {
		return nil
	}
	err := c.err
	c.err = errCassetteClosed
	if closing := c.w.Close(); closing != nil {
		err = errors.Join(err, fmt.Errorf("cassette: %w", closing))
	}
	return err
}

// put adds a line. It sets the time.
func (c *CassetteWriter) put(e CassetteEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.T = time.Since(c.start).Milliseconds()
	c.write(&e)
}

// write appends one line; mu is held.
func (c *CassetteWriter) write(v any) {
	if c.err != nil {
		return
	}
	line, err := cassetteLine(v)
	if err == nil {
		_, err = c.w.Write(line)
	}
	if err != nil {
		c.err = fmt.Errorf("cassette: line %d: %w", c.lines+1, err)
		return
	}
	c.lines++
}

// cassetteLine encodes a header or event. Text that grows too long by escapes goes
// as base64.
func cassetteLine(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	if b.Len() <= maxCassetteLine {
		return b.Bytes(), nil
	}
	e, ok := v.(*CassetteEvent)
	if !ok || e.Data == "" {
		return nil, fmt.Errorf("a line of %d bytes is too long", b.Len())
	}
	packed := *e
	packed.Data, packed.B64 = "", []byte(e.Data)
	return cassetteLine(&packed)
}

// tape writes the lines of one connection. Safe for concurrent use.
type tape struct {
	cassette *CassetteWriter
	conn     int
	vendor   Vendor
	scrub    scrubber

	mu    sync.Mutex // orders the connection's lines
	ended bool       // guarded by mu
}

// tape begins a connection with its open or request.
func (c *CassetteWriter) tape(kind EventKind, vendor Vendor, r *http.Request, body []byte) *tape {
	c.mu.Lock()
	c.conns++
	t := &tape{cassette: c, conn: c.conns, vendor: vendor, scrub: newScrubber(r)}
	c.mu.Unlock()
	e := CassetteEvent{Dir: Up, Kind: kind, Method: r.Method, Path: r.URL.Path, Query: t.scrub.query(r), Headers: t.scrub.headers(r.Header)}
	t.put(e, body)
	return t
}

// response notes an answer, with its body when that is already there.
func (t *tape) response(status int, h http.Header, body []byte) {
	t.put(CassetteEvent{Dir: Down, Kind: KindResponse, Status: status, Headers: t.scrub.headers(h)}, body)
}

// message notes a message or chunk.
func (t *tape) message(dir Direction, kind EventKind, b []byte) {
	t.put(CassetteEvent{Dir: dir, Kind: kind}, b)
}

// end notes who ended the connection and how. The first call counts, and says that
// it was; what is still on its way then is not noted.
func (t *tape) end(dir Direction, status int, reason string) (first bool) {
	return t.put(CassetteEvent{Dir: dir, Kind: KindClose, Status: status}, []byte(reason))
}

// put adds a line, unless the connection has ended.
func (t *tape) put(e CassetteEvent, payload []byte) bool {
	e.Conn, e.Vendor = t.conn, t.vendor
	e.setPayload(t.scrub.payload(payload))
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return false
	}
	t.ended = e.Kind == KindClose
	t.cassette.put(e)
	return true
}
