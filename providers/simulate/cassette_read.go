package simulate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// OpenCassette reads the cassette at path.
func OpenCassette(path string) (*Cassette, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cassette: %w", err)
	}
	defer f.Close()
	c, err := ReadCassette(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// ReadCassette reads a whole cassette. The error names the line that is wrong: one
// that is no JSON or too long, an event that cannot happen where it stands (a
// message on a connection that was never opened), a version that is not known.
func ReadCassette(r io.Reader) (*Cassette, error) {
	lines := bufio.NewReaderSize(io.LimitReader(r, maxCassetteSize+1), 64<<10)
	c := &Cassette{}
	check := cassetteCheck{conns: map[int]*checkedConn{}}
	size := 0
	for n := 1; ; n++ {
		line, err := readCassetteLine(lines)
		if errors.Is(err, io.EOF) {
			if n == 1 {
				return nil, errors.New("cassette: line 1: the header is missing")
			}
			return c, nil
		}
		size += len(line)
		switch {
		case err != nil:
		case size > maxCassetteSize:
			err = fmt.Errorf("a cassette may be %d MiB long", maxCassetteSize>>20)
		case n > maxCassetteLines:
			err = fmt.Errorf("a cassette may have %d lines", maxCassetteLines)
		case n == 1:
			err = c.readHeader(line)
		default:
			err = c.readEvent(line, &check)
		}
		if err != nil {
			return nil, fmt.Errorf("cassette: line %d: %w", n, err)
		}
	}
}

// readCassetteLine returns the next line; io.EOF when there is none.
func readCassetteLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxCassetteLine:
			return nil, fmt.Errorf("longer than %d MiB", maxCassetteLine>>20)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil // an editor may leave the last line break out
		default:
			return line, err
		}
	}
}

func (c *Cassette) readHeader(line []byte) error {
	var h cassetteHeader
	if err := json.Unmarshal(line, &h); err != nil || h.Version == 0 {
		return errors.New("not the header of a cassette")
	}
	if h.Version != cassetteVersion {
		return fmt.Errorf("version %d of the format; this program knows version %d", h.Version, cassetteVersion)
	}
	c.Created = h.Created
	return nil
}

func (c *Cassette) readEvent(line []byte, check *cassetteCheck) error {
	var e CassetteEvent
	if err := json.Unmarshal(line, &e); err != nil {
		// The decoder's error may quote what was said.
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return fmt.Errorf("%s: has a value of the wrong type", t.Field)
		}
		return errors.New("not a JSON object of the right form, or cut short")
	}
	if err := check.event(&e); err != nil {
		return err
	}
	c.Events = append(c.Events, e)
	return nil
}

// cassetteCheck follows every connection of a cassette.
type cassetteCheck struct {
	t     int64
	conns map[int]*checkedConn
}

// checkedConn is how far a connection is.
type checkedConn struct {
	vendor Vendor
	socket bool
	state  connState
}

type connState uint8

const (
	connAsked    connState = iota // opened or requested
	connAnswered                  // accepted, or the answer's body follows
	connRefused                   // a socket that was refused: the close may follow
	connClosed
)

// event says why e cannot stand where it does; nil when it can.
func (c *cassetteCheck) event(e *CassetteEvent) error {
	switch {
	case e.T > maxCassetteTime:
		return fmt.Errorf("t: %d is more than a week", e.T)
	case e.T < c.t:
		return fmt.Errorf("t: %d is before the line above", e.T)
	case e.Conn < 1:
		return errors.New("conn: must be 1 or more")
	case e.Dir != Up && e.Dir != Down:
		return fmt.Errorf("dir: %q is neither up nor down", e.Dir)
	case e.Data != "" && len(e.B64) > 0:
		return errors.New("data and b64: only one may be there")
	}
	c.t = e.T
	conn := c.conns[e.Conn]
	if e.Kind == KindOpen || e.Kind == KindRequest {
		if conn != nil {
			return fmt.Errorf("conn: %d was begun before", e.Conn)
		}
		c.conns[e.Conn] = &checkedConn{vendor: e.Vendor, socket: e.Kind == KindOpen}
		return e.checkBegin()
	}
	switch {
	case conn == nil:
		return fmt.Errorf("conn: %d was not begun by an open or request", e.Conn)
	case e.Vendor != conn.vendor:
		return fmt.Errorf("vendor: conn %d is %s's", e.Conn, conn.vendor)
	case conn.state == connClosed:
		return fmt.Errorf("conn: %d was closed before", e.Conn)
	}
	return conn.event(e)
}

// checkBegin looks at an open or request.
func (e *CassetteEvent) checkBegin() error {
	switch {
	case e.Dir != Up:
		return errors.New("dir: must be up")
	case e.Method == "" || strings.ContainsFunc(e.Method, func(r rune) bool { return r < 'A' || r > 'Z' }):
		return errors.New("method: must be in capitals")
	case vendorOf(e.Path) == "" || vendorOf(e.Path) != e.Vendor:
		return fmt.Errorf("path: %q is not one of the vendor %q", e.Path, e.Vendor)
	}
	return nil
}

// event looks at what follows on a connection that was begun.
func (c *checkedConn) event(e *CassetteEvent) error {
	wrong := func() error { return fmt.Errorf("kind: %s %q cannot come here", e.Dir, e.Kind) }
	switch e.Kind {
	case KindResponse:
		if c.state != connAsked || e.Dir != Down {
			return wrong()
		}
		return c.response(e)
	case KindText, KindBinary:
		if !c.socket || c.state != connAnswered {
			return wrong()
		}
	case KindChunk:
		if c.socket || c.state != connAnswered || e.Dir != Down {
			return wrong()
		}
	case KindClose:
		c.state = connClosed
		return e.checkClose(c.socket)
	default:
		return fmt.Errorf("kind: %q is not known", e.Kind)
	}
	return nil
}

func (c *checkedConn) response(e *CassetteEvent) error {
	const switching = 101
	c.state = connAnswered
	switch {
	case c.socket && e.Status == switching:
		return nil
	case e.Status < 200 || e.Status > 599:
		return fmt.Errorf("status: %d is not one of an answer", e.Status)
	case c.socket:
		c.state = connRefused
	}
	return nil
}

// checkClose looks at the code and reason of a close.
func (e *CassetteEvent) checkClose(socket bool) error {
	const most = 123 // bytes of a reason, by RFC 6455
	switch code := e.Status; {
	case code == closeCut:
		return nil
	case !socket && code != 0:
		return fmt.Errorf("status: %d; an HTTP call ends with 0, or 1006 when it broke off", code)
	case !socket:
		return nil
	case code == 1004 || code < 1000 || code > 1014 && code < 3000 || code > 4999:
		return fmt.Errorf("status: %d is not a code that a close can have", code)
	case len(e.Data)+len(e.B64) > most:
		return fmt.Errorf("data: the reason of a close may be %d bytes long", most)
	}
	return nil
}
