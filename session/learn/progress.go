package learn

import "time"

// The most and the usual number of days that progress is asked for.
const (
	ProgressDaysMost  = 366
	ProgressDaysUsual = 30
)

// ProgressQuery says whose progress is wanted, and of which days.
type ProgressQuery struct {
	TenantID string
	UserID   string
	// ProfileID is one of the user's profiles; empty for all of them together, those that
	// were deleted too: what was practised was practised.
	ProfileID string
	// From and To are local days, both of them wanted; an empty To is the learner's today,
	// and an empty From as many days before it as make Days, or [ProgressDaysUsual].
	From, To string
	Days     int
}

// Within fills in what is left open, by the learner's today. The range has at most
// [ProgressDaysMost] days then, the last ones of those that were asked for, and is empty
// when From lies behind To.
func (q ProgressQuery) Within(today string) ProgressQuery {
	if q.To == "" {
		q.To = today
		if q.From != "" && q.Days > 0 {
			q.To = AddDays(q.From, q.Days-1)
		}
	}
	if q.From == "" {
		if q.Days <= 0 {
			q.Days = ProgressDaysUsual
		}
		q.From = AddDays(q.To, 1-q.Days)
	}
	if least := AddDays(q.To, 1-ProgressDaysMost); q.From < least {
		q.From = least
	}
	q.Days = DaysThrough(q.From, q.To)
	return q
}

// Day is what a learner did on one local day. It is derived from what was said, reviewed
// and corrected, and can be made from that again.
type Day struct {
	Day      string
	Speaking time.Duration // the learner's own voice
	// Talking is the time that conversations took: from each message to the next, where
	// that is no longer than [TalkingGap].
	Talking time.Duration
	Turns   int // the learner's
	Words   int // the learner's
	// NewWords are cards that were reviewed for the first time.
	NewWords int
	Reviews  int
	// Recalls are the reviews of cards that had been learned before, Lapses those of them
	// in which the card was forgotten.
	Recalls, Lapses int
	// Corrections are the mistakes that were shown and not disputed, by the day of what was
	// said, and Repairs those of them that the learner then said rightly.
	Corrections, Repairs int
	Pace                 Pace
}

// TalkingGap is the longest silence between two messages that counts as talking.
const TalkingGap = 2 * time.Minute

// Practised says whether the day counts for the streak: the learner said or typed something.
func (d Day) Practised() bool { return d.Turns > 0 }

// Plus adds up what was done; Day stays that of d.
func (d Day) Plus(e Day) Day {
	d.Speaking += e.Speaking
	d.Talking += e.Talking
	d.Turns += e.Turns
	d.Words += e.Words
	d.NewWords += e.NewWords
	d.Reviews += e.Reviews
	d.Recalls += e.Recalls
	d.Lapses += e.Lapses
	d.Corrections += e.Corrections
	d.Repairs += e.Repairs
	d.Pace = d.Pace.Plus(e.Pace)
	return d
}

// Retention is the share of recalls that were no lapses, 0 to 1; ok is false without recalls.
func (d Day) Retention() (share float64, ok bool) {
	if d.Recalls <= 0 {
		return 0, false
	}
	return float64(max(0, d.Recalls-d.Lapses)) / float64(d.Recalls), true
}

// Activity is a learner's days.
type Activity struct {
	// Query is what was asked for, with From, To and Days filled in.
	Query    ProgressQuery
	Today    string
	TimeZone string // IANA name
	// Days has one for each day of the range, those on which nothing happened too.
	Days []Day
	// States say, in the order of Days, what each was for the streak.
	States []DayState
	// Streak is that of the profile, or of all languages together, as it stands today.
	Streak Streak
}

// Total adds up all of the days.
func (a Activity) Total() (all Day) {
	for _, d := range a.Days {
		all = all.Plus(d)
	}
	return all
}

// VocabularyProgress is what has become of a learner's cards.
type VocabularyProgress struct {
	Activity Activity
	// Added says, in the order of the days, how many of the cards that the learner has now
	// were made on each; Before is how many were there before the first.
	Added  []int
	Before int
	// Active are the cards that were reviewed and are not suspended; Mastered those in
	// review with a stability of 21 days or more, or used rightly and unprompted on three
	// different days; Due, those that could be reviewed now.
	Active, Mastered, Due int
}

// Total is how many cards there are.
func (v VocabularyProgress) Total() int {
	n := v.Before
	for _, added := range v.Added {
		n += added
	}
	return n
}

// ErrorProgress is what was wrong, and what was mended, by kind of mistake.
type ErrorProgress struct {
	Activity   Activity
	Categories []CategoryCount // the most frequent first
}

// CategoryCount counts the mistakes of one kind that were shown and not disputed.
type CategoryCount struct {
	Category Category
	Count    int
	// Repaired are those that the learner then said rightly; Prompted those that the
	// learner was asked to say again and has not.
	Repaired, Prompted int
}
