package learn

import (
	"slices"
	"time"
)

const (
	// LevelVersion numbers the method by which levels are estimated; kept with each estimate.
	LevelVersion = 1
	// LevelWords and LevelSessions are how much a learner has to have said, and in how many
	// conversations, before anything is said of their level.
	LevelWords, LevelSessions = 300, 3
	// LevelWindow is how many conversations are looked at, the latest, and LevelRecent how
	// old they may be.
	LevelWindow = 12
	LevelRecent = 180 * 24 * time.Hour
	// LevelDeclined is for how long a level that the learner has declined is not suggested
	// again.
	LevelDeclined = 30 * 24 * time.Hour
)

// EstimateStatus says what became of an estimate.
type EstimateStatus string

// The statuses. An estimate that was decided stays as it is.
const (
	EstimateSuggested EstimateStatus = "suggested"
	EstimateAccepted  EstimateStatus = "accepted"
	EstimateRejected  EstimateStatus = "rejected"
)

// LevelEstimate is what a learner's conversations say of their level: a range, with what it
// rests on. It changes nothing by itself: the learner decides.
type LevelEstimate struct {
	ID        string
	ProfileID string
	Version   int
	// Level is the likeliest; it lies between Low and High, which may be the same.
	Level, Low, High Level
	Basis            LevelBasis
	Status           EstimateStatus
	DecidedAt        time.Time // zero: not yet
	CreatedAt        time.Time
}

// LevelBasis is what an estimate rests on. It holds figures and nothing that was said.
type LevelBasis struct {
	Sessions int `json:"sessions"`
	Turns    int `json:"turns"` // the learner's
	Words    int `json:"words"` // the learner's
	GoalsMet int `json:"goals_met"`
	// Measures are what the estimate follows from, in the order of [LevelMeasures].
	Measures []LevelMeasure `json:"measures"`
	// Coverage is, for each level, which share of the different words the level and those
	// below it cover; empty where too few words are rated.
	Coverage map[Level]float64 `json:"coverage,omitempty"`
}

// LevelMeasure is one figure and the level that it points to.
type LevelMeasure struct {
	Name   string  `json:"name"` // one of [LevelMeasures]
	Value  float64 `json:"value"`
	Points Level   `json:"points_to"`
}

// LevelSession is a conversation as evidence of a level.
type LevelSession struct {
	Level    Level // at which the tutor spoke
	Evidence LevelEvidence
	Turns    int
	Pace     Pace
}

// LevelStanding is what is known of a profile's level.
type LevelStanding struct {
	ProfileID string
	Level     Level // the profile's own
	// Estimate is the one that waits for a decision, else the last that was decided; nil
	// before there was one.
	Estimate *LevelEstimate
	// Sessions and Words are how much evidence there is by now.
	Sessions, Words int
}

// Verified says whether a conversation counts as evidence: the learner said something, and
// most of it was analysed, since mistakes that nobody has looked for are no sign of a level.
func (e LevelEvidence) Verified(turns int) bool { return e.Words > 0 && 2*e.Analysed >= turns }

// Levels are the six levels, the lowest first.
func Levels() []Level { return []Level{A1, A2, B1, B2, C1, C2} }

// rank is a level's place, from 1; that of A1 for one that is not known.
func (l Level) rank() int { return slices.Index(Levels(), known(l)) + 1 }

// levelAt is the level at a place, the nearest for one that is none.
func levelAt(rank int) Level { return Levels()[min(max(rank, 1), 6)-1] }

// Rate counts the different words that the learner said by their level, as far as that is
// known: above says whether a word is above a level.
func (l Lesson) Rate(above func(word string, level Level) (above, known bool)) map[Level]int {
	rated := map[Level]int{}
	seen := map[string]bool{}
	for _, m := range l.Said {
		if m.Speaker != SpeakerLearner {
			continue
		}
		for _, w := range Words(m.Content) {
			if seen[w] {
				continue
			}
			seen[w] = true
			for _, level := range Levels() {
				over, known := above(w, level)
				if !known {
					break
				}
				if !over {
					rated[level]++
					break
				}
			}
		}
	}
	if len(rated) == 0 {
		return nil
	}
	return rated
}
