package live_test

import (
	"bytes"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session/learn"
	"kalami/store/live"
)

// TestClock: in the embedded Redis a ticket of a minute is there for a minute, but
// for the last tick of the clock, and no longer.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := live.Open(t.Context(), live.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, c := range []struct {
			wait time.Duration
			want bool
		}{{59_800 * time.Millisecond, true}, {60_100 * time.Millisecond, false}} {
			if err := s.PutOnce(t.Context(), "ticket", []byte("x"), time.Minute); err != nil {
				t.Fatal(err)
			}
			time.Sleep(c.wait)
			if _, ok, err := s.TakeOnce(t.Context(), "ticket"); ok != c.want || err != nil {
				t.Errorf("after %v: %v, %v; want %v", c.wait, ok, err, c.want)
			}
		}
	})
}

// TestRateOverTime: six a minute, two at once, for an hour: 361 get through, as
// the refused are told exactly how long to wait.
func TestRateOverTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := live.Open(t.Context(), live.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		rate := live.Rate{Count: 6, Per: time.Minute, Burst: 2}
		start, allowed := time.Now(), 0
		for time.Since(start) < time.Hour {
			v, err := s.Allow(t.Context(), "ana", rate)
			if err != nil {
				t.Fatal(err)
			}
			if v.Allowed {
				allowed++
				continue
			}
			if v.RetryAfter <= 0 || v.RetryAfter > 10*time.Second {
				t.Fatalf("told to wait %v, want at most the interval of 10s", v.RetryAfter)
			}
			time.Sleep(v.RetryAfter)
		}
		if allowed != 361 {
			t.Errorf("%d allowed in an hour, want 360 and one for the burst", allowed)
		}
		// After a quiet hour there is a burst again, and no more than one.
		time.Sleep(time.Hour)
		for i, want := range []live.Verdict{
			{Allowed: true, Remaining: 1, ResetAfter: 10 * time.Second},
			{Allowed: true, Remaining: 0, ResetAfter: 20 * time.Second},
			{Allowed: false, RetryAfter: 10 * time.Second, ResetAfter: 20 * time.Second},
		} {
			if v, err := s.Allow(t.Context(), "ana", rate); v != want || err != nil {
				t.Errorf("event %d after a quiet hour: %+v, %v; want %+v", i+1, v, err, want)
			}
		}
		// Fifteen seconds later one of the two is there, and half of the other.
		time.Sleep(15 * time.Second)
		want := live.Verdict{Allowed: true, ResetAfter: 15 * time.Second}
		if v, err := s.Allow(t.Context(), "ana", rate); v != want || err != nil {
			t.Errorf("after 15 seconds: %+v, %v; want %+v", v, err, want)
		}
	})
}

// TestOpenFails: a bad URL is refused without being repeated. A Redis that is not there is
// no reason; see TestOpenWithoutRedis.
func TestOpenFails(t *testing.T) {
	for _, url := range []string{
		"http://u:hunter2@h",
		"redis://u:hunter2@h:port/0",

		"redis://u:hunter2@127.0.0.1:1?cluster=perhaps",
		"redis://u:hunter2@127.0.0.1:1/3?cluster=true",
		"redis://u:hunter2@127.0.0.1:1?addr=127.0.0.1:2&odd=1",
	} {
		s, err := live.Open(t.Context(), live.Options{URL: url})
		if s != nil || learn.KindOf(err) != learn.Invalid {
			t.Errorf("%s: %v; want it refused as invalid", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the password is in %q", url, err)
		}
	}
}

// TestOpenWhereNobodyIs: whatever the form of the URL, a Redis that is not there is opened,
// its commands fail, and its password is in no error and no log.
func TestOpenWhereNobodyIs(t *testing.T) {
	for _, url := range []string{
		"redis://u:hunter2@127.0.0.1:1/0",
		"redis://u:hunter2@127.0.0.1:1?cluster=true",
		"redis://u:hunter2@127.0.0.1:1/0?addr=127.0.0.1:2",
		"unix:///nowhere/redis.sock",
	} {
		var out bytes.Buffer
		s, err := live.Open(t.Context(), live.Options{URL: url, Log: slog.New(slog.NewTextHandler(&out, nil))})
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if err := s.Ping(t.Context()); learn.KindOf(err) != learn.Unavailable || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: a ping gives %v", url, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		if strings.Contains(out.String(), "hunter2") {
			t.Errorf("%s: the password is in the log", url)
		}
	}
}

// TestEmbeddedIsSaid: whoever runs without Redis learns from the log what that means.
func TestEmbeddedIsSaid(t *testing.T) {
	var out bytes.Buffer
	s, err := live.Open(t.Context(), live.Options{Log: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !strings.Contains(out.String(), "REDIS_URL") {
		t.Errorf("the log says %q", out.String())
	}
}

// TestLibraryLog: an outage is one line in ten seconds, with the number of the rest.
func TestLibraryLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := live.NewLibraryLog(slog.New(slog.NewTextHandler(&out, nil)))
		for range 700 {
			l.Printf(t.Context(), "dial %s: refused", "127.0.0.1:6379")
			time.Sleep(20 * time.Millisecond)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "left_out=0") || !strings.Contains(lines[1], "left_out=499") {
			t.Errorf("14 s of outage logged as\n%s\nwant two lines, the second with 499 left out", out.String())
		}
	})
}

// TestRatesAreForgotten: whoever has recovered takes no room, and when there is none
// left because of everybody else, nobody is refused for it.
func TestRatesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := live.Open(t.Context(), live.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		hourly, slow := live.Rate{Count: 1, Per: time.Hour}, live.Rate{Count: 1, Per: 3 * time.Hour}
		allowed := func(key string, r live.Rate) bool {
			v, err := s.Allow(t.Context(), key, r)
			if err != nil {
				t.Fatal(err)
			}
			return v.Allowed
		}
		if !allowed("ana", slow) || allowed("ana", slow) {
			t.Fatal("the rate is not kept")
		}
		crowd := func(from int) {
			for i := range 60_000 {
				allowed(strconv.Itoa(from+i), hourly)
			}
		}
		crowd(0)
		time.Sleep(2 * time.Hour)
		crowd(60_000)
		if allowed("ana", slow) {
			t.Error("a rate was forgotten while there was room")
		}
		crowd(120_000)
		if !allowed("ana", slow) {
			t.Error("refused with no room left")
		}
	})
}
