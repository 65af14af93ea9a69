package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Real nodes and stores are broken in every way, once, while learners talk: nothing that
// was acknowledged is lost, nothing is stored twice, and no other promise is broken. It
// needs the programs of Postgres and Redis, since it starts and kills its own.
func TestShort(t *testing.T) {
	_, noPostgres := postgresFolder()
	_, noRedis := exec.LookPath("redis-server")
	if noPostgres != nil || noRedis != nil {
		const missing = "nothing was broken: install Postgres and Redis (initdb, redis-server)"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	dir := t.TempDir()
	kalami := filepath.Join(dir, "kalami")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "chaos", "-o", kalami, "./cmd/kalami")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"-short", "-limit", "5m", "-kalami", kalami, "-speech", filepath.Join("..", "bench", "speech")}, &stdout, &stderr)
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	t.Log(lines[len(lines)-1])
	if err != nil {
		t.Fatalf("%v\n%s%s", err, &stdout, &stderr)
	}
	if _, end, err := splitClosing(stdout.Bytes()); err != nil || end.trials == 0 || end.acknowledged == 0 {
		t.Errorf("it closes with %q, %v", lines[len(lines)-1], err)
	}
}
