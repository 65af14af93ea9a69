package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"kalami/providers/anthropic"
	"kalami/providers/openai"
)

// The vendors' packages have defaults of their own, for who uses them without
// this program; a learner must not meet another model because of that.
func TestDefaultsAreTheVendors(t *testing.T) {
	l, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]string{
		"KALAMI_ANTHROPIC_MODEL":  {l.Anthropic.Model, anthropic.DefaultModel},
		"ANTHROPIC_BASE_URL":      {string(l.Anthropic.BaseURL), anthropic.DefaultBaseURL},
		"KALAMI_OPENAI_MODEL":     {l.OpenAI.Model, openai.DefaultModel},
		"OPENAI_BASE_URL":         {string(l.OpenAI.BaseURL), openai.DefaultBaseURL},
		"KALAMI_OPENAI_STT_MODEL": {l.OpenAI.STTModel, openai.DefaultTranscribeModel},
		"KALAMI_OPENAI_TTS_MODEL": {l.OpenAI.TTSModel, openai.DefaultSpeechModel},
		"KALAMI_OPENAI_VOICE":     {l.OpenAI.Voice, openai.DefaultVoice},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s defaults to %q, the package to %q", name, pair[0], pair[1])
		}
	}
}

// .env.example at the top of the repository is generated; this finds one that was
// forgotten: go run ./cmd/kalami config doc --env > .env.example
func TestEnvExampleIsCurrent(t *testing.T) {
	kept, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	var made strings.Builder
	if err := writeEnvExample(&made); err != nil {
		t.Fatal(err)
	}
	if string(kept) != made.String() {
		t.Error(".env.example is not what the configuration says; run: make docs")
	}
}

// Somebody who removes every # gets what they had before.
func TestEnvExampleHoldsTheDefaults(t *testing.T) {
	var example strings.Builder
	if err := writeEnvExample(&example); err != nil {
		t.Fatal(err)
	}
	uncommented := regexp.MustCompile(`(?m)^#([A-Z_]+=)`).ReplaceAllString(example.String(), "$1")
	l, err := load(t, uncommented)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	want := configFields(&plain.Config)
	for i, f := range configFields(&l.Config) {
		if f.printable() != want[i].printable() {
			t.Errorf("%s is %q, default %q", f.name, f.printable(), want[i].printable())
		}
		if !strings.Contains(uncommented, "\n"+f.name+"=") {
			t.Errorf("%s is not in the example", f.name)
		}
	}
}

func TestConfigDocListsEveryVariable(t *testing.T) {
	got := runKalami(t, nil, "config", "doc")
	for _, f := range configFields(&Config{}) {
		if !strings.Contains(got.stdout, "| `"+f.name+"` | ") {
			t.Errorf("%s is missing", f.name)
		}
	}
	if !strings.HasPrefix(got.stdout, "**Server**\n\n| Variable | Default | Meaning |\n|---|---|---|\n| `APP_NAME` | `Kalami` | ") {
		t.Errorf("begins with %.200s", got.stdout)
	}
}

func TestConfigPrintMasksAndTellsOrigins(t *testing.T) {
	got := runKalami(t, []string{"OPENAI_API_KEY=sk-hunter2", "DATABASE_URL=postgres://u:hunter2@h/db", "SECRET_KEY=" + aKey, "APP_NAME=La clase"},
		"config", "print", "--port", "9")
	if got.code != exitOK || strings.Contains(got.stdout, "hunter2") || strings.Contains(got.stdout, aKey) {
		t.Fatalf("print: %+v", got)
	}
	for _, want := range []string{
		`(?m)^APP_NAME='La clase' +# environment$`,
		`(?m)^PORT=9 +# --port$`,
		`(?m)^HOST=127\.0\.0\.1 +# default$`,
		`(?m)^OPENAI_API_KEY=\[secret\] +# environment$`,
		`(?m)^DATABASE_URL=postgres://\[secret\]@h/db +# environment$`,
	} {
		if !regexp.MustCompile(want).MatchString(got.stdout) {
			t.Errorf("no line %s in\n%s", want, got.stdout)
		}
	}
}
