package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretIsMaskedHoweverItIsPrinted(t *testing.T) {
	const canary = "hunter2"
	s := Secret(canary)
	nested := struct {
		Key *Secret
		Map map[string]Secret
	}{&s, map[string]Secret{"k": s}}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "secret", s, "nested", nested)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "nested", nested)
	text, err := json.Marshal(nested)
	if err != nil {
		t.Fatal(err)
	}
	shown := log.String() + string(text) + fmt.Sprint(s, &s, nested, []Secret{s}, fmt.Errorf("key %s", s))
	for _, verb := range strings.Split("v +v #v s q x X d t o b e c U T 20s -20s 3.1s", " ") {
		shown += fmt.Sprintf("%"+verb+"\n", s)
	}
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), "hun"} {
		if strings.Contains(shown, form) {
			t.Errorf("%q is in:\n%s", form, shown)
		}
	}
	if !strings.Contains(string(text), mask) || s.Reveal() != canary {
		t.Errorf("JSON %s, revealed %q", text, s.Reveal())
	}
	if empty := fmt.Sprintf("%v", Secret("")); empty != "" {
		t.Errorf("an empty secret prints as %q, which hides that it is missing", empty)
	}
}

// accept is a table row: what is written and how it is understood, or why not.
type accept struct{ in, want, err string }

func checkAccepts[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](t *testing.T, rows []accept) {
	t.Helper()
	for _, tt := range rows {
		var v T
		err := P(&v).UnmarshalText([]byte(tt.in))
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: %v, error %v, want %q", tt.in, v, err, tt.err)
			}
		case err != nil || fmt.Sprint(v) != tt.want:
			t.Errorf("%q: %v, error %v, want %s", tt.in, v, err, tt.want)
		}
	}
}

func TestBaseURL(t *testing.T) {
	checkAccepts[BaseURL](t, []accept{
		{in: "https://api.deepgram.com", want: "https://api.deepgram.com"},
		{in: "http://127.0.0.1:11434/v1/", want: "http://127.0.0.1:11434/v1"},
		{in: "http://[::1]:8089", want: "http://[::1]:8089"},
		{in: "wss://api.deepgram.com", err: "http:// or https://"},
		{in: "api.deepgram.com", err: "http:// or https://"},
		{in: "http://", err: "name a host"},
		{in: "http://host:0", err: "a port between"},
		{in: "http://host:99999", err: "a port between"},
		{in: "https://key@host", err: "variable of its own"},
		{in: "https://host/?key=x", err: "query"},
		{in: "http://host:port", err: "not a URL"},
	})
}

func TestOrigins(t *testing.T) {
	const form = "exactly http(s)://host[:port]"
	checkAccepts[Origins](t, []accept{
		{in: "https://Aula.example , http://localhost:3000,", want: "https://aula.example,http://localhost:3000"},
		{in: "https://a.example:443,https://a.example,http://[::1]:80", want: "https://a.example,http://[::1]"},
		{in: "*", err: "wildcard"},
		{in: "https://*.example", err: "wildcard"},
		{in: "https://a.example/", err: form},
		{in: "https://a.example#", err: form},
		{in: "https://a.example?", err: form},
		{in: "https://u@a.example", err: form},
		{in: "a.example", err: form},
		{in: "null", err: form},
		{in: "ftp://a.example", err: form},
	})
}

func TestNetworks(t *testing.T) {
	checkAccepts[Networks](t, []accept{
		{in: "10.1.2.3/8, fd00::/8,192.0.2.1", want: "10.0.0.0/8,fd00::/8,192.0.2.1/32"},
		{in: "10.0.0.0/33", err: "10.0.0.0/33"},
		{in: "proxy", err: `"proxy" is not a network`},
		{in: "fe80::1%eth0", err: "is not a network"},
	})
}

func TestLanguageMaps(t *testing.T) {
	checkAccepts[VoiceMap](t, []accept{
		{in: "fr=b-2, ES = a_1", want: "es=a_1,fr=b-2"},
		{in: "es=../v1", err: "not a voice id"},
		{in: "es", err: "not language=value"},
		{in: "=a", err: "not language=value"},
		{in: "spanish=a", err: "not language=value"},
		{in: "es=a,es=b", err: "language es is there twice"},
	})
	checkAccepts[EngineMap](t, []accept{
		{in: "es=Nova,ko=flux", want: "es=nova,ko=flux"},
		{in: "es=whisper", err: "neither flux nor nova"},
	})
}

func TestDatabase(t *testing.T) {
	checkAccepts[Database](t, []accept{
		{in: "sqlite:///kalami.db", want: "sqlite:///kalami.db"},
		{in: "sqlite+aiosqlite:///./x.db", want: "sqlite:///./x.db"},
		{in: "sqlite:////var/lib/kalami/k.db", want: "sqlite:////var/lib/kalami/k.db"},
		{in: "sqlite://k.db", err: "three slashes"},
		{in: "sqlite://", err: "must name a file"},
		{in: "sqlite:///:memory:", err: "in memory"},
		{in: "sqlite:///k.db?mode=ro", err: "plain path"},
		{in: "sqlite:///data/", err: "not a folder"},
		{in: "postgres://u:p@h:5432/db", want: "postgres://[secret]@h:5432/db"},
		{in: "postgresql://h/db", want: "postgres://h/db"},
		{in: "postgresql+asyncpg://u@h/db?ssl=require", want: "postgres://[secret]@h/db?[secret]"},
		{in: "postgres:///db?host=/run/postgresql", want: "postgres:///db?[secret]"},
		{in: "postgres://h", err: "must name a database"},
		{in: "postgres://:5432/db", err: "must name a host"},
		{in: "postgres://u:p/w@h/db", err: "percent-encoded"},
		{in: "postgres://u:p#w@h/db", err: "percent-encoded"},
		{in: "postgres://h/db#x", err: "fragment"},
		{in: "postgres://u:1/w@h/db", err: "percent-encoded"},
		{in: "kalami.db", err: "must be a URL"},
		{in: "mysql://h/db", err: "no other database"},
	})
	for in, want := range map[string]string{
		"postgresql+asyncpg://u:p%40@h/db?ssl=true": "postgres://u:p%40@h/db?sslmode=require",
		"postgresql+psycopg2://u:p@h/db":            "postgres://u:p@h/db",
		"sqlite:////k.db":                           "sqlite:////k.db",
	} {
		var d Database
		if err := d.UnmarshalText([]byte(in)); err != nil || d.Reveal() != want {
			t.Errorf("%s is %s (%v), want %s", in, d.Reveal(), err, want)
		}
	}
}

func TestRedis(t *testing.T) {
	checkAccepts[Redis](t, []accept{
		{in: "redis://localhost:6379/0", want: "redis://localhost:6379/0"},
		{in: "rediss://:p@h", want: "rediss://[secret]@h"},
		{in: "http://h", err: "must start with redis://"},
		{in: "redis://", err: "must name a host"},
		{in: "redis://h/zero", err: "the number of a database"},
		{in: "redis://h/1?addr=h2:6379", err: "no numbered databases"},
		{in: "redis://h/1?cluster=true", err: "no numbered databases"},
	})
}

// Whatever is accepted as a database must keep its password to itself and be
// accepted again, unchanged, in the form in which it is handed on.
func FuzzDatabase(f *testing.F) {
	for _, s := range []string{"sqlite:///k.db", "postgres://u:hunter2@h:1/db?sslmode=disable", "postgresql+asyncpg://h/d?ssl=1",
		"postgres:///d?host=%2Frun&password=hunter2", "://", "sqlite+x:////\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var d, again Database
		if err := d.UnmarshalText([]byte(s)); err != nil {
			if d != (Database{}) {
				t.Errorf("%q: half understood: %+v", s, d)
			}
			return
		}
		if err := again.UnmarshalText([]byte(d.Reveal())); err != nil || again != d {
			t.Errorf("%q became %q, which is read as %q (%v)", s, d.Reveal(), again.Reveal(), err)
		}
	})
}

// A password never gets into the printed URL or the error, wherever it stands.
func FuzzURLsHidePasswords(f *testing.F) {
	for _, s := range []string{"p", "a/b", "a#b", "a@b", "a:1", "%", "%zz", "a b", "\x7f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, around string) {
		const canary = "hunter2"
		for _, s := range []string{
			"postgres://u:" + around + canary + "@h/db", "postgres://u:" + canary + around + "@h/db",
			"postgres://h/db?password=" + canary + around, "redis://:" + canary + around + "@h/0",
		} {
			var d Database
			var r Redis
			err1, err2 := d.UnmarshalText([]byte(s)), r.UnmarshalText([]byte(s))
			shown := fmt.Sprint(d, err1, r, err2)
			if strings.Contains(shown, canary) && !strings.Contains(around, "hunter") {
				t.Errorf("%q shows its password: %s", s, shown)
			}
		}
	})
}
