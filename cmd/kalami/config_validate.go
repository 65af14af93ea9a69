package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// minKeyBytes is the least length of a signing key: the output of HS256.
const minKeyBytes = 32

// validate checks limits and combinations of a tree that was parsed and
// completed. Variables in bad were complained about already and are left out.
func (c *Config) validate(bad []problem) []problem {
	var problems []problem
	report := func(name, format string, args ...any) {
		known := func(p problem) bool { return p.where == name }
		if !slices.ContainsFunc(bad, known) && !slices.ContainsFunc(problems, known) {
			problems = append(problems, problem{name, fmt.Sprintf(format, args...)})
		}
	}
	for _, f := range configFields(c) {
		if reason := f.outOfRange(); reason != "" {
			report(f.name, "%s", reason)
		}
		if s, ok := f.value.Interface().(string); ok && strings.ContainsFunc(s, isControl) {
			report(f.name, "has a control character in it")
		}
		if s, ok := f.value.Interface().(Secret); ok && strings.ContainsFunc(s.Reveal(), isControl) {
			// Keys travel in HTTP headers.
			report(f.name, "has a line break or control character in it")
		}
	}
	if !validHost(c.Server.Host) {
		report("HOST", "%q is neither an IP address nor a host name (the port is in PORT)", c.Server.Host)
	}
	c.validateStorage(report)
	c.validateKeys(report)
	c.validateMail(report)
	if c.Azure.Key != "" && c.Azure.Region == "" && c.Azure.BaseURL == "" {
		report("KALAMI_AZURE_SPEECH_REGION", "is needed with KALAMI_AZURE_SPEECH_KEY: the address follows from it")
	}
	if c.Sessions.PerUser > c.Sessions.Max {
		report("KALAMI_SESSIONS_PER_USER", "%d is more than KALAMI_MAX_SESSIONS (%d)", c.Sessions.PerUser, c.Sessions.Max)
	}
	return problems
}

// validateStorage checks that the folder of the SQLite file is there, and that keys in Redis
// can begin as they shall.
func (c *Config) validateStorage(report func(name, format string, args ...any)) {
	if prefix := c.Storage.RedisPrefix; prefix == "" || len(prefix) > 32 || strings.ContainsFunc(prefix, notOfKeys) {
		// Braces would move all keys of a cluster to one of its servers, a colon into another system's.
		report("KALAMI_REDIS_PREFIX", "%q is not 1 to 32 letters, digits, '-', '_' and '.'", prefix)
	}
	db := c.Storage.Database
	if db.Dialect != SQLite {
		return
	}
	name, dir := "DATABASE_URL", filepath.Dir(db.Path)
	if db == defaultDatabase(c.Storage.DataDir) {
		name = "KALAMI_DATA_DIR"
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		report(name, "there is no folder %s", dir)
	}
}

// notOfKeys says whether a character cannot be in the prefix of keys in Redis.
func notOfKeys(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
}

// validateKeys checks the signing keys.
func (c *Config) validateKeys(report func(name, format string, args ...any)) {
	key, previous := c.Accounts.SecretKey, c.Accounts.PreviousSecretKey
	switch {
	case key == "" && c.Storage.Database.Dialect == Postgres:
		report("SECRET_KEY", "is required with Postgres, where several servers must sign alike; make one with: openssl rand -base64 48")
	case key != "" && len(key) < minKeyBytes:
		report("SECRET_KEY", "has %d bytes, needs at least %d; make one with: openssl rand -base64 48", len(key), minKeyBytes)
	}
	switch {
	case previous == "":
	case len(previous) < minKeyBytes:
		report("KALAMI_SECRET_KEY_PREVIOUS", "has %d bytes, needs at least %d", len(previous), minKeyBytes)
	case key == "":
		report("KALAMI_SECRET_KEY_PREVIOUS", "is set without SECRET_KEY, which should hold its successor")
	case key == previous:
		report("KALAMI_SECRET_KEY_PREVIOUS", "is the same as SECRET_KEY; it should hold the key before")
	}
}

// outOfRange compares the field with its min and max tags.
func (f *field) outOfRange() string {
	if f.min == "" {
		return ""
	}
	parse := func(s string) int64 {
		if f.value.Type() == reflect.TypeFor[time.Duration]() {
			d, _ := time.ParseDuration(s)
			return int64(d)
		}
		n, _ := strconv.ParseInt(s, 10, 64)
		return n
	}
	if v := f.value.Int(); v < parse(f.min) || v > parse(f.max) {
		return fmt.Sprintf("%s is not between %s and %s", f.printable(), f.min, f.max)
	}
	return ""
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
