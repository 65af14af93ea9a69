package main

import (
	"io"
	"log/slog"
)

// newLogger returns the program's logger. It writes one line per record to w:
// key=value for people, JSON for machines. Everything that logs receives it (or
// one made from it); the default logger of log/slog stays untouched and unused.
func newLogger(w io.Writer, cfg LogConfig) *slog.Logger {
	opt := &slog.HandlerOptions{Level: cfg.Level}
	if cfg.Format == LogJSON {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}
