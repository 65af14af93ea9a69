package gateway

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/gateway/metrics"
	"kalami/session"
	"kalami/session/learn"
)

func TestHealth(t *testing.T) {
	redis := newMemory()
	demo := &session.DemoInfo{Missing: []string{"ANTHROPIC_API_KEY"}}
	h := newHouse(t, func(o *Options) {
		o.Redis = redis
		o.Demo = func(string) *session.DemoInfo { return demo }
	})
	check := func(status int, word, database, redis string) {
		t.Helper()
		m := h.do("GET", "/health", nil).want(status).json()
		if missing := m["demo"].(map[string]any)["missing"].([]any); len(missing) != 1 || missing[0] != "ANTHROPIC_API_KEY" {
			t.Errorf("what would make it real: %v", m["demo"])
		}
		delete(m, "demo")
		same(t, m, map[string]any{"status": word, "draining": false, "services": map[string]any{
			"database": database, "redis": redis, "stt": "deepgram", "llm": "demo", "tts": "elevenlabs"}})
	}
	check(http.StatusOK, "ok", "up", "up")
	redis.fail(errors.New("refused"))
	check(http.StatusOK, "degraded", "up", "down")
	h.store.fail(errors.New("disk"))
	check(http.StatusServiceUnavailable, "down", "down", "down")

	newHouse(t).do("GET", "/health", nil).want(http.StatusOK).
		same(`{"status":"ok","draining":false,"services":{"database":"up","stt":"deepgram","llm":"demo","tts":"elevenlabs"}}`)
}

// A node without its database lives, but takes no new conversations; a node that is
// shutting down says so at once.
func TestProbes(t *testing.T) {
	h := newHouse(t)
	h.store.fail(errors.New("disk"))
	h.do("GET", "/startupz", nil).refusal(http.StatusServiceUnavailable, "unavailable")
	h.store.fail(nil)
	h.do("GET", "/livez", nil).want(http.StatusOK)
	h.do("GET", "/readyz", nil).want(http.StatusOK)
	h.do("GET", "/startupz", nil).want(http.StatusOK).same(`{"status":"ok"}`)
	h.store.fail(errors.New("disk"))
	h.do("GET", "/startupz", nil).want(http.StatusOK)
	h.do("GET", "/livez", nil).want(http.StatusOK)
	h.do("GET", "/readyz", nil).refusal(http.StatusServiceUnavailable, "unavailable")
	h.store.fail(nil)
	h.do("GET", "/api/readyz", nil).want(http.StatusOK)
	h.server.Drain()
	if r := h.do("GET", "/readyz", nil); r.refusal(http.StatusServiceUnavailable, "draining").Detail == "" ||
		r.header.Get(echo.HeaderRetryAfter) == "" {
		t.Error("no Retry-After")
	}
	h.do("GET", "/livez", nil).want(http.StatusOK)
}

// hanging never answers.
type hanging struct{}

func (hanging) Ping(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestHealthDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, func(o *Options) { o.Database, o.Redis = hanging{}, hanging{} })
		start := time.Now()
		h.do("GET", "/health", nil).want(http.StatusServiceUnavailable)
		if took := time.Since(start); took != pingTimeout { // both were asked at the same time
			t.Errorf("health took %v", took)
		}
		start = time.Now()
		h.do("GET", "/readyz", nil).refusal(http.StatusServiceUnavailable, "unavailable")
		if took := time.Since(start); took != readyTimeout {
			t.Errorf("readiness took %v", took)
		}
	})
}

// With Redis and the database away for a minute the process counts as alive all the time,
// and is asked for nothing that it would have to wait for.
func TestLivesWithoutStores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, func(o *Options) { o.Database, o.Redis = hanging{}, hanging{} })
		for range 60 {
			start := time.Now()
			h.do("GET", "/livez", nil).want(http.StatusOK).same(`{"status":"ok"}`)
			if took := time.Since(start); took != 0 {
				t.Fatalf("took %v", took)
			}
			time.Sleep(time.Second)
		}
	})
}

// gauge keeps the last that it was told of each store.
type gauge struct {
	Meter
	mu   sync.Mutex
	away map[metrics.StoreName]bool
}

func (g *gauge) Degraded(store metrics.StoreName, away bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away[store] = away
}

func (g *gauge) now() map[metrics.StoreName]bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.away)
}

// The meter is told when a store goes away and when it is back.
func TestOutagesAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{away: map[metrics.StoreName]bool{}}
		redis := make(outages)
		h := newHouse(t, func(o *Options) { o.Meter, o.Outages = g, redis })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { h.server.KeepSessions(ctx); close(done) }()
		check := func(redis, db bool) {
			t.Helper()
			time.Sleep(databaseEvery + pingTimeout)
			if got := g.now(); got[metrics.Redis] != redis || got[metrics.Database] != db || len(got) != 2 {
				t.Errorf("shown %v, want redis %v, db %v", got, redis, db)
			}
		}
		redis <- false
		check(false, false)
		h.store.fail(errors.New("disk"))
		check(false, true)
		redis <- true
		check(true, true)
		h.store.fail(nil)
		check(true, false)
		redis <- false
		check(false, false)
		cancel()
		<-done
	})
}

// outages are told by the test.
type outages chan bool

func (o outages) Watch(ctx context.Context, take func(bool)) {
	for {
		select {
		case away := <-o:
			take(away)
		case <-ctx.Done():
			return
		}
	}
}

// Probes do not fill the log, unless something is wrong.
func TestProbesAreQuiet(t *testing.T) {
	h := newHouse(t)
	for path, want := range map[string]string{"/livez": "DEBUG", "/api/readyz": "DEBUG", "/health": "DEBUG", "/languages": "INFO"} {
		h.log.Reset()
		h.do("GET", path, nil).want(http.StatusOK)
		if got := h.logged()["level"]; got != want {
			t.Errorf("%s is logged at %v, want %s", path, got, want)
		}
	}
	h.store.fail(learn.Errorf(learn.Unavailable, "memory", "down"))
	h.log.Reset()
	h.do("GET", "/readyz", nil).want(http.StatusServiceUnavailable)
	if got := h.logged()["level"]; got != "WARN" {
		t.Errorf("an unready node is logged at %v", got)
	}
}
