package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"

	"kalami/providers"
)

// maxAnswer bounds an answer's body. One that is longer is cut.
const maxAnswer = 64 << 20

// request passes an HTTP request on, and the answer back as it arrives.
func (r *Recorder) request(w http.ResponseWriter, req *http.Request, vendor Vendor, to *url.URL) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxCassetteBody))
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		http.Error(w, fmt.Sprintf("the request is longer than %d bytes", tooLong.Limit), http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		return // the client has left in the middle of its question
	}
	t := r.cassette.tape(KindRequest, vendor, req, body)
	r.log.Info("recording a request", "vendor", vendor, "path", req.URL.Path, "conn", t.conn)
	ctx, free := r.within(req)
	defer free()
	proxy := &httputil.ReverseProxy{
		Transport:     r.transport,
		FlushInterval: -1, // at once
		ErrorLog:      slog.NewLogLogger(r.log.Handler(), slog.LevelDebug),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL, p.Out.Host = to, ""
			// A compressed answer could not be read on the cassette.
			p.Out.Header.Del("Accept-Encoding")
			p.Out.Header.Del("Upgrade")
			p.Out.Header.Del("Connection")
		},
		ModifyResponse: func(res *http.Response) error {
			t.response(res.StatusCode, res.Header, nil)
			res.Body = &recordedBody{body: res.Body, tape: t, ctx: ctx}
			return nil
		},
		ErrorHandler: func(_ http.ResponseWriter, _ *http.Request, err error) {
			if ctx.Err() != nil {
				t.end(Up, closeCut, "")
			} else {
				r.log.Warn("the vendor cannot be reached", "vendor", vendor, "conn", t.conn, "err", providers.NetworkCause(err))
				t.end(Down, closeCut, "unreachable")
			}
			panic(http.ErrAbortHandler) // what the client would have seen: no answer
		},
	}
	out := req.WithContext(ctx)
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	proxy.ServeHTTP(w, out)
}

// recordedBody is an answer's body on its way to the client.
type recordedBody struct {
	body io.ReadCloser
	tape *tape
	ctx  context.Context // ends when the client leaves
	n    int64
}

// Read implements io.Reader: what arrives is a chunk on the tape.
func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if n > 0 {
		b.tape.message(Down, KindChunk, p[:n])
	}
	if b.n += int64(n); b.n > maxAnswer && err == nil {
		err = fmt.Errorf("an answer is longer than %d bytes", maxAnswer)
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		b.tape.end(Down, 0, "")
	case b.ctx.Err() != nil:
		b.tape.end(Up, closeCut, "")
	default:
		b.tape.end(Down, closeCut, "cut")
	}
	return n, err
}

// Close implements io.Closer. A body that is closed before its end was one that the
// client did not want any more.
func (b *recordedBody) Close() error {
	b.tape.end(Up, closeCut, "")
	return b.body.Close()
}
