package learn

import (
	"math"
)

// levelScale says which value of a measure is that of the middle of each level. It rises or
// falls with the levels. The values are set by judgement, not by a sample of rated learners:
// they are why an estimate is a range, and a suggestion.
type levelScale [6]float64

// The measures, by their names.
const (
	MeasureTurnLength    = "words_per_turn"
	MeasureRate          = "articulation_rate"
	MeasurePauses        = "pauses_per_100_words"
	MeasureErrors        = "weighted_errors_per_100_words"
	MeasureL1            = "l1_share"
	MeasureComprehension = "comprehension"
	MeasureVocabulary    = "share_of_words_from_b1"
)

// LevelMeasures are the names of the measures.
func LevelMeasures() []string {
	return []string{MeasureTurnLength, MeasureRate, MeasurePauses, MeasureErrors, MeasureL1, MeasureComprehension, MeasureVocabulary}
}

var (
	turnScale       = levelScale{3, 6, 10, 15, 21, 28}              // words
	rateScale       = levelScale{70, 90, 110, 130, 150, 170}        // words a minute, pauses left out
	pauseScale      = levelScale{30, 22, 15, 10, 7, 4}              // within turns, in 100 words
	errorScale      = levelScale{20, 14, 9, 5, 2.5, 1}              // in 100 words, weighted by severity
	l1Scale         = levelScale{0.25, 0.12, 0.06, 0.03, 0.01, 0}   // of the words
	vocabularyScale = levelScale{0.01, 0.04, 0.1, 0.18, 0.26, 0.35} // of the rated words, those from B1 on
)

const (
	// ratedLeast is how many rated words say something of a vocabulary, and pacedLeast how
	// many timed words of how somebody speaks.
	ratedLeast, pacedLeast = 60, 100
	// l1Tells is from which share on words of another language say something: to have none
	// of them is no sign of a level.
	l1Tells = 0.03
	// simpleBonus is how far above the length of their turns the mistakes of a learner may
	// point: few mistakes in short sentences say little, and a recogniser hides some.
	simpleBonus = 1.0
	// sure is how many words make the range as narrow as it gets.
	sure = 1500
)

// at is where a value lies on the scale: 1 for the middle of A1, 6 for that of C2.
func (s levelScale) at(v float64) float64 {
	rises := s[5] > s[0]
	for i := 1; i < len(s); i++ {
		if rises && v < s[i] || !rises && v > s[i] {
			return min(max(float64(i)+(v-s[i-1])/(s[i]-s[i-1]), 1), 6)
		}
	}
	return 6
}

// EstimateLevel says what conversations in a language, those that are verified, say about the
// learner's level; ok is false when they are too few or too short.
func EstimateLevel(language string, sessions []LevelSession) (e LevelEstimate, ok bool) {
	t := sumUp(language, sessions)
	e = LevelEstimate{Version: LevelVersion, Status: EstimateSuggested,
		Basis: LevelBasis{Sessions: t.sessions, Turns: t.turns, Words: t.words, GoalsMet: t.goals, Coverage: t.coverage()}}
	if t.sessions < LevelSessions || t.words < LevelWords {
		return e, false
	}
	scores := t.measure(&e.Basis)
	sum, weights := 0.0, 0.0
	for _, s := range scores {
		sum, weights = sum+s.weight*s.at, weights+s.weight
	}
	mean, spread := sum/weights, 0.0
	for _, s := range scores {
		spread += s.weight * (s.at - mean) * (s.at - mean)
	}
	// Wider when the measures disagree, and when there is little to go by.
	half := 0.4 + 0.5*math.Sqrt(spread/weights) + 0.4*max(0, 1-float64(t.words)/sure)
	round := func(x float64) Level { return levelAt(int(math.Round(x))) }
	e.Level, e.Low, e.High = round(mean), round(mean-half), round(mean+half)
	return e, true
}

// levelSum is what several conversations come to.
type levelSum struct {
	sessions, turns, words, goals int
	errors                        float64 // weighted
	l1                            float64 // words
	followed, followedOf          float64 // by words: how much above the tutor's level
	pace                          Pace
	rated                         map[Level]int
	wide                          bool // characters are counted, not words
}

func sumUp(language string, sessions []LevelSession) levelSum {
	t := levelSum{rated: map[Level]int{}, wide: language == "ja" || language == "zh"}
	for _, s := range sessions {
		v := s.Evidence
		if !v.Verified(s.Turns) {
			continue
		}
		t.sessions, t.turns, t.words, t.goals = t.sessions+1, t.turns+s.Turns, t.words+v.Words, t.goals+v.GoalsMet
		t.errors += float64(v.Errors[Minor]) + 2*float64(v.Errors[Major]) + 4*float64(v.Errors[Blocking])
		t.l1 += v.L1Share * float64(v.Words)
		t.pace = t.pace.Plus(s.Pace)
		for level, n := range v.Rated {
			t.rated[level] += n
		}
		if v.Comprehension > 0 {
			// All understood: half a level above the tutor's; half of it: one below.
			at := float64(s.Level.rank()) + 0.5 - 3*(1-v.Comprehension)
			t.followed, t.followedOf = t.followed+at*float64(v.Words), t.followedOf+float64(v.Words)
		}
	}
	return t
}

// levelScore is where a measure points and how much it counts.
type levelScore struct{ at, weight float64 }

// measure enters the measures of which there is enough.
func (t levelSum) measure(b *LevelBasis) (scores []levelScore) {
	add := func(name string, value, at, weight float64) {
		at = min(max(at, 1), 6)
		b.Measures = append(b.Measures, LevelMeasure{Name: name, Value: math.Round(value*1000) / 1000, Points: levelAt(int(math.Round(at)))})
		scores = append(scores, levelScore{at, weight})
	}
	length := float64(t.words) / float64(max(t.turns, 1))
	words := length
	if t.wide {
		words /= 2
	}
	turns := turnScale.at(words)
	add(MeasureTurnLength, length, turns, 2)
	if t.pace.Words >= pacedLeast && !t.wide {
		add(MeasureRate, t.pace.ArticulationRate(), rateScale.at(t.pace.ArticulationRate()), 1)
		pauses := 100 * float64(t.pace.Pauses) / float64(t.pace.Words)
		add(MeasurePauses, pauses, pauseScale.at(pauses), 1)
	}
	errors := 100 * t.errors / float64(t.words)
	add(MeasureErrors, errors, min(errorScale.at(errors), turns+simpleBonus), 2)
	if share := t.l1 / float64(t.words); share >= l1Tells {
		add(MeasureL1, share, l1Scale.at(share), 1)
	}
	if t.followedOf > 0 {
		at := t.followed / t.followedOf
		add(MeasureComprehension, at, at, 1)
	}
	if upper, rated := t.from(B1); rated >= ratedLeast {
		share := float64(upper) / float64(rated)
		add(MeasureVocabulary, share, vocabularyScale.at(share), 1)
	}
	return scores
}

// from counts the rated words, and those of a level and above.
func (t levelSum) from(level Level) (upper, all int) {
	for l, n := range t.rated {
		all += n
		if l.rank() >= level.rank() {
			upper += n
		}
	}
	return upper, all
}

// coverage is which share of the rated words each level and those below it cover.
func (t levelSum) coverage() map[Level]float64 {
	_, all := t.from(A1)
	if all < ratedLeast {
		return nil
	}
	covered, sum := map[Level]float64{}, 0
	for _, l := range Levels() {
		sum += t.rated[l]
		covered[l] = math.Round(1000*float64(sum)/float64(all)) / 1000
	}
	return covered
}
