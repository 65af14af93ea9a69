package srs_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kalami/session/learn"
	"kalami/session/learn/srs"
)

// server is what a server does with uploads: it believes the first copy of a review, forgets
// no undoing, and corrects times by what the device says its clock is.
type server struct {
	kept   map[string]learn.Review
	undone map[string]bool
}

func newServer() *server {
	return &server{kept: map[string]learn.Review{}, undone: map[string]bool{}}
}

// upload is one request of a device.
type upload struct {
	device   int
	received time.Time
	reviews  []learn.Review // RawAt is as the device's clock said
	undone   []string
}

func (s *server) take(u upload, offset time.Duration) {
	skew := srs.Skew(u.received.Add(offset), u.received)
	for _, r := range u.reviews {
		if _, known := s.kept[r.ID]; known || !r.Rating.Valid() {
			continue
		}
		r.At, r.ReceivedAt = srs.When(r.RawAt, skew, born(), u.received), u.received
		s.kept[r.ID] = r
	}
	for _, id := range u.undone {
		s.undone[id] = true
	}
}

// log is what the server knows, in an order that is the map's own.
func (s *server) log() []learn.Review {
	var all []learn.Review
	for r := range maps.Values(s.kept) {
		if s.undone[r.ID] {
			r.UndoneAt = r.ReceivedAt
		}
		all = append(all, r)
	}
	return all
}

// fleet is what really happened to a card on the devices of one learner.
type fleet struct {
	offsets []time.Duration // of the devices' clocks
	truth   []learn.Review  // RawAt is when it really was
	device  map[string]int  // of a review, by its ID
	undone  []string
}

func drawFleet(t *rapid.T) fleet {
	f := fleet{device: map[string]int{}}
	for range rapid.IntRange(2, 5).Draw(t, "devices") {
		// Up to a day wrong either way. What is less than what is corrected is right: such a
		// clock is believed, and tells of a time that is a little off, but always of the same.
		offset := rapid.IntRange(-24*60, 24*60).Draw(t, "offset in minutes")
		if offset >= -2 && offset <= 2 {
			offset = 0
		}
		f.offsets = append(f.offsets, time.Duration(offset)*time.Minute)
	}
	at := born()
	for i := range rapid.IntRange(1, 14).Draw(t, "reviews") {
		at = at.Add(time.Duration(rapid.IntRange(0, 9*24*60).Draw(t, "minutes later")) * time.Minute)
		id := fmt.Sprintf("%c%d", 'a'+rapid.IntRange(0, 25).Draw(t, "id"), i)
		r := learn.Review{ID: id, CardID: "card", RawAt: at, Rating: learn.Rating(rapid.IntRange(0, 5).Draw(t, "rating"))}
		f.device[id] = rapid.IntRange(0, len(f.offsets)-1).Draw(t, "device")
		f.truth = append(f.truth, r)
		if rapid.IntRange(0, 5).Draw(t, "undone") == 0 {
			f.undone = append(f.undone, id)
		}
	}
	return f
}

// uploads is how all of it may come to the server: in any order, some of it more than once,
// after it has happened.
func (f fleet) uploads(t *rapid.T) []upload {
	end := f.truth[len(f.truth)-1].RawAt.Add(time.Hour)
	told := append(slices.Clone(f.truth), f.truth[:rapid.IntRange(0, len(f.truth)).Draw(t, "repeated")]...)
	told = rapid.Permutation(told).Draw(t, "order")
	var all []upload
	for i, r := range told {
		d := f.device[r.ID]
		r.RawAt = r.RawAt.Add(f.offsets[d])
		all = append(all, upload{device: d, received: end.Add(time.Duration(i) * time.Minute), reviews: []learn.Review{r}})
	}
	for _, id := range f.undone { // by whichever device, and before or after the review is told
		i := rapid.IntRange(0, len(all)-1).Draw(t, "undone with")
		all[i].undone = append(all[i].undone, id)
	}
	return all
}

// Whatever the order, the repetitions and the clocks of the devices, the card is known as
// well as if one device with the right time had told everything at once.
func TestDevicesConverge(t *testing.T) {
	s := newScheduler(t, srs.Default())
	property := func(t *rapid.T) {
		f := drawFleet(t)
		straight := newServer()
		end := f.truth[len(f.truth)-1].RawAt.Add(time.Hour)
		straight.take(upload{received: end, reviews: f.truth, undone: f.undone}, 0)
		want, wanted := s.Replay(born(), straight.log())
		for range 2 {
			crooked := newServer()
			for _, u := range f.uploads(t) {
				crooked.take(u, f.offsets[u.device])
			}
			got, counted := s.Replay(born(), crooked.log())
			if got != want {
				t.Fatalf("it comes to %+v, want %+v", got, want)
			}
			if !slices.EqualFunc(counted, wanted, sameReview) {
				t.Fatalf("what counts is %+v, want %+v", counted, wanted)
			}
		}
	}
	for range 100 { // of a hundred histories each
		rapid.Check(t, property)
	}
}

// sameReview compares what follows from a replay.
func sameReview(a, b learn.Review) bool {
	return a.ID == b.ID && a.At.Equal(b.At) && a.Rating == b.Rating && a.Before == b.Before &&
		a.ElapsedDays == b.ElapsedDays && a.ScheduledDays == b.ScheduledDays
}

// A replay reads and does not write, and does not care in which order it is told.
func TestReplayIsPure(t *testing.T) {
	s := newScheduler(t, srs.Default())
	reviews := history(learn.Good, learn.Hard, learn.Again, learn.Good, learn.Easy)
	slices.Reverse(reviews)
	before := slices.Clone(reviews)
	m, counted := s.Replay(born(), reviews)
	if !slices.EqualFunc(reviews, before, sameReview) {
		t.Error("what was given has changed")
	}
	for i, r := range counted {
		if want := string(rune('a' + i)); r.ID != want {
			t.Errorf("review %d is %s, want %s", i, r.ID, want)
		}
	}
	slices.Reverse(reviews)
	if again, _ := s.Replay(born(), reviews); again != m {
		t.Errorf("in order it comes to %+v, backwards to %+v", again, m)
	}
	if none, counted := s.Replay(born(), nil); none != (learn.Memory{State: learn.CardNew}) || len(counted) != 0 {
		t.Errorf("without reviews it is %+v", none)
	}
}

// Of copies that differ it is always the same one that counts, and undoing wins.
func TestCopies(t *testing.T) {
	s := newScheduler(t, srs.Default())
	early, late := rated("x", days, learn.Good), rated("x", 2*days, learn.Again)
	for _, reviews := range [][]learn.Review{{early, late}, {late, early}} {
		if _, counted := s.Replay(born(), reviews); len(counted) != 1 || counted[0].Rating != learn.Good {
			t.Errorf("%+v counts", counted)
		}
	}
	undone := late
	undone.UndoneAt = born().Add(3 * days)
	for _, reviews := range [][]learn.Review{{early, undone}, {undone, early}} {
		if m, counted := s.Replay(born(), reviews); len(counted) != 0 || m.State != learn.CardNew {
			t.Errorf("undone, and %+v counts", counted)
		}
	}
	// At the same time it is the ID that decides.
	a, b := rated("a", days, learn.Again), rated("b", days, learn.Good)
	if _, counted := s.Replay(born(), []learn.Review{b, a}); counted[0].ID != "a" || counted[1].ElapsedDays != 0 {
		t.Errorf("the order is %+v", counted)
	}
}

// A review is never before its card nor in the future, whatever a device says.
func TestWhen(t *testing.T) {
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name                string
		raw, client, server time.Time
		want                time.Time
	}{
		{"a right clock", noon.Add(-time.Hour), noon, noon, noon.Add(-time.Hour)},
		{"no clock told", noon.Add(-time.Hour), time.Time{}, noon, noon.Add(-time.Hour)},
		{"two minutes ahead is believed", noon.Add(-time.Hour), noon.Add(2 * time.Minute), noon, noon.Add(-time.Hour)},
		{"more is not", noon.Add(-time.Hour), noon.Add(2*time.Minute + time.Second), noon, noon.Add(-time.Hour - 2*time.Minute - time.Second)},
		{"a day ahead", noon.Add(23 * time.Hour), noon.Add(days), noon, noon.Add(-time.Hour)},
		{"a day behind", noon.Add(-25 * time.Hour), noon.Add(-days), noon, noon.Add(-time.Hour)},
		{"the future", noon.Add(time.Hour), noon, noon, noon},
		{"before the card was made", born().Add(-time.Hour), noon, noon, born()},
		{"a clock of another age", time.Date(1970, 1, 1, 0, 0, 5, 0, time.UTC), time.Date(1970, 1, 1, 0, 1, 0, 0, time.UTC), noon, noon.Add(-55 * time.Second)},
		{"a clock of nonsense", noon, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), noon, born()},
		{"another zone", noon.Add(-time.Hour).In(time.FixedZone("", -3600)), noon, noon, noon.Add(-time.Hour)},
		{"received before the card was made", noon, born().Add(-time.Hour), born().Add(-time.Hour), born()},
		{"nanoseconds", noon.Add(-1), noon, noon, noon.Add(-time.Microsecond)},
	} {
		if got := srs.When(tt.raw, srs.Skew(tt.client, tt.server), born(), tt.server); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	// The replay keeps to it, whatever stands in the log.
	s := newScheduler(t, srs.Default())
	wild := []learn.Review{rated("early", -90*days, learn.Good), rated("future", 900*days, learn.Good)}
	wild[1].ReceivedAt = born().Add(5 * days)
	_, counted := s.Replay(born(), wild)
	if counted[0].At != born() || counted[1].At != born().Add(5*days) || counted[1].ElapsedDays != 5 {
		t.Errorf("replayed as %+v", counted)
	}
}

// Whatever is in a log, what comes of it has finite numbers within their bounds.
func FuzzReplay(f *testing.F) {
	f.Add([]byte{3, 0, 0, 3, 10, 0, 1, 200, 3, 4, 1, 0})
	f.Add([]byte{0, 255, 255, 5, 0, 0})
	s := newScheduler(f, srs.Default())
	f.Fuzz(func(t *testing.T, raw []byte) {
		var reviews []learn.Review
		for i, b := range slices.Collect(slices.Chunk(raw, 3)) {
			if len(b) < 3 || i > 300 {
				break
			}
			minutes := (int(b[1])<<8 | int(b[2])) - 1<<14
			reviews = append(reviews, rated(fmt.Sprint(b[0]>>3, i%7), time.Duration(minutes)*17*time.Minute, learn.Rating(b[0]&7)))
		}
		m, counted := s.Replay(born(), reviews)
		if len(counted) == 0 {
			if m != (learn.Memory{State: learn.CardNew}) {
				t.Fatalf("nothing counts, and it is %+v", m)
			}
			return
		}
		if !(m.Stability > 0 && m.Stability <= srs.LongestInterval && m.Difficulty >= 1 && m.Difficulty <= 10) ||
			m.ScheduledDays < 0 || m.ScheduledDays > srs.LongestInterval || !m.DueAt.After(m.LastReviewedAt) || m.Reps != len(counted) {
			t.Fatalf("it comes to %+v", m)
		}
		for i, r := range counted {
			if r.ElapsedDays < 0 || r.At.Before(born()) || i > 0 && r.At.Before(counted[i-1].At) {
				t.Fatalf("review %d is %+v", i, r)
			}
		}
	})
}
