package live_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store/live"
	"kalami/store/storetest"
)

// A node starts while Redis is away, closed or hung, says so once, and is whole when Redis
// is there. A Redis that answers with a refusal is a mistake to be told at once.
func TestOpenWithoutRedis(t *testing.T) {
	for name, away := range map[string]func(*storetest.RedisServer){
		"killed": func(r *storetest.RedisServer) { r.Kill(t) },
		"hung":   func(r *storetest.RedisServer) { r.Freeze(t) },
	} {
		t.Run(name, func(t *testing.T) {
			redis := storetest.NewRedisServer(t)
			away(redis)
			var out journal
			s := storetest.OpenLive(t, live.Options{URL: redis.URL(), Log: slog.New(slog.NewTextHandler(&out, nil))})
			if err := s.PutOnce(t.Context(), "a", nil, time.Minute); learn.KindOf(err) != learn.Unavailable {
				t.Errorf("put: %v", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var told []bool
			s.Watch(ctx, func(degraded bool) {
				told = append(told, degraded)
				switch {
				case degraded && name == "hung":
					redis.Thaw(t)
				case degraded:
					redis.Start(t)
				case len(told) > 1:
					cancel()
				}
			})
			if len(told) < 2 || told[len(told)-1] {
				t.Fatalf("told %v, want that it is degraded and then that it is not", told)
			}
			if err := s.PutOnce(t.Context(), "a", nil, time.Minute); err != nil {
				t.Errorf("put when Redis is there: %v", err)
			}
			if said := strings.Join(out.lines(), "\n"); strings.Count(said, "does not answer") != 1 {
				t.Errorf("said:\n%s", said)
			}
		})
	}
	strict := storetest.NewRedisServer(t)
	strict.Do(t, "CONFIG", "SET", "requirepass", "another's")
	if s, err := live.Open(t.Context(), live.Options{URL: strict.URL()}); err == nil || learn.KindOf(err) != learn.Unavailable {
		t.Errorf("without the password: %v, %v", s, err)
	}
}

// While Redis is away a rate is counted in the process: no more than it says is let through.
func TestAllowHere(t *testing.T) {
	redis := storetest.NewRedisServer(t)
	s := storetest.OpenLive(t, live.Options{URL: redis.URL()})
	rate := live.Rate{Count: 1, Per: time.Hour, Burst: 3}
	for i := range 5 {
		v, err := s.AllowHere("ana", rate)
		if err != nil || v.Allowed != (i < 3) || v.Remaining != max(0, 2-i) {
			t.Errorf("event %d: %+v, %v", i+1, v, err)
		}
	}
	if v, err := s.AllowHere("bo", rate); err != nil || !v.Allowed {
		t.Errorf("another's: %+v, %v", v, err)
	}
	if _, err := s.AllowHere("ana", live.Rate{}); learn.KindOf(err) != learn.Invalid {
		t.Errorf("no rate: %v", err)
	}
}
