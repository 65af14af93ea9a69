package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kalami/providers/simulate"
	"kalami/store/storetest"
)

// backend is where an app under test keeps things.
type backend struct {
	name string
	// environ are the variables that choose it; it may make a database for the test.
	environ func(t testing.TB) []string
}

// backends are SQLite with the Redis in process, always, and Postgres with a real
// Redis where the suite was given them.
func backends() []backend {
	all := []backend{{"sqlite", func(t testing.TB) []string { return []string{"KALAMI_DATA_DIR=" + t.TempDir()} }}}
	if os.Getenv(storetest.PostgresVariable) == "" || os.Getenv(storetest.RedisVariable) == "" {
		return all
	}
	return append(all, backend{"postgres+redis", func(t testing.TB) []string {
		return []string{
			"DATABASE_URL=" + storetest.Postgres(t).URL, "REDIS_URL=" + os.Getenv(storetest.RedisVariable),
			"KALAMI_REDIS_PREFIX=" + rand.Text(), // else it would know of the nodes of other tests
			"SECRET_KEY=" + strings.Repeat("a key of the test suite ", 3),
		}
	}})
}

// onEachBackend runs a test on all of them, side by side.
func onEachBackend(t *testing.T, test func(t *testing.T, b backend)) {
	t.Parallel()
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			test(t, b)
		})
	}
}

// house is an app that serves, with simulated vendors whose faults and pace the
// test chooses. To the app they are real: it has keys for them.
type house struct {
	*app
	vendors *simulate.Server
	asked   *overheard
	prepare func(*app) // may change the app before it serves
	log     *lockedBuffer
	stop    context.CancelFunc
	ran     chan error
	once    sync.Once
	err     error
}

// openHouse starts one; it is stopped, and its end checked, when the test is over.
func openHouse(t *testing.T, b backend, latency simulate.Latency, environ ...string) *house {
	t.Helper()
	h, vars := newHouse(t, b, latency)
	h.open(t, append(vars, environ...))
	return h
}

// newHouse starts the vendors of one, and returns with it the variables to open it with.
func newHouse(t *testing.T, b backend, latency simulate.Latency) (*house, []string) {
	t.Helper()
	vendors := simulate.New(simulate.Options{Latency: latency, Key: "key"})
	asked := &overheard{vendor: vendors}
	server := httptest.NewServer(asked)
	t.Cleanup(func() { vendors.Close(); server.Close() })
	return &house{vendors: vendors, asked: asked, log: &lockedBuffer{}, ran: make(chan error, 1)},
		append(b.environ(t), "PORT=0", "KALAMI_METRICS_ADDR=off", "KALAMI_LOG_LEVEL=DEBUG", "KALAMI_SHUTDOWN_GRACE=5s", "KALAMI_DRAIN_WAIT=0s",
			"DEEPGRAM_API_KEY=key", "DEEPGRAM_BASE_URL="+server.URL, "ELEVENLABS_API_KEY=key", "ELEVENLABS_BASE_URL="+server.URL,
			"ANTHROPIC_API_KEY=key", "ANTHROPIC_BASE_URL="+server.URL, "OPENAI_API_KEY=key", "OPENAI_BASE_URL="+server.URL+"/v1")
}

// openDemo starts one with nothing configured but where it keeps things.
func openDemo(t testing.TB, b backend, environ ...string) *house {
	t.Helper()
	h := &house{log: &lockedBuffer{}, ran: make(chan error, 1)}
	h.open(t, append(append(b.environ(t), "PORT=0", "KALAMI_METRICS_ADDR=off", "KALAMI_DRAIN_WAIT=0s"), environ...))
	return h
}

func (h *house) open(t testing.TB, environ []string) {
	t.Helper()
	cfg, err := loadConfig(configInputs{environ: environ, envFile: filepath.Join(t.TempDir(), "none")})
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(t.Context(), &cfg.Config, newLogger(h.log, cfg.Log))
	if err != nil {
		t.Fatal(err)
	}
	if h.prepare != nil {
		h.prepare(a)
	}
	h.app = a
	ctx, cancel := context.WithCancel(context.Background())
	h.stop = cancel
	go func() { h.ran <- a.run(ctx) }()
	t.Cleanup(func() {
		if err := h.end(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", h.log)
		}
	})
}

// end stops the server as SIGTERM does and waits for it. It may be called again.
func (h *house) end() error {
	h.once.Do(func() {
		h.stop()
		h.err = errors.Join(<-h.ran, h.Close())
	})
	return h.err
}

// overheard passes requests on to the simulated vendors and keeps what Claude was asked.
type overheard struct {
	vendor http.Handler

	mu      sync.Mutex
	prompts []prompt
	calls   int // of all vendors
}

// prompt is the part of a request to Claude that tests look at.
type prompt struct {
	Stream       bool
	OutputConfig json.RawMessage `json:"output_config"`
	Messages     []struct {
		Role    string
		Content []struct{ Text string }
	}
}

// line returns the text of the nth message from the end (from 1), with its role.
func (q prompt) line(n int) (role, text string) {
	m := q.Messages[len(q.Messages)-n]
	for _, c := range m.Content {
		text += c.Text
	}
	return m.Role, text
}

func (o *overheard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.calls++
	o.mu.Unlock()
	if r.URL.Path == "/v1/messages" {
		body, err := io.ReadAll(r.Body)
		var q prompt
		if err == nil && json.Unmarshal(body, &q) == nil {
			o.mu.Lock()
			o.prompts = append(o.prompts, q)
			o.mu.Unlock()
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	o.vendor.ServeHTTP(w, r)
}

// replies returns the requests for something to say, without those for an analysis.
func (o *overheard) replies() (all []prompt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range o.prompts {
		if q.Stream {
			all = append(all, q)
		}
	}
	return all
}

// total counts the requests to all vendors.
func (o *overheard) total() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls
}

// lockedBuffer is a log that a test may read while it grows.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
