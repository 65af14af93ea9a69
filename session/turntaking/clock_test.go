package turntaking

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// told is a clock with a story: times are milliseconds since the first frame of audio,
// which comes without delay.
type told struct {
	Clock
	rules    Rules
	question string
	tutor    bool
}

func day(ms int64) time.Time {
	return time.Unix(1_000_000, 0).Add(time.Duration(ms) * time.Millisecond)
}

func (s *told) moment(ms int64) Moment {
	return Moment{Now: day(ms), Audio: Audio{AtMS: ms, Heard: day(ms)}, Rules: s.rules, Question: s.question, Tutor: s.tutor}
}

// says is a stretch of speech that was understood 300 ms after its end.
func (s *told) says(text string, from, to int64) {
	s.Voice(true, from)
	s.Begin(day(from + 60))
	s.Voice(false, to)
	s.Words(Words{Text: text, EndMS: to, Final: true}, day(to+300))
}

// deadline is when the turn is over, in milliseconds, and what it is open for; -1 for never.
func (s *told) deadline(now int64) (int64, Why) {
	at, why := s.Deadline(s.moment(now))
	if at.IsZero() {
		return -1, why
	}
	return at.Sub(day(0)).Milliseconds(), why
}

func spanish(patience time.Duration) *told {
	return &told{rules: Rules{Language: "es", Patience: patience}}
}

// Until when a turn stays open, and what for.
func TestDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		play func(s *told)
		now  int64
		at   int64
		why  Why
	}{
		"nothing was heard": {func(*told) {}, 100, -1, WhyNothing},
		"a sentence":        {func(s *told) { s.says("Mi hermano es médico.", 0, 1000) }, 1300, 2500, WhyPatience},
		"half a sentence":   {func(s *told) { s.says("Mi hermano es.", 0, 1000) }, 1300, 3625, WhyUnfinished},
		"a question":        {func(s *told) { s.says("¿Dónde está?", 0, 1000) }, 1300, 1900, WhyFinished},
		"an answer": {func(s *told) {
			s.question = "¿Tienes coche?"
			s.says("Sí.", 0, 1000)
		}, 1300, 1900, WhyAnswered},
		"a voice after the words": {func(s *told) {
			s.says("Mi hermano es médico.", 0, 1000)
			s.Voice(true, 2400)
		}, 2450, 2750, WhyVoice},
		"a noise that does not end": {func(s *told) {
			s.says("Mi hermano es médico.", 0, 1000)
			s.Voice(true, 2400)
		}, 5400, 5500, WhyVoice},
		"a voice without words": {func(s *told) {
			s.Voice(true, 0)
			s.Begin(day(60))
			s.Voice(false, 1000)
		}, 1300, 3000, WhyUnclear},
		"push-to-talk": {func(s *told) {
			s.rules.Manual = true
			s.says("Mi hermano es médico.", 0, 1000)
		}, 9000, -1, WhyManual},
		"the tutor speaks": {func(s *told) {
			s.tutor = true
			s.says("Mi hermano es médico.", 0, 1000)
		}, 9000, -1, WhyTutor},
		"the recogniser's own end": {func(s *told) {
			s.rules.Endpoint = true
			s.says("Mi hermano es.", 0, 1000)
		}, 1300, 1300, WhyEndpoint},
		"a hold": {func(s *told) {
			s.says("Mi hermano es médico.", 0, 1000)
			s.Hold(day(9000))
		}, 1300, 9000, WhyHeld},
		"a hold in words, and words after it": {func(s *told) {
			s.HoldByWord(day(15_000))
			s.says("Mi hermano es médico.", 3000, 4000)
		}, 4300, 5500, WhyPatience},
		"a hold of the client's, one in words, and words": {func(s *told) {
			s.Hold(day(9000))
			s.HoldByWord(day(15_000))
			s.HoldByWord(day(15_500))
			s.says("Mi hermano es médico.", 3000, 4000)
		}, 4300, 9000, WhyHeld},
		"a recogniser that is behind": {func(s *told) {
			s.Voice(true, 0)
			s.Voice(false, 3000)
			s.Words(Words{Text: "Mi hermano", EndMS: 700, Open: true}, day(3200))
		}, 3200, 5200, WhyBehind},
		"words without times": {func(s *told) {
			s.Words(Words{Text: "Mi hermano es médico.", Final: true}, day(1300))
		}, 1300, 2800, WhyPatience},
		"closed, with a word on its way": {func(s *told) {
			s.Words(Words{Text: "Mi hermano es médico", EndMS: 1000, Open: true}, day(1300))
			s.Close(ByClient, s.moment(1400))
		}, 1400, 2100, WhyLastWord},
	} {
		s := spanish(1500 * time.Millisecond)
		c.play(s)
		if at, why := s.deadline(c.now); at != c.at || why != c.why {
			t.Errorf("%s: open until %d for %q, want %d for %q", name, at, why, c.at, c.why)
		}
	}
}

// The verdicts of a turn, in the order of its life.
func TestVerdicts(t *testing.T) {
	s := spanish(1500 * time.Millisecond)
	s.says("Mi hermano es médico.", 0, 1000)
	if v := s.Due(s.moment(2500)); v != Over || s.Reason() != ByPatience {
		t.Errorf("a turn that is final and due: %v, %q", v, s.Reason())
	}
	s.Clock = s.Next(day(2500))
	if at, why := s.deadline(2600); at != -1 || why != WhyNothing || s.Closing() || s.Reason() != "" {
		t.Errorf("the next turn is open until %d for %q, %q", at, why, s.Reason())
	}

	s.Words(Words{Text: "Y mi hermana", EndMS: 4000, Open: true}, day(4300))
	if v := s.Due(s.moment(7000)); v != LastWord || !s.Closing() {
		t.Errorf("words that are not final: %v", v)
	}
	if v := s.Close(ByClient, s.moment(7000)); v != Open || s.Reason() != ByPatience {
		t.Errorf("closed twice: %v, %q", v, s.Reason())
	}
	s.Words(Words{Text: "Y mi hermana también.", EndMS: 4500, Final: true}, day(7200))
	if v := s.Ended(s.moment(7200)); v == Open {
		t.Error("the last word came, and the turn stays open")
	}
	s.Clock = s.Next(day(7200))

	s.Voice(true, 8000)
	s.Begin(day(8060))
	s.Voice(false, 9000)
	if v := s.Due(s.moment(11_000)); v != Empty {
		t.Errorf("a voice without words: %v", v)
	}
}

// New words of a learner who is speaking open a turn again that silence had closed, a
// hold does so too, and neither does when the learner has pressed the button.
func TestSecondThoughts(t *testing.T) {
	for _, c := range []struct {
		reason Reason
		open   bool
	}{{ByPatience, true}, {ByClient, false}} {
		for name, again := range map[string]func(s *told){
			"words": func(s *told) {
				s.Voice(true, 2600)
				s.Words(Words{Text: "Mi hermano es médico y", EndMS: 2800, Open: true}, day(3000))
			},
			"a hold": func(s *told) { s.Hold(day(9000)) },
		} {
			s := spanish(1500 * time.Millisecond)
			s.Words(Words{Text: "Mi hermano es médico", EndMS: 1000, Open: true}, day(1300))
			if v := s.Close(c.reason, s.moment(2500)); v != LastWord {
				t.Fatalf("closed: %v", v)
			}
			if again(s); s.Closing() == c.open {
				t.Errorf("%s after a close by %s: closing %v", name, c.reason, s.Closing())
			}
		}
	}
	s := spanish(1500 * time.Millisecond)
	s.Words(Words{Text: "Mi hermano es médico", EndMS: 1000, Open: true}, day(1300))
	s.Close(ByPatience, s.moment(2500))
	s.Voice(true, 2600)
	if s.Words(Words{Text: "Mi hermano", EndMS: 900, Open: true}, day(2700)); !s.Closing() {
		t.Error("a recogniser that takes words back opens the turn again")
	}
}

// Whatever happens in whatever order, silence ends no turn sooner than six tenths of the
// least patience after the last voice, nor, without a hold, a noise or a recogniser that
// is behind, later than the most patience; and a hold never makes a turn shorter.
func TestDeadlineBounds(t *testing.T) {
	texts := []string{"Sí.", "Mi hermano es", "Mi hermano es médico", "¿Dónde está?", "eh", "No, no puedo", "Mi hermano es médico y vive en", "三つ"}
	rapid.Check(t, func(t *rapid.T) {
		s := &told{rules: Rules{Language: rapid.SampledFrom([]string{"es", "en", "ja", ""}).Draw(t, "language"),
			Patience: time.Duration(rapid.Int64Range(800, 4000).Draw(t, "patience")) * time.Millisecond}}
		s.question = rapid.SampledFrom([]string{"", "¿Por qué?", "¿Tienes coche?", "Cuéntame.", "¿Té o café?"}).Draw(t, "question")
		now, on := int64(0), false
		for range rapid.IntRange(1, 25).Draw(t, "events") {
			now += rapid.Int64Range(1, 3000).Draw(t, "passed")
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				on = !on
				s.Voice(on, now-rapid.Int64Range(0, min(now, 300)).Draw(t, "told"))
			case 1:
				final := rapid.Bool().Draw(t, "final")
				s.Words(Words{Text: rapid.SampledFrom(texts).Draw(t, "text"), EndMS: rapid.Int64Range(0, now).Draw(t, "end"),
					Open: !final, Final: final}, day(now))
			case 2:
				before, _ := s.deadline(now)
				s.Hold(day(max(now, s.HeldUntil().Sub(day(0)).Milliseconds()) + rapid.Int64Range(0, 5000).Draw(t, "hold")))
				if after, _ := s.deadline(now); before >= 0 && after < before {
					t.Fatalf("a hold ends the turn at %d instead of %d", after, before)
				}
			case 3:
				s.Clock = s.Next(day(now))
			}
			at, why := s.deadline(now)
			quiet := s.QuietSince(s.moment(now).Audio).Sub(day(0)).Milliseconds()
			switch why {
			case WhyPatience, WhyUnfinished, WhyFinished, WhyAnswered, WhyInvited:
				if !s.Speaking() && at < quiet+int64(finishedShrink*800) {
					t.Fatalf("silent since %d, and over at %d (%s)", quiet, at, why)
				}
				if at > quiet+MaxPatience.Milliseconds() {
					t.Fatalf("silent since %d, and open until %d (%s)", quiet, at, why)
				}
			case WhyHeld:
				if at != s.HeldUntil().Sub(day(0)).Milliseconds() {
					t.Fatalf("held until %v, and open until %d", s.HeldUntil(), at)
				}
			}
		}
	})
}
