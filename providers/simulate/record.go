package simulate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"kalami/providers"
)

// RecorderOptions configure a [Recorder].
type RecorderOptions struct {
	// Upstreams are the vendors' base URLs, as our clients take them: OpenAI's with
	// its version ("https://api.openai.com/v1"), the others' without.
	Upstreams map[Vendor]string
	// Cassette gets what passes. It is needed; several recorders may share one, and
	// whoever made it closes it after them.
	Cassette *CassetteWriter
	// Transport carries requests and handshakes to the vendors; nil means an own
	// [providers.NewTransport].
	Transport http.RoundTripper
	// Log receives one line per connection, without what is said; nil discards.
	Log *slog.Logger
}

// Recorder stands between our clients and the vendors: an HTTP handler that passes
// every request and socket on to the vendor whose path it has, and writes down what
// passes. Clients use its address as their base URL (OpenAI's with /v1) and bring
// their own credentials, which go on to the vendor and are not written.
//
// What passes is delayed by little more than a second hop on this machine: answers
// go on piece by piece as they arrive, messages one by one, refused handshakes and
// close codes as they are. There is no queue; a side that does not read slows the
// other down, as without a recorder. Pings of a client are passed on, since vendors
// count silence by them; a vendor's are answered here.
type Recorder struct {
	// Static after NewRecorder.
	upstreams map[Vendor]*url.URL
	cassette  *CassetteWriter
	transport http.RoundTripper
	log       *slog.Logger
	idle      func() // closes the connections of an own transport
	// ctx ends with Close.
	ctx    context.Context
	cancel context.CancelFunc

	mu   sync.Mutex     // orders Close and the counting in of handlers
	live sync.WaitGroup // handlers
}

// NewRecorder returns a recorder, or an error naming the option that cannot be used.
// It connects to nothing. Close it.
func NewRecorder(opt RecorderOptions) (*Recorder, error) {
	r := &Recorder{upstreams: map[Vendor]*url.URL{}, cassette: opt.Cassette, transport: opt.Transport, log: opt.Log, idle: func() {}}
	if r.cassette == nil {
		return nil, errors.New("recorder: cassette: is needed")
	}
	for vendor, base := range opt.Upstreams {
		switch vendor {
		case Deepgram, ElevenLabs, Anthropic, OpenAI:
		default:
			return nil, fmt.Errorf("recorder: upstreams: %q is no vendor", vendor)
		}
		u, err := url.Parse(base)
		if bad := providers.CheckBaseURL(base); bad != nil || err != nil {
			return nil, fmt.Errorf("recorder: upstream of %s: %w", vendor, errors.Join(bad, err))
		}
		r.upstreams[vendor] = u
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.transport == nil {
		own := providers.NewTransport()
		r.transport, r.idle = own, own.CloseIdleConnections
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r, nil
}

// Close cuts what still passes and waits for it, ten seconds at the most where a
// side owes the answer to a close. Later requests get 503. It may be called again.
func (r *Recorder) Close() {
	r.mu.Lock() // no handler is counted in any more
	r.cancel()
	r.mu.Unlock()
	r.live.Wait()
	r.idle()
}

// enter counts a handler that Close has to wait for; false when it is too late.
func (r *Recorder) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return false
	}
	r.live.Add(1)
	return true
}

// ServeHTTP implements http.Handler.
func (r *Recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !r.enter() {
		http.Error(w, "the recorder is closed", http.StatusServiceUnavailable)
		return
	}
	defer r.live.Done()
	vendor := vendorOf(req.URL.Path)
	base := r.upstreams[vendor]
	switch {
	case vendor == "":
		http.Error(w, fmt.Sprintf("%s is no vendor's path", req.URL.Path), http.StatusNotFound)
	case base == nil:
		http.Error(w, fmt.Sprintf("the recorder has no upstream for %s", vendor), http.StatusNotFound)
	case isUpgrade(req):
		r.socket(w, req, vendor, upstreamURL(base, vendor, req.URL))
	default:
		r.request(w, req, vendor, upstreamURL(base, vendor, req.URL))
	}
}

// upstreamURL is where a request goes on to, its query unchanged.
func upstreamURL(base *url.URL, vendor Vendor, asked *url.URL) *url.URL {
	path := asked.EscapedPath()
	if vendor == OpenAI {
		path = strings.TrimPrefix(path, "/v1") // it stands in the base
	}
	root := *base
	root.Path = strings.TrimSuffix(base.Path, "/") + "/" // else joining makes a path without one
	u := root.JoinPath(path)
	u.RawQuery = asked.RawQuery
	return u
}

// within returns a context of a request that ends with the recorder too. The
// returned function frees it.
func (r *Recorder) within(req *http.Request) (context.Context, func()) {
	ctx, cancel := context.WithCancel(req.Context())
	stop := context.AfterFunc(r.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
