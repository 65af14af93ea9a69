package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

// The pace and length of large uploads. A phone's recording of a sentence has a few
// hundred KiB; the largest that is taken, 25 MiB, needs a connection of some 100 KiB/s.
const (
	// uploadPace is what a large body must bring on average, in bytes a second, once
	// readTimeout is over.
	uploadPace = 32 << 10
	// uploadTimeout ends any upload.
	uploadTimeout = 5 * time.Minute
	// What still comes of a body that was refused is read and thrown away, up to this
	// length and time: most clients read no answer before they have sent everything.
	drained      = 64 << 20
	drainTimeout = 10 * time.Second
)

// defaultBodyMemory is [Options.BodyMemory] when it is not set.
const defaultBodyMemory = 128 << 20

// errSlowHandler is the cause of a request's context when the handler took too long.
var errSlowHandler = fmt.Errorf("gateway: not answered in time: %w", context.DeadlineExceeded)

// bodies counts what the requests under way have sent, in bytes, and the large messages
// of sockets. Many large bodies at once would use up the node's memory and with it the
// conversations; beyond most, the request whose bytes are too many is refused.
//
// A body of up to a MiB counts by what has come of it, so that it costs a sender as much
// as it costs here. A longer one takes its whole length once it is past that, from three
// quarters of the room: of many, some get through whole instead of none, and the
// sentences of others still find room beside them. The large messages of sockets, which
// may take minutes to come, have those three quarters as well and no more: whoever fills
// them keeps nobody from signing in.
type bodies struct {
	most int64
	held atomic.Int64
}

// take counts n bytes, or answers false when there is no room.
func (b *bodies) take(n int64) bool { return b.takeBelow(n, b.most) }

// takeLong is take for what is long: it leaves a quarter of the room to others.
func (b *bodies) takeLong(n int64) bool { return b.takeBelow(n, b.most/4*3) }

// takeBelow is take with less room.
func (b *bodies) takeBelow(n, most int64) bool {
	if b.held.Add(n) > most {
		b.held.Add(-n)
		return false
	}
	return true
}

// give takes back n bytes that were taken.
func (b *bodies) give(n int64) { b.held.Add(-n) }

func errNoRoom() error {
	return &apiError{code: "overloaded", retryAfter: 2 * time.Second,
		err: learn.Errorf(learn.Unavailable, "gateway.bodies", "Too much is being uploaded at the moment, try again shortly")}
}

// body is a request's body on its way in.
type body struct {
	io.ReadCloser // bounded by the operation
	all           *bodies
	length        int64             // as the client told it, else the operation's bound
	came, held    int64             // bytes that were read, and that are counted in all
	arrived       func(bytes int64) // called after each part of it
	failed        error             // what a read failed with, for the answer
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	if b.failed != nil {
		return 0, b.failed
	}
	n, err := b.ReadCloser.Read(p)
	b.came += int64(n)
	if !b.hold() {
		err = errNoRoom()
	}
	if n > 0 {
		b.arrived(b.came)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed = readError("gateway.body", err)
		err = b.failed
	}
	return n, err
}

// hold counts what has come, or the whole of a long body.
func (b *body) hold() bool {
	want, take := b.came, b.all.take
	if b.came > maxBody {
		want, take = max(b.length, b.came), b.all.takeLong
	}
	if want <= b.held {
		return true
	}
	if !take(want - b.held) {
		return false
	}
	b.held = want
	return true
}

// release gives back what the body holds, when its request is answered.
func (b *body) release() { b.all.give(b.held) }

// refused says whether the body was too much, so that more of it may be on its way.
func (b *body) refused() bool {
	_, tooLong := errors.AsType[*http.MaxBytesError](b.failed)
	return tooLong || learn.KindOf(b.failed) == learn.Unavailable && b.failed != nil
}

// drain throws away what is still coming of a refused body. A client that waits to be
// asked for it is not asked.
func drain(r *http.Request, rest io.Reader, conn *http.ResponseController) {
	if r.Header.Get("Expect") != "" || r.ContentLength > drained {
		return
	}
	setDeadline(conn.SetReadDeadline, time.Now().Add(drainTimeout))
	_, _ = io.Copy(io.Discard, io.LimitReader(rest, drained)) // it ends as it will
}

// limited bounds what a request may carry, how slowly it may come and how long its
// handler may take after that. It is for every route but a socket's.
//
// A handler has its time from the last byte that arrived, so a slow connection does not
// take it away; the connection's own deadlines bound the upload. When a body could not
// be read, that is the answer, whatever the handler made of it.
func (s *Server) limited(op operation, next echo.HandlerFunc) echo.HandlerFunc {
	most, patience := cmp.Or(op.maxBody, maxBody), cmp.Or(op.timeout, handlerTimeout)
	return func(c echo.Context) error {
		r, w := c.Request(), c.Response().Writer
		started, conn := time.Now(), http.NewResponseController(w)
		if r.ContentLength > most {
			drain(r, r.Body, conn)
			return &http.MaxBytesError{Limit: most}
		}
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		timer := time.AfterFunc(patience, func() { cancel(errSlowHandler) })
		defer timer.Stop()
		raw, length := r.Body, r.ContentLength
		if length < 0 {
			length = most
		}
		b := &body{ReadCloser: http.MaxBytesReader(w, raw, most), all: &s.bodies, length: length}
		b.arrived = func(bytes int64) {
			timer.Reset(patience)
			if most > maxBody { // the server's own timeouts are made for small ones
				pace := readTimeout + time.Duration(bytes/uploadPace)*time.Second
				setDeadline(conn.SetReadDeadline, started.Add(min(pace, uploadTimeout)))
				setDeadline(conn.SetWriteDeadline, time.Now().Add(patience+writeTimeout))
			}
		}
		defer b.release()
		if patience > handlerTimeout {
			setDeadline(conn.SetWriteDeadline, started.Add(patience+writeTimeout))
		}
		r = r.WithContext(ctx)
		r.Body = b
		c.SetRequest(r)
		err := next(c)
		switch {
		case err != nil && b.failed != nil:
			if b.refused() {
				b.release()
				b.held = 0
				drain(r, raw, conn)
			}
			return b.failed
		case err != nil && errors.Is(context.Cause(ctx), errSlowHandler):
			return fmt.Errorf("%w: %w", errSlowHandler, err)
		}
		return err
	}
}

// setDeadline moves a connection's deadline. Only connections that have none refuse
// (those of tests), and a closed one, which the next read or write tells as well.
func setDeadline(set func(time.Time) error, t time.Time) { _ = set(t) }

// readError says why a body could not be read.
func readError(op string, err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*apiError](err); ok {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &apiError{status: http.StatusRequestTimeout, code: "request_timeout",
			err: &learn.Error{Kind: learn.Invalid, Msg: "The request's body came too slowly", Op: op, Err: err}}
	}
	return &learn.Error{Kind: learn.Invalid, Msg: "The request's body could not be read", Op: op, Err: err}
}

// bytesText is a number of bytes as people say it.
func bytesText(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	if n > 1<<20 {
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d bytes", n)
}

// checkMediaType refuses a body of a type that the operation does not take. One without
// any type is let through, for clients that forget it; a route without body ignores all.
// Compressed bodies are not taken: one of a few KiB may become a thousand times as long.
func checkMediaType(op operation, r *http.Request) error {
	if len(op.takes) == 0 {
		return nil
	}
	if coding := r.Header.Get(echo.HeaderContentEncoding); coding != "" && !strings.EqualFold(coding, "identity") {
		return unsupported("Send the body without Content-Encoding")
	}
	types := make([]string, 0, len(op.takes))
	for _, t := range op.takes {
		types = append(types, cmp.Or(t.mediaType, echo.MIMEApplicationJSON))
	}
	given := r.Header.Get(echo.HeaderContentType)
	if given == "" {
		return nil
	}
	if mt, _, err := mime.ParseMediaType(given); err != nil || !slices.Contains(types, mt) {
		return unsupported("Send the body as " + strings.Join(types, " or "))
	}
	return nil
}

func unsupported(message string) error {
	return &apiError{status: http.StatusUnsupportedMediaType, code: "unsupported_media_type",
		err: learn.Errorf(learn.Invalid, "gateway.checkMediaType", "%s", message)}
}
