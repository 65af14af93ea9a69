package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"kalami/providers/simulate"
)

// vendors are the simulated services of one server, which count what the language model
// is asked for and sends. Close them.
type vendors struct {
	url    string
	vendor *simulate.Server
	http   *http.Server
	served chan error

	calls, tokens atomic.Int64 // of streamed answers
}

// startVendors serves them on a free port of the loopback.
func startVendors(ctx context.Context) (*vendors, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	v := &vendors{url: "http://" + l.Addr().String(), served: make(chan error, 1),
		vendor: simulate.New(simulate.Options{Scripts: scripts(), Latency: simulate.BenchLatency()})}
	v.http = &http.Server{Handler: v, ReadHeaderTimeout: 5 * time.Second}
	go func() { v.served <- v.http.Serve(l) }() // joined by Close
	return v, nil
}

// ServeHTTP implements http.Handler.
func (v *vendors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v1/messages" {
		w = &counting{ResponseWriter: w, vendors: v}
	}
	v.vendor.ServeHTTP(w, r)
}

// counting counts the events of a streamed answer as they are written.
type counting struct {
	http.ResponseWriter
	*vendors
}

// Unwrap lets the simulator flush.
func (c *counting) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// Write implements io.Writer; the simulator writes an event at a time.
func (c *counting) Write(b []byte) (int, error) {
	switch {
	case bytes.HasPrefix(b, []byte("event: message_start")):
		c.calls.Add(1)
	case bytes.HasPrefix(b, []byte("event: content_block_delta")):
		c.tokens.Add(1)
	}
	return c.ResponseWriter.Write(b)
}

// Close ends every connection and waits.
func (v *vendors) Close() error {
	v.vendor.Close()
	err := v.http.Close()
	if served := <-v.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
