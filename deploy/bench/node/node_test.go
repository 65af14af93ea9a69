package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// program writes a shell script that stands for the kalami binary.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kalami")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// A server that was started is told where the engine is, and stopped with all that it kept.
func TestServer(t *testing.T) {
	binary := program(t, `trap 'exit 0' TERM
echo "$DEEPGRAM_BASE_URL" > "$KALAMI_DATA_DIR/told"
echo
echo "  Kalami is at http://127.0.0.1:4321 — open it in a browser and talk."
while :; do sleep 0.05; done`)
	s, err := Start(t.Context(), binary, "DEEPGRAM_BASE_URL=http://engine")
	if err != nil {
		t.Fatal(err)
	}
	told, err := os.ReadFile(filepath.Join(s.dir, "told"))
	if s.URL != "http://127.0.0.1:4321" || string(told) != "http://engine\n" {
		t.Errorf("it serves at %q and was told %q, %v", s.URL, told, err)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("its folder was left: %v", err)
	}
}

func TestServerThatDoesNotStart(t *testing.T) {
	if _, err := Start(t.Context(), program(t, "exit 2")); err == nil || !strings.Contains(err.Error(), "did not start") {
		t.Errorf("a server that fails was started with %v", err)
	}
	if _, err := Start(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a binary that is not there was started")
	}
}
