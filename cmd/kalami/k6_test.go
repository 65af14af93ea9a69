package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kalami/providers/simulate"
)

// k6Variable names the variable with the path of k6.
const k6Variable = "KALAMI_TEST_K6"

// k6Thresholds is k6's exit code when a threshold was not met.
const k6Thresholds = 99

// The smoke script's learners all have a whole conversation, so it passes; and it fails
// where they cannot have one: nobody may come in, or the tutor does not answer.
func TestSmokeScript(t *testing.T) {
	t.Parallel()
	program := k6Path(t)
	refused := func(v simulate.Vendor) simulate.Fault {
		return simulate.Fault{Vendor: v, Kind: simulate.FaultStatus, Status: http.StatusBadRequest, Times: -1}
	}
	for name, tt := range map[string]struct {
		learners string
		environ  []string
		faults   []simulate.Fault
		code     int
		says     string
	}{
		"learners talk": {learners: "5"},
		"no guests": {learners: "1", environ: []string{"KALAMI_GUESTS=false"},
			code: k6Thresholds, says: "/auth/guest: 403"},
		"no answer": {learners: "1", faults: []simulate.Fault{refused(simulate.Anthropic), refused(simulate.OpenAI)},
			code: k6Thresholds, says: "a turn failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, backends()[0], simulate.BenchLatency(), tt.environ...)
			for _, f := range tt.faults {
				h.vendors.Inject(f)
			}
			code, out := runScript(t, program, "smoke.js", "KALAMI_URL="+h.url(), "LEARNERS="+tt.learners, "TURNS=1")
			if code != tt.code || !strings.Contains(out, tt.says) {
				t.Errorf("k6 ended with %d, want %d and %q:\n%s", code, tt.code, tt.says, out)
			}
		})
	}
}

// runScript runs one of the load scripts with this environment alone, and returns k6's
// exit code with all that it said. k6 talks to nobody but the server under test: it
// reports no usage, fetches no extension and serves no API of its own.
func runScript(t *testing.T, program, script string, environ ...string) (code int, out string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "run", "--quiet", "--no-color", "--no-usage-report", "--address", "",
		filepath.Join("..", "..", "deploy", "k6", script))
	cmd.Env = append(environ, "HOME="+t.TempDir(), "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it prints its summary even so
	cmd.WaitDelay = 10 * time.Second
	said, err := cmd.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatalf("k6: %v\n%s", err, said)
	}
	return cmd.ProcessState.ExitCode(), string(said)
}

// k6Path finds k6 where .ci/services does, or skips the test.
func k6Path(t *testing.T) string {
	t.Helper()
	if p := os.Getenv(k6Variable); p != "" {
		return p
	}
	if p, err := exec.LookPath("k6"); err == nil {
		return p
	}
	if gopath, err := exec.CommandContext(t.Context(), "go", "env", "GOPATH").Output(); err == nil {
		if p, err := exec.LookPath(filepath.Join(strings.TrimSpace(string(gopath)), "bin", "k6")); err == nil {
			return p
		}
	}
	const missing = "no k6: set " + k6Variable + " to its path, or install it: go install go.k6.io/k6@v1.8.1"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}
