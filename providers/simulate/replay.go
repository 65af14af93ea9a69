package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"
)

// ReplayOptions configure a [Replay]. The zero value is usable.
type ReplayOptions struct {
	// Speed is how many times as fast as recorded the vendors answer: 1 is as
	// recorded, 0 (or less) at once.
	Speed float64
	// Log receives one line per connection; nil discards.
	Log *slog.Logger
}

// Replay serves a cassette back: an HTTP handler that stands for the vendors and
// says what they said then. Clients use its address as their base URL (OpenAI's
// with /v1).
//
// Sockets and requests are taken from the cassette in their recorded order for each
// vendor, method and path; what clients send is counted and not compared. One that
// is not, or no longer, on the cassette gets 404 with what was expected.
//
// A vendor's message is sent when its recorded time since the opening has come, but
// not before the client has sent as many messages as it had then: a vendor does not
// answer what it was not asked. Messages that merely keep a socket alive do not
// count, as they come by the clock. What ended a connection ends it again; where the
// client did, or the recording stops, the replay waits for the client to leave.
type Replay struct {
	// Static after NewReplay.
	speed float64
	log   *slog.Logger
	// ctx ends with Close.
	ctx    context.Context
	cancel context.CancelFunc
	live   sync.WaitGroup // handlers

	mu    sync.Mutex // guards what follows, and orders Close and the counting in of handlers
	takes []*take    // in recorded order, those that were not asked for yet
}

// take is one recorded connection.
type take struct {
	conn         int
	vendor       Vendor
	socket       bool
	method, path string

	answered bool // a response was recorded
	answer   cue  // its moment and body
	status   int
	headers  map[string]string
	cues     []cue // what the vendor sent after it, in order
	end      cue
	ending   CassetteEvent // Kind is empty when none was recorded
}

// cue is something that the vendor did at a moment.
type cue struct {
	at   time.Duration // since the opening
	sent int           // how many messages the client had sent by then
	kind EventKind
	b    []byte
}

// NewReplay readies a cassette to be served from its beginning; it starts nothing.
// Close it.
func NewReplay(c *Cassette, opt ReplayOptions) *Replay {
	p := &Replay{speed: opt.Speed, log: opt.Log}
	if !(p.speed > 0) || math.IsInf(p.speed, 1) {
		p.speed = 0
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.takes = takesOf(c.Events)
	return p
}

// takesOf sorts a cassette's events by connection.
func takesOf(events []CassetteEvent) (takes []*take) {
	type progress struct {
		*take
		opened int64
		sent   int
	}
	byConn := map[int]*progress{}
	for i := range events {
		e := &events[i]
		if e.Kind == KindOpen || e.Kind == KindRequest {
			t := &take{conn: e.Conn, vendor: e.Vendor, socket: e.Kind == KindOpen, method: e.Method, path: e.Path}
			takes = append(takes, t)
			byConn[e.Conn] = &progress{take: t, opened: e.T}
			continue
		}
		t := byConn[e.Conn]
		if t == nil {
			continue // ReadCassette lets none through
		}
		c := cue{at: time.Duration(e.T-t.opened) * time.Millisecond, sent: t.sent, kind: e.Kind, b: e.Payload()}
		switch {
		case e.Kind == KindResponse:
			t.answered, t.answer, t.status, t.headers = true, c, e.Status, e.Headers
		case e.Kind == KindClose:
			t.end, t.ending = c, *e
		case e.Dir == Down:
			t.cues = append(t.cues, c)
		case !keepsAlive(t.path, c.b):
			t.sent++
		}
	}
	return takes
}

// Close ends every connection and waits for its handler.
func (p *Replay) Close() {
	p.mu.Lock() // no handler is counted in any more
	p.cancel()
	p.mu.Unlock()
	p.live.Wait()
}

// Left names what was recorded and not asked for yet, in recorded order.
func (p *Replay) Left() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := make([]string, 0, len(p.takes))
	for _, t := range p.takes {
		left = append(left, t.String())
	}
	return left
}

// String names what the client asked for.
func (t *take) String() string {
	what := t.method
	if t.socket {
		what = "socket"
	}
	return fmt.Sprintf("%s %s (%s)", what, t.path, t.vendor)
}

// ServeHTTP implements http.Handler.
func (p *Replay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked := &take{vendor: vendorOf(r.URL.Path), socket: isUpgrade(r), method: r.Method, path: r.URL.Path}
	t, expected := p.next(asked)
	if t == nil {
		p.log.Warn("not on the cassette", "method", r.Method, "path", r.URL.Path)
		http.Error(w, fmt.Sprintf("the cassette has no further %s; %s", asked, expected), http.StatusNotFound)
		return
	}
	defer p.live.Done()
	p.log.Info("replaying", "vendor", t.vendor, "path", t.path, "conn", t.conn)
	if t.socket {
		p.socket(w, r, t)
	} else {
		p.request(w, r, t)
	}
}

// next takes the recording of what is asked for and counts its handler; nil, with
// what would be there, when there is none.
func (p *Replay) next(asked *take) (t *take, expected string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return nil, "the replay is closed"
	}
	for i, t := range p.takes {
		if t.vendor == asked.vendor && t.socket == asked.socket && t.method == asked.method && t.path == asked.path {
			p.takes = append(p.takes[:i:i], p.takes[i+1:]...)
			p.live.Add(1)
			return t, ""
		}
	}
	const most = 5
	var next []string
	for _, t := range p.takes[:min(most, len(p.takes))] {
		next = append(next, t.String())
	}
	if len(next) == 0 {
		return nil, "everything on it has been asked for"
	}
	return nil, "expected: " + strings.Join(next, ", ")
}

// await waits for a cue's moment; false when ctx ended before it.
func (p *Replay) await(ctx context.Context, opened time.Time, c cue) bool {
	if p.speed > 0 {
		t := time.NewTimer(time.Until(opened.Add(time.Duration(float64(c.at) / p.speed))))
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// request answers an HTTP request as recorded.
func (p *Replay) request(w http.ResponseWriter, r *http.Request, t *take) {
	opened := time.Now()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxCassetteBody)); err != nil {
		return
	}
	flush := http.NewResponseController(w)
	if t.answered {
		if !p.await(ctx, opened, t.answer) {
			panic(http.ErrAbortHandler)
		}
		t.begin(w)
		_, _ = w.Write(t.answer.b)
		_ = flush.Flush() // one that cannot flush gets it all at the end
	}
	for _, c := range t.cues {
		if !p.await(ctx, opened, c) {
			panic(http.ErrAbortHandler)
		}
		if _, err := w.Write(c.b); err != nil {
			return
		}
		_ = flush.Flush()
	}
	switch {
	case t.ending.Kind != "" && t.ending.Status == 0:
		p.await(ctx, opened, t.end)
		return
	case t.ending.Kind != "" && t.ending.Dir == Down:
		p.await(ctx, opened, t.end)
	default:
		<-ctx.Done() // then the client had left
	}
	panic(http.ErrAbortHandler) // an answer that is not whole must not look it
}

// begin sends a response's status and headers.
func (t *take) begin(w http.ResponseWriter) {
	t.setHeaders(w.Header())
	w.WriteHeader(t.status)
}

func (t *take) setHeaders(h http.Header) {
	for name, v := range t.headers {
		if keepsHeader(name) {
			h.Set(name, v)
		}
	}
}

// keepsAlive says whether a client's message means nothing but that it is there.
func keepsAlive(path string, b []byte) bool {
	const longest = 64
	if len(b) > longest {
		return false
	}
	var m map[string]any
	if json.Unmarshal(b, &m) != nil {
		return false
	}
	switch vendorOf(path) {
	case Deepgram:
		return m["type"] == "KeepAlive"
	case ElevenLabs: // on the other socket, an empty text is the end
		text, is := m["text"].(string)
		return strings.HasSuffix(path, "/multi-stream-input") && is && text == "" && m["flush"] == nil && m["close_context"] == nil
	}
	return false
}
