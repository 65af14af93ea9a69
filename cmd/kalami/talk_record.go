package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kalami/providers/simulate"
)

// talkRecorded holds the conversation with a server of its own, whose vendors it
// reaches through recorders, and keeps a cassette of what passes. The server has the
// user's configuration but for where it listens and what it stores: it leaves
// nothing behind but the cassette. A conversation that failed leaves one too, since
// that is when it is wanted.
func (o *talkOptions) talkRecorded(c *cobra.Command, p process, say utterance) (err error) {
	loaded, err := configOf(c, p)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "kalami-talk-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cfg := aside(loaded.Config, dir)
	log := newLogger(p.stderr, cfg.Log)

	rec, err := startDeck(c.Context(), o.record, log)
	if err != nil {
		return err
	}
	a, err := openAppVia(c.Context(), &cfg, log, rec.via)
	if err != nil {
		// Nothing was said: an empty cassette would be in the next attempt's way.
		return errors.Join(err, rec.Close(), os.Remove(o.record))
	}
	// A write error has nowhere to be reported.
	_, _ = fmt.Fprint(p.stdout, a.welcome())
	ctx, stop := context.WithCancel(c.Context())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- a.run(ctx) }() // joined below
	o.url = a.url()
	talked := o.talk(ctx, say, p.stdout)
	stop()
	// First the clients go, then what stands between them and the vendors.
	err = errors.Join(talked, <-served, a.Close(), rec.Close())
	_, _ = fmt.Fprintf(p.stdout, "Cassette: %s (%d lines; it holds what was said)\n", o.record, rec.cassette.Lines())
	return err
}

// aside is a configuration for a server beside the real one: on a free port of this
// machine, with a database and a signing key in dir and live state in the process.
func aside(cfg Config, dir string) Config {
	cfg.Server.Host, cfg.Server.Port = "127.0.0.1", 0
	cfg.Metrics.Addr = ""
	cfg.Storage = StorageConfig{DataDir: dir, Database: defaultDatabase(dir)}
	cfg.Accounts.SecretKey, cfg.Accounts.PreviousSecretKey = "", "" // one is made beside the database
	cfg.Accounts.Guests = true                                      // the learner is one
	return cfg
}

// deck is a cassette being made: a server with a recorder for each client.
type deck struct {
	cassette *simulate.CassetteWriter
	log      *slog.Logger
	url      string
	mux      *http.ServeMux
	http     *http.Server
	served   chan error

	// recorders is owned by whoever opens the server: via is called before it runs.
	recorders []*simulate.Recorder
}

// startDeck makes the cassette and listens on a free port of this machine. Close it.
func startDeck(ctx context.Context, path string, log *slog.Logger) (*deck, error) {
	cassette, err := simulate.CreateCassette(path)
	if err != nil {
		return nil, fmt.Errorf("--record: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("recorder: %w", err), cassette.Close(), os.Remove(path))
	}
	r := &deck{cassette: cassette, log: log, url: "http://" + l.Addr().String(), mux: http.NewServeMux(), served: make(chan error, 1)}
	r.http = &http.Server{Handler: r.mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { r.served <- r.http.Serve(l) }() // joined by Close
	return r, nil
}

// via is a route through a recorder of its own, so that two clients of one protocol
// (GPT, and an engine of one's own that imitates it) each reach theirs.
func (r *deck) via(vendor simulate.Vendor, base string) (string, error) {
	rec, err := simulate.NewRecorder(simulate.RecorderOptions{
		Upstreams: map[simulate.Vendor]string{vendor: base}, Cassette: r.cassette, Log: r.log,
	})
	if err != nil {
		return "", err
	}
	r.recorders = append(r.recorders, rec)
	prefix := fmt.Sprintf("/%d", len(r.recorders))
	r.mux.Handle(prefix+"/", http.StripPrefix(prefix, rec))
	if vendor == simulate.OpenAI {
		prefix += "/v1" // belongs to the base URL of that API
	}
	return r.url + prefix, nil
}

// Close ends the recorders and the cassette. It returns what went wrong with the
// cassette, too.
func (r *deck) Close() error {
	for _, rec := range r.recorders {
		rec.Close()
	}
	err := r.http.Close()
	if served := <-r.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, r.cassette.Close())
}
