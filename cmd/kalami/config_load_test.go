package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const aKey = "0123456789abcdef0123456789abcdef"

// load reads a configuration in an empty folder that holds this .env file.
func load(t *testing.T, envFile string, environ ...string) (*Loaded, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if envFile != "" {
		write(t, defaultEnvFile, envFile)
	}
	return loadConfig(configInputs{envFile: defaultEnvFile, environ: environ})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// problems returns the lines of a configuration error.
func problems(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*configError](err); !ok {
		t.Fatalf("%T is not a configuration error: %v", err, err)
	}
	return strings.Split(err.Error(), "\n")
}

func TestNothingConfiguredIsUsable(t *testing.T) {
	l, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	if l.Server.Host != "127.0.0.1" || l.Server.Port != 8000 || l.Server.Debug {
		t.Errorf("server: %+v", l.Server)
	}
	if want := (Database{Dialect: SQLite, Path: "kalami.db"}); l.Storage.Database != want {
		t.Errorf("database %+v, want %+v", l.Storage.Database, want)
	}
	if l.Accounts.AccessTTL() != 30*time.Minute || l.Sessions.MaxAhead != 1500*time.Millisecond {
		t.Errorf("accounts %+v, sessions %+v", l.Accounts, l.Sessions)
	}
	for _, f := range configFields(&l.Config) {
		if l.Origin(f.name) != originDefault {
			t.Errorf("%s comes from %s", f.name, l.Origin(f.name))
		}
	}
}

func TestStrongerPlacesWin(t *testing.T) {
	l, err := load(t, "PORT=1\nHOST=10.0.0.1\nAPP_NAME=Aula\n", "PORT=2", "HOST=", "PATH=/bin")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]setting{
		"PORT":          {"2", "environment"},
		"HOST":          {"127.0.0.1", originDefault}, // an empty variable means the default
		"APP_NAME":      {"Aula", ".env line 3"},
		"KALAMI_GUESTS": {"true", originDefault},
	} {
		i := slices.IndexFunc(configFields(&l.Config), func(f field) bool { return f.name == name })
		f := configFields(&l.Config)[i]
		if got := (setting{f.printable(), l.Origin(name)}); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestSecretsMayStandInFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "openai")
	write(t, path, "  sk-from-file\n")
	l, err := load(t, "OPENAI_API_KEY=sk-weaker\n", "OPENAI_API_KEY_FILE="+path)
	if err != nil {
		t.Fatal(err)
	}
	if l.OpenAI.Key.Reveal() != "sk-from-file" || l.Origin("OPENAI_API_KEY") != "file "+path {
		t.Errorf("key %q from %s", l.OpenAI.Key.Reveal(), l.Origin("OPENAI_API_KEY"))
	}

	empty := filepath.Join(t.TempDir(), "empty")
	write(t, empty, " \n")
	for name, tt := range map[string]struct {
		environ []string
		want    string
	}{
		"both":    {[]string{"OPENAI_API_KEY=sk-a", "OPENAI_API_KEY_FILE=" + path}, "OPENAI_API_KEY: is set, and so is OPENAI_API_KEY_FILE; keep one of them"},
		"missing": {[]string{"OPENAI_API_KEY_FILE=/nowhere/key"}, "OPENAI_API_KEY_FILE: open /nowhere/key: no such file or directory"},
		"empty":   {[]string{"OPENAI_API_KEY_FILE=" + empty}, "OPENAI_API_KEY_FILE: " + empty + " is empty"},
		"folder":  {[]string{"OPENAI_API_KEY_FILE=/"}, "OPENAI_API_KEY_FILE: read /: is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := load(t, "", tt.environ...); !slices.Equal(problems(t, err), []string{tt.want}) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestUnknownVariables(t *testing.T) {
	for name, tt := range map[string]struct {
		file    string
		environ []string
		want    []string
	}{
		"misspelt in the environment": {environ: []string{"KALAMI_LOGLEVEL=debug"},
			want: []string{"KALAMI_LOGLEVEL: is not a variable of Kalami; did you mean KALAMI_LOG_LEVEL?"}},
		"our prefix where none belongs": {environ: []string{"KALAMI_PORT=8000"},
			want: []string{"KALAMI_PORT: is not a variable of Kalami; did you mean PORT?"}},
		"nothing like it": {environ: []string{"KALAMI_PARROT=1"},
			want: []string{"KALAMI_PARROT: is not a variable of Kalami"}},
		"anything unknown in the file": {file: "\nOPENAI_APIKEY=sk-x\n",
			want: []string{"OPENAI_APIKEY: is not a variable of Kalami (.env line 2); did you mean OPENAI_API_KEY?"}},
		"no file variant of what is no secret": {file: "PORT_FILE=/x\n",
			want: []string{"PORT_FILE: is not a variable of Kalami (.env line 1)"}},
		"others' in the environment": {environ: []string{"PATH=/bin", "LANG=C", "OPENAI_APIKEY=theirs"}},
		"the test suite's":           {environ: []string{"KALAMI_TEST_REDIS_URL=redis://h"}},
		"Kubernetes' service links": {environ: []string{"KALAMI_SERVICE_HOST=10.1.2.3", "KALAMI_SERVICE_PORT=80",
			"KALAMI_SERVICE_PORT_HTTP=80", "KALAMI_PORT=tcp://10.1.2.3:80", "KALAMI_PORT_80_TCP=tcp://10.1.2.3:80",
			"KALAMI_PORT_80_TCP_ADDR=10.1.2.3", "KALAMI_REDIS_SERVICE_HOST=10.1.2.4", "KALAMI_REDIS_PORT=tcp://10.1.2.4:6379"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tt.file, tt.environ...)
			if got := problems(t, err); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestBadValues(t *testing.T) {
	postgres := "DATABASE_URL=postgres://h/kalami"
	for _, tt := range []struct {
		environ []string
		want    string
	}{
		{[]string{"DEBUG=perhaps"}, `DEBUG: "perhaps" is neither true nor false`},
		{[]string{"PORT=70000"}, "PORT: 70000 is not between 0 and 65535"},
		{[]string{"HOST=localhost:80"}, `HOST: "localhost:80" is neither an IP address nor a host name (the port is in PORT)`},
		{[]string{"KALAMI_SHUTDOWN_GRACE=10"}, `KALAMI_SHUTDOWN_GRACE: "10" is not a duration such as 500ms, 30s or 5m`},
		{[]string{"KALAMI_MAX_DURATION=48h"}, "KALAMI_MAX_DURATION: 48h0m0s is not between 1s and 24h"},
		{[]string{"KALAMI_LOG_LEVEL=loud"}, `KALAMI_LOG_LEVEL: "loud" is not DEBUG, INFO, WARN or ERROR`},
		{[]string{"KALAMI_LOG_FORMAT=xml"}, `KALAMI_LOG_FORMAT: "xml" is neither text nor json`},
		{[]string{"APP_NAME=a\nb"}, "APP_NAME: has a control character in it"},
		{[]string{"OPENAI_API_KEY=sk-\nx"}, "OPENAI_API_KEY: has a line break or control character in it"},
		{[]string{"KALAMI_DATA_DIR=nowhere"}, "KALAMI_DATA_DIR: there is no folder nowhere"},
		{[]string{"DATABASE_URL=sqlite:///nowhere/k.db"}, "DATABASE_URL: there is no folder nowhere"},
		{[]string{"KALAMI_REDIS_PREFIX={k}"}, `KALAMI_REDIS_PREFIX: "{k}" is not 1 to 32 letters, digits, '-', '_' and '.'`},
		{[]string{"SECRET_KEY=short"}, "SECRET_KEY: has 5 bytes, needs at least 32; make one with: openssl rand -base64 48"},
		{[]string{postgres}, "SECRET_KEY: is required with Postgres, where several servers must sign alike; make one with: openssl rand -base64 48"},
		{[]string{"KALAMI_SECRET_KEY_PREVIOUS=" + aKey}, "KALAMI_SECRET_KEY_PREVIOUS: is set without SECRET_KEY, which should hold its successor"},
		{[]string{"KALAMI_SMTP_URL=mail.example", "KALAMI_MAIL_FROM=a@b.example", "KALAMI_PUBLIC_URL=https://k.example"}, "KALAMI_SMTP_URL: must start with smtp:// or smtps://"},
		{[]string{"KALAMI_SMTP_URL=smtp://mail.example", "KALAMI_PUBLIC_URL=https://k.example"}, "KALAMI_MAIL_FROM: is required with KALAMI_SMTP_URL"},
		{[]string{"KALAMI_SMTP_URL=smtp://mail.example", "KALAMI_MAIL_FROM=a@b.example"}, "KALAMI_PUBLIC_URL: is required with KALAMI_SMTP_URL: the links in mails lead there"},
		{[]string{"KALAMI_MAIL_FROM=Kalami"}, `KALAMI_MAIL_FROM: "Kalami" is not an address such as no-reply@example.org or Kalami <no-reply@example.org>`},
		{[]string{"KALAMI_VERIFY_EMAIL=required"}, "KALAMI_VERIFY_EMAIL: is required, and nobody could sign in: set KALAMI_SMTP_URL"},
		{[]string{"KALAMI_VERIFY_EMAIL=yes"}, `KALAMI_VERIFY_EMAIL: "yes" is not off, optional or required`},
		{[]string{"KALAMI_REFRESH_TOKEN_EXPIRE_DAYS=0"}, "KALAMI_REFRESH_TOKEN_EXPIRE_DAYS: 0 is not between 1 and 365"},
		{[]string{"SECRET_KEY=" + aKey, "KALAMI_SECRET_KEY_PREVIOUS=" + aKey}, "KALAMI_SECRET_KEY_PREVIOUS: is the same as SECRET_KEY; it should hold the key before"},
		{[]string{"KALAMI_SESSIONS_PER_USER=3", "KALAMI_MAX_SESSIONS=2"}, "KALAMI_SESSIONS_PER_USER: 3 is more than KALAMI_MAX_SESSIONS (2)"},
		// One mistake is reported once, not again by a check of its consequences.
		{[]string{postgres, "SECRET_KEY=" + aKey, "DATABASE_URL=mysql://h/x"}, "DATABASE_URL: must start with sqlite:// or postgres://; no other database is supported"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			_, err := load(t, "", tt.environ...)
			if got := problems(t, err); !slices.Equal(got, []string{tt.want}) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestDebugRaisesTheLogLevelUnlessOneWasChosen(t *testing.T) {
	for _, tt := range []struct {
		environ []string
		want    slog.Level
	}{
		{nil, slog.LevelInfo},
		{[]string{"DEBUG=true"}, slog.LevelDebug},
		{[]string{"DEBUG=true", "KALAMI_LOG_LEVEL=info"}, slog.LevelInfo},
	} {
		l, err := load(t, "", tt.environ...)
		if err != nil || l.Log.Level != tt.want {
			t.Errorf("%v: level %v (%v), want %v", tt.environ, l.Log.Level, err, tt.want)
		}
	}
}

// No message and no print-out may show a secret, however wrong its variable is.
func TestProblemsDoNotShowSecrets(t *testing.T) {
	const canary = "hunter2"
	for _, value := range []string{
		canary, "postgres://u:" + canary, "postgres://u:" + canary + "/x@h/db", "postgres://u:" + canary + "#@h/db",
		"postgres://u:%zz" + canary + "@h/db", "redis://:" + canary + "@h/zero", "redis://:" + canary + "@h:port/0",
		"mysql://u:" + canary + "@h/db", "https://" + canary + "@host", "sqlite:///nowhere?" + canary,
	} {
		for _, f := range configFields(&Config{}) {
			if !f.secret {
				continue
			}
			l, err := load(t, "", f.name+"="+value)
			if err != nil {
				if strings.Contains(err.Error(), canary) {
					t.Errorf("%s=%s shows the secret: %v", f.name, value, err)
				}
				continue
			}
			var b strings.Builder
			if err := writeEffective(&b, l); err != nil {
				t.Fatal(err)
			}
			if shown := b.String() + fmt.Sprintf("%v %+v %#v", l.Config, l.Config, l.Config); strings.Contains(shown, canary) {
				t.Errorf("%s=%s: print shows the secret:\n%s", f.name, value, shown)
			}
		}
		for _, line := range []string{value, "K=" + value + "\nK=" + value, `K="` + value, "K='" + value, `K="` + value + `\q"`, "K='x'" + value} {
			if _, err := load(t, line); err == nil || strings.Contains(err.Error(), canary) {
				t.Errorf(".env with %q: %v", line, err)
			}
		}
	}
}

// The library stops at the first field of a group with a shape it does not know;
// this finds a tag that does not do what it says.
func TestTags(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range configFields(&Config{}) {
		if f.name == "" || f.doc == "" || f.group == "" || seen[f.name] || !isVariableName(f.name) {
			t.Errorf("field %s: tags %+v", f.goName, f)
		}
		seen[f.name] = true
		if (f.min == "") != (f.max == "") {
			t.Errorf("%s has one limit only", f.name)
		}
		if strings.HasSuffix(f.doc, " ") || !strings.ContainsAny(f.doc[len(f.doc)-1:], ".…") && !strings.Contains(f.doc, "=") {
			t.Errorf("%s: documentation does not end a sentence: %s", f.name, f.doc)
		}
	}
}
