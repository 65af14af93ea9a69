package turntaking

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"kalami/session/learn"
)

// What a turn shows of pauses: a silence counts when words follow it, in the measure of
// what had been said; a noise does not, nor the silence at the end.
func TestObserved(t *testing.T) {
	s := spanish(2 * time.Second)
	s.says("Mi hermano es", 0, 1000) // unfinished: 1.75 times as patient
	s.deadline(1300)
	s.Voice(true, 2500)
	s.Voice(false, 2600) // a cough
	s.deadline(2900)
	if o := s.Observed(); o.Pause != 0 {
		t.Errorf("a cough is a pause: %+v", o)
	}
	s.says("Mi hermano es médico", 4100, 5000)
	if o := s.Observed(); o.Pause != 1500*time.Millisecond || o.Needed.Round(time.Millisecond) != 857*time.Millisecond || o.Calm {
		t.Errorf("1.5 s within a sentence that goes on: %+v", o)
	}
	s.deadline(5300)
	s.Due(s.moment(7000))
	if o := s.Observed(); !o.Calm || o.Pause != 1500*time.Millisecond {
		t.Errorf("at the turn's end: %+v", o)
	}
}

// A silence for which time was asked for, with a button or in words, shows nothing of the
// learner's pauses; one within the same turn that comes after it does.
func TestHeldSilenceIsNoPause(t *testing.T) {
	for name, hold := range map[string]func(s *told){
		"a hold":          func(s *told) { s.Hold(day(12_000)) },
		"a hold in words": func(s *told) { s.HoldByWord(day(15_000)) },
		"a short hold":    func(s *told) { s.Hold(day(2600)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := spanish(1500 * time.Millisecond)
			s.says("Mi hermano es médico", 0, 1000)
			s.deadline(1300)
			hold(s)
			s.says("Mi hermano es médico en Madrid", 9000, 12_000)
			if o := s.Observed(); o.Pause != 0 || o.Needed != 0 {
				t.Errorf("eight seconds that were asked for: %+v", o)
			}
			s.says("Mi hermano es médico en Madrid y mi hermana también", 13_200, 15_000)
			if o := s.Observed(); o.Pause != 1200*time.Millisecond {
				t.Errorf("1.2 s that were not: %+v", o)
			}
		})
	}
}

// Whoever goes on within a second of the turn's end was cut off; later, or when a button
// ended the turn, it is something else.
func TestCutOff(t *testing.T) {
	for _, c := range []struct {
		reason Reason
		onset  int64
		cut    bool
	}{{ByPatience, 2900, true}, {ByPatience, 3600, false}, {ByClient, 2900, false}} {
		s := spanish(1500 * time.Millisecond)
		s.says("Mi hermano es médico", 0, 1000)
		s.deadline(1300)
		s.Close(c.reason, s.moment(2500))
		s.Clock = s.Next(day(2500))
		s.says("en Madrid", c.onset, c.onset+500)
		o, cut := s.CutOff(s.moment(c.onset + 800))
		if cut != c.cut || cut && (o.Pause != time.Duration(c.onset-1000)*time.Millisecond || !o.CutOff) {
			t.Errorf("%+v: %v, %+v", c, cut, o)
		}
		if _, again := s.CutOff(s.moment(c.onset + 900)); again {
			t.Error("cut off twice at one place")
		}
	}
}

// A learner whose pauses are always the same is soon waited for, and no cut-off follows;
// when the pauses stop, patience comes down again, slowly.
func TestAdaptionConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.SampledFrom([]learn.Level{learn.A1, learn.A2, learn.B1, learn.B2, learn.C1, learn.C2}).Draw(t, "level")
		least, most := bounds(level)
		pause := time.Duration(rapid.Int64Range(100, 3900).Draw(t, "pause")) * time.Millisecond
		var h learn.TurnHabits
		for range 8 {
			h = Learn(h, level, Observation{Pause: pause, Needed: pause, Calm: true})
		}
		if got := Adapted(level, h); pause <= time.Duration(float64(most)/margin) && got < pause {
			t.Fatalf("%s: %v after eight pauses of %v", level, got, pause)
		}
		for range 400 {
			before := Adapted(level, h)
			h = Learn(h, level, Observation{Calm: true})
			if after := Adapted(level, h); after > before || float64(before-after) > slow*float64(before)+float64(time.Millisecond) {
				t.Fatalf("%s: from %v to %v by one turn without a pause", level, before, after)
			}
		}
		if got := Adapted(level, h); got > least+100*time.Millisecond {
			t.Fatalf("%s: still %v after 400 turns without a pause", level, got)
		}
	})
}

// Whatever is observed, and whatever the profile held, the patience stays in its bounds.
func TestAdaptionBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := learn.TurnHabits{Turns: rapid.Int().Draw(t, "turns"), PatienceMS: rapid.Int().Draw(t, "kept"), CutOffs: rapid.Int().Draw(t, "cut")}
		for range rapid.IntRange(1, 30).Draw(t, "n") {
			level := rapid.SampledFrom([]learn.Level{learn.A1, learn.B1, learn.C1, "", "Z9"}).Draw(t, "level")
			pause := time.Duration(rapid.Int64Range(0, 1e11).Draw(t, "pause"))
			h = Learn(h, level, Observation{Pause: pause, Needed: pause * 2, Calm: rapid.Bool().Draw(t, "calm"), CutOff: rapid.Bool().Draw(t, "cut off")})
			usual := LevelPatience(level)
			if got := Adapted(level, h); got < MinPatience || got > MaxPatience || got > 2*usual || 4*got < 3*usual {
				t.Fatalf("%s: %v", level, got)
			}
			if h != h.Within() {
				t.Fatalf("%+v is out of bounds", h)
			}
		}
	})
}

// Nothing is learned for a learner of whom nothing is known but that they were calm, at
// once: one long pause does more than ten turns without.
func TestQuickUpSlowDown(t *testing.T) {
	h := Learn(learn.TurnHabits{}, learn.B1, Observation{Pause: 2500 * time.Millisecond, Needed: 2500 * time.Millisecond, Calm: true})
	if h != (learn.TurnHabits{Turns: 1, Pauses: 1, PatienceMS: 2250}) {
		t.Errorf("after one pause of 2.5 s: %+v", h)
	}
	for range 10 {
		h = Learn(h, learn.B1, Observation{Calm: true})
	}
	if h.PatienceMS < 2000 || h.PatienceMS >= 2250 || h.Turns != 11 {
		t.Errorf("ten calm turns later: %+v", h)
	}
	h = Learn(h, learn.B1, Observation{Pause: 2600 * time.Millisecond, Needed: 2600 * time.Millisecond, CutOff: true})
	if h.CutOffs != 1 || h.Turns != 11 || h.PatienceMS < 2400 {
		t.Errorf("after a cut-off: %+v", h)
	}
	if push := Learn(h, learn.B1, Observation{}); push.PatienceMS != h.PatienceMS {
		t.Errorf("a turn that a button ended makes patience %d", push.PatienceMS)
	}
}
