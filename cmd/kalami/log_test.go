package main

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

func TestLogger(t *testing.T) {
	var b strings.Builder
	log := newLogger(&b, LogConfig{Level: slog.LevelWarn, Format: LogJSON})
	log.Info("not this")
	log.Warn("this", "key", Secret("hunter2"))
	var line map[string]any
	if err := json.Unmarshal([]byte(b.String()), &line); err != nil {
		t.Fatalf("%q: %v", b.String(), err)
	}
	if line["msg"] != "this" || line["level"] != "WARN" || line["key"] != mask {
		t.Errorf("line %v", line)
	}
	b.Reset()
	newLogger(&b, LogConfig{Format: LogText}).Info("said", "port", 8000)
	if !strings.HasSuffix(b.String(), "level=INFO msg=said port=8000\n") {
		t.Errorf("text line %q", b.String())
	}
}
