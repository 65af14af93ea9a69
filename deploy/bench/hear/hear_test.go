package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kalami/deploy/bench/trial"
	"kalami/deploy/bench/worderror"
	"kalami/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	t.Setenv("REALSPEECH_URL", "http://127.0.0.1:1")
	o, err := parse([]string{"-kalami", "bin/kalami", "-hesitant", "A2,C1"}, io.Discard)
	if err != nil || o.engine != "http://127.0.0.1:1" || strings.Join(o.hesitant, " ") != "A2 C1" {
		t.Errorf("parsed %+v with %v", o, err)
	}
	for complaint, args := range map[string]string{
		"-server and -kalami":       "",
		"one of":                    "-server http://x -kalami y",
		"REALSPEECH_URL":            "-kalami y -engine=",
		"-at-once":                  "-server http://x -at-once 0",
		"only flags":                "-server http://x en-01-clean",
		"flag provided but not":     "-sever http://x",
		"invalid value \"several\"": "-server http://x -at-once several",
	} {
		if _, err := parse(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%q: the error is %v, want one with %q", args, err, complaint)
		}
	}
}

func TestReport(t *testing.T) {
	answer := trial.Reply{Turn: 1, Latency: session.Latency{EndpointMS: 1200, LLMFirstMS: 400, ClauseMS: 50, TTSFirstMS: 150, DraftMS: 300, FirstAudioMS: 1700}}
	answer.Audio.PCM = []byte{1, 2}
	good := &trial.Trial{Level: "B2", Fixture: &trial.Fixture{Name: "en-01", Language: "en", Spoken: []string{"a table for two"}},
		Held:   2,
		Result: &trial.Result{PatienceMS: 1200, Turns: []string{"A table, for two."}, Replies: []trial.Reply{{}, answer}, Warnings: []string{"w", "w"}}}
	noise := &trial.Trial{Level: "B2", Fixture: &trial.Fixture{Name: "xx-01"}, Result: &trial.Result{PatienceMS: 1200}}
	understood := trial.Echo{Caption: "Which | one?", Heard: "which one", Tutor: worderror.Count{Words: 2}}
	unclear := trial.Echo{Caption: "Soup?", Tutor: worderror.Count{Errors: 1, Words: 1}, Alone: worderror.Count{Errors: 1, Words: 1}}

	var out strings.Builder
	if err := report(&out, []*trial.Trial{good, noise}, []trial.Echo{understood, unclear}); err != nil {
		t.Errorf("all is well, but: %v", err)
	}
	for _, line := range []string{
		"| en-01 | B2 | a table for two | A table, for two. | 0 % | 1 of 1 | 1200 | 1200 | 1700 | 600 | 300 | yes, when held 2 times; an answer came 200 ms after it could; warned: w |\n",
		"| xx-01 | B2 | – | – | – | 0 of 0 | 1200 | – | – | – | – | yes |\n",
		"| Which \\| one? | which one | 0 % | – | yes |\n",
		"| Soup? | – | 100 % | 100 % | the engine misunderstands its own voice |\n",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("there is no line %s in\n%s", line, &out)
		}
	}

	noise.Result.Turns = []string{"the"}
	if err := report(&out, []*trial.Trial{good, noise}, nil); err == nil || !strings.Contains(out.String(), "**no**: 1 turns, want 0") {
		t.Errorf("the noise that made a turn was reported with %v:\n%s", err, &out)
	}
	unclear.Alone = worderror.Count{Words: 1}
	if err := report(&out, []*trial.Trial{good}, []trial.Echo{unclear}); err == nil || !strings.Contains(out.String(), "| Soup? | – | 100 % | 0 % | **no** |") {
		t.Errorf("the word that was lost was reported with %v:\n%s", err, &out)
	}
}

// program writes a shell script that stands for the kalami binary.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kalami")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// What cannot be used is said, and nothing is printed.
func TestRunRefuses(t *testing.T) {
	for name, args := range map[string][]string{
		"no fixtures": {"-server", "http://127.0.0.1:1", "-fixtures", t.TempDir()},
		"no server":   {"-server", "http://127.0.0.1:1", "-fixtures", "../speech", "-engine="},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var out strings.Builder
			if err := run(ctx, args, &out, io.Discard); err == nil || out.Len() > 0 {
				t.Errorf("ran with %v and printed %q", err, &out)
			}
		})
	}
}
