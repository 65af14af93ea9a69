package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"kalami/gateway/metrics"
)

// newMetrics makes what the sessions and their vendors are measured by.
func (a *app) newMetrics() *metrics.Metrics {
	return metrics.New(version(), func() int { return a.gateway.Sessions() }) // the gateway is there before the first scrape
}

// openMetrics listens for Prometheus, apart from the port that learners reach. A lesson
// is worth more than its figures: an address that cannot be had is a warning, and the
// server starts.
func (a *app) openMetrics(ctx context.Context) {
	addr := string(a.cfg.Metrics.Addr)
	if addr == "" {
		return
	}
	var err error
	if a.scraped, err = new(net.ListenConfig).Listen(ctx, "tcp", addr); err != nil {
		a.log.Warn("metrics are not served: another program, perhaps another kalami, has the address KALAMI_METRICS_ADDR; set it to another or to off",
			"addr", addr, "err", err)
	}
}

// serveMetrics answers scrapes. stop ends it and waits for it; a scrape under way is cut off.
func (a *app) serveMetrics() (stop func()) {
	if a.scraped == nil {
		return func() {}
	}
	routes := http.NewServeMux()
	routes.Handle("GET /metrics", a.metrics.Handler())
	server := &http.Server{
		Handler: routes, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(a.scraped) }() // joined by stop
	a.log.Info("serving metrics", "url", "http://"+a.scraped.Addr().String()+"/metrics")
	return func() {
		err := server.Close()
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		if err != nil {
			a.log.Warn("metrics ended", "err", err)
		}
	}
}
