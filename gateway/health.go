package gateway

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session"
	"kalami/session/learn"
)

const (
	// pingTimeout is how long a store may take before it counts as down.
	pingTimeout = time.Second
	// readyTimeout is that for a load balancer, which takes a node that answers late for
	// dead, and its learners from it: a database that hangs must not look like that.
	readyTimeout = 200 * time.Millisecond
)

// Values of a store in /health.
const (
	serviceUp   = "up"
	serviceDown = "down"
)

// healthJSON answers GET /health.
type healthJSON struct {
	// Status is "ok", "degraded" (Redis is down: what is open goes on) or "down" (the
	// database is, so nothing can be kept).
	Status   string       `json:"status" enum:"ok,degraded,down" doc:"degraded: Redis is down, and what is open goes on; down: the database is, so nothing can be kept"`
	Services servicesJSON `json:"services"`
	Draining bool         `json:"draining" doc:"Whether this node is shutting down and takes no new conversations"`
	// Demo tells which variables would turn real parts on; absent when none is simulated.
	Demo *session.DemoInfo `json:"demo,omitempty" doc:"Which variables would turn real parts on; absent when no part is simulated"`
}

// servicesJSON tells how the stores are and who serves each part of the tutor.
type servicesJSON struct {
	Database string `json:"database" enum:"up,down" doc:"Whether it answers"`
	Redis    string `json:"redis,omitempty" enum:"up,down" doc:"Whether it answers; absent when it runs in the server's own process"`
	STT      string `json:"stt" doc:"Who hears: a vendor, or demo" example:"deepgram"`
	TTS      string `json:"tts" doc:"Who speaks: a vendor, or demo" example:"elevenlabs"`
	LLM      string `json:"llm" doc:"Who thinks: a vendor, or demo" example:"anthropic"`
}

// statusJSON answers the probes.
type statusJSON struct {
	Status string `json:"status" enum:"ok"`
}

// houseRoutes registers what operators and clients ask about the server itself.
func (s *Server) houseRoutes() {
	s.handle(operation{
		method: http.MethodGet, path: "/languages", id: "listLanguages", tag: "operations", class: unpaced,
		summary: "The languages that can be learned here",
		about:   "In the order in which the app offers them. A profile's `target_language` is one of these codes.",
		gives:   []success{{status: http.StatusOK, bodies: []content{{shape: []languageJSON{}}}}},
	}, s.languages)
	s.handle(operation{
		method: http.MethodGet, path: "/health", id: "getHealth", tag: "operations", class: unpaced,
		summary: "How the stores are, and who serves each part of the tutor",
		about:   "For people and dashboards. A load balancer should ask `/readyz`, and who restarts processes `/livez`.",
		gives: []success{
			{status: http.StatusOK, bodies: []content{{shape: healthJSON{}}}},
			{status: http.StatusServiceUnavailable, about: "The database does not answer.", bodies: []content{{shape: healthJSON{}}}},
		},
	}, s.health)
	for _, probe := range []struct {
		path, id, summary, about string
		h                        echo.HandlerFunc
		fails                    []failure
	}{
		{"/livez", "getLiveness", "Whether the process runs",
			"It asks no store: restarting a node full of lessons does not bring a store back.", s.livez, nil},
		{"/startupz", "getStartup", "Whether this node has started",
			"From when the database has answered once it says yes, whatever becomes of the database then.", s.startupz,
			[]failure{{http.StatusServiceUnavailable, "The database has not answered yet."}}},
		{"/readyz", "getReadiness", "Whether this node takes new conversations", "", s.readyz,
			[]failure{{http.StatusServiceUnavailable, "The node is shutting down or out of memory, or the database does not answer."}}},
	} {
		s.handle(operation{
			method: http.MethodGet, path: probe.path, id: probe.id, tag: "operations", class: unpaced, summary: probe.summary, about: probe.about,
			gives: []success{{status: http.StatusOK, bodies: []content{{shape: statusJSON{}}}}}, fails: probe.fails,
		}, probe.h)
	}
}

// health answers GET /health, for people and dashboards: 200 as long as the database
// answers, else 503.
func (s *Server) health(c echo.Context) error {
	out := healthJSON{Status: "ok", Draining: s.Draining(), Services: servicesJSON{
		STT: s.opts.Parts.STT, TTS: s.opts.Parts.TTS, LLM: s.opts.Parts.LLM,
	}}
	if s.opts.Demo != nil {
		out.Demo = s.opts.Demo("")
	}
	ctx := c.Request().Context()
	var wg sync.WaitGroup
	wg.Go(func() { out.Services.Database = ping(ctx, s.opts.Database, pingTimeout) })
	if s.opts.Redis != nil {
		wg.Go(func() { out.Services.Redis = ping(ctx, s.opts.Redis, pingTimeout) })
	}
	wg.Wait()
	switch {
	case out.Services.Database == serviceDown:
		out.Status = "down"
		return c.JSON(http.StatusServiceUnavailable, out)
	case out.Services.Redis == serviceDown:
		out.Status = "degraded"
	}
	return c.JSON(http.StatusOK, out)
}

// ping asks a store whether it answers in time.
func ping(ctx context.Context, p Pinger, within time.Duration) string {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if p.Ping(ctx) != nil {
		return serviceDown
	}
	return serviceUp
}

// livez answers GET /livez: the process runs. It asks no store, because restarting a
// node full of lessons does not bring a store back.
func (s *Server) livez(c echo.Context) error {
	return c.JSON(http.StatusOK, statusJSON{Status: "ok"})
}

// startupz answers GET /startupz: this node has started, and may be asked the other probes.
// Its tables were brought up to date before it listened.
func (s *Server) startupz(c echo.Context) error {
	if !s.started.Load() && ping(c.Request().Context(), s.opts.Database, pingTimeout) == serviceDown {
		return learn.Errorf(learn.Unavailable, "gateway.startupz", "The database has not answered yet")
	}
	s.started.Store(true)
	return c.JSON(http.StatusOK, statusJSON{Status: "ok"})
}

// readyz answers GET /readyz: this node takes new conversations.
func (s *Server) readyz(c echo.Context) error {
	const op = "gateway.readyz"
	if s.Draining() {
		return &apiError{code: string(session.Draining), err: learn.Errorf(learn.Unavailable, op, "This node is shutting down")}
	}
	if s.opts.Overloaded() {
		return learn.Errorf(learn.Unavailable, op, "This node has no room for further conversations")
	}
	if ping(c.Request().Context(), s.opts.Database, readyTimeout) == serviceDown {
		return learn.Errorf(learn.Unavailable, op, "The database does not answer")
	}
	return c.JSON(http.StatusOK, statusJSON{Status: "ok"})
}
