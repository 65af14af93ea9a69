package storetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store/live"
)

// keeper returns a keeper of clips with limits that are right.
func keeper(t *testing.T, s *live.Store, l live.ClipLimits) *live.Clips {
	t.Helper()
	c, err := s.Clips(l)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantClip fails the test unless that clip, or none for nil, is kept under key.
func wantClip(t *testing.T, c *live.Clips, key string, want []byte) {
	t.Helper()
	got, ok, err := c.Clip(t.Context(), key)
	if ok != (want != nil) || !bytes.Equal(got, want) || err != nil {
		t.Errorf("under %q are %d bytes, %v, %v; want %d bytes", key, len(got), ok, err, len(want))
	}
}

// testClips: what was kept is found as it was, until it was not asked for too long.
func testClips(t *testing.T, s *live.Store) {
	ctx := t.Context()
	for _, bad := range []live.ClipLimits{{}, {Bytes: 1, Entries: 1}, {Bytes: 1, Idle: time.Second}, {Entries: 1, Idle: time.Second}} {
		_, err := s.Clips(bad)
		wantLive(t, fmt.Sprintf("the limits %+v", bad), err, learn.Invalid)
	}
	c := keeper(t, s, live.ClipLimits{Bytes: 1 << 20, Entries: 10, Idle: time.Hour})
	mp3 := []byte("\xff\xfb\x00{binary}\r\n\x00")
	wantClip(t, c, "a", nil)
	must(t, c.KeepClip(ctx, "a", mp3))
	must(t, c.KeepClip(ctx, "b", bytes.Repeat(mp3, 10_000)))
	wantClip(t, c, "a", mp3)
	wantClip(t, c, "b", bytes.Repeat(mp3, 10_000))
	must(t, c.KeepClip(ctx, "a", []byte("another")))
	wantClip(t, c, "a", []byte("another"))
	for _, bad := range []string{"", "total"} {
		wantLive(t, "the key "+bad, c.KeepClip(ctx, bad, mp3), learn.Invalid)
	}

	brief := keeper(t, s, live.ClipLimits{Bytes: 1 << 20, Entries: 10, Idle: time.Second})
	must(t, brief.KeepClip(ctx, "brief", mp3))
	deadline := time.Now().Add(20 * time.Second)
	for {
		time.Sleep(1200 * time.Millisecond) // asking prolongs its life
		if _, ok, err := brief.Clip(ctx, "brief"); err != nil || !ok {
			must(t, err)
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a clip of one second is there after twenty")
		}
	}
}

// testClipBounds: whatever is kept in whatever order, all of it together is within the
// limits, the newest is there, and what is used stays rather than what is not.
func testClipBounds(t *testing.T, s *live.Store) {
	ctx := t.Context()
	limits := live.ClipLimits{Bytes: 1000, Entries: 8, Idle: time.Hour}
	c := keeper(t, s, limits)
	must(t, c.KeepClip(ctx, "far too long", make([]byte, 1001)))
	wantClip(t, c, "far too long", nil)
	chance := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		newest, size := fmt.Sprint("clip ", chance.IntN(20)), 1+chance.IntN(400)
		must(t, c.KeepClip(ctx, newest, make([]byte, size)))
		wantClip(t, c, newest, make([]byte, size))
		total, entries := 0, 0
		for i := range 20 {
			b, ok, err := c.Clip(ctx, fmt.Sprint("clip ", i))
			must(t, err)
			if ok {
				total, entries = total+len(b), entries+1
			}
		}
		if total > limits.Bytes || entries > limits.Entries {
			t.Fatalf("%d clips with %d bytes are kept, within %+v", entries, total, limits)
		}
	}

	c = keeper(t, s, live.ClipLimits{Bytes: 1000, Entries: 3, Idle: time.Hour})
	for i := range 10 {
		must(t, c.KeepClip(ctx, fmt.Sprint("phrase ", i), []byte("phrase")))
		if i > 0 {
			wantClip(t, c, "phrase 0", []byte("phrase"))
		}
	}
	wantClip(t, c, "phrase 9", []byte("phrase"))
	wantClip(t, c, "phrase 2", nil)
}
