package gateway

import (
	"math"

	"kalami/session/learn"
)

// rangeJSON says which days an answer is about.
type rangeJSON struct {
	From     string `json:"from" doc:"The first day" example:"2026-02-03"`
	To       string `json:"to" doc:"The last day" example:"2026-03-04"`
	Today    string `json:"today" doc:"The day that it is where the learner is" example:"2026-03-04"`
	TimeZone string `json:"time_zone" doc:"IANA name" example:"Europe/Madrid"`
}

func showRange(a learn.Activity) rangeJSON {
	return rangeJSON{From: a.Query.From, To: a.Query.To, Today: a.Today, TimeZone: a.TimeZone}
}

// doneJSON is what was done in some time.
type doneJSON struct {
	SpeakingSeconds float64  `json:"speaking_seconds" doc:"The learner's own voice" example:"142.5"`
	TalkingSeconds  float64  `json:"talking_seconds" doc:"That conversations took" example:"630"`
	Turns           int      `json:"turns" doc:"The learner's" example:"12"`
	Words           int      `json:"words" doc:"The learner's" example:"118"`
	NewWords        int      `json:"new_words" doc:"Cards reviewed for the first time" example:"5"`
	Reviews         int      `json:"reviews" doc:"Of any card" example:"20"`
	Retention       *float64 `json:"retention" doc:"0 to 1; null without reviews of cards learned before" example:"0.9"`
	Corrections     int      `json:"corrections" doc:"Mistakes that were shown and not disputed" example:"4"`
	Repairs         int      `json:"repairs" doc:"Those of them that were then said rightly" example:"2"`
}

func showDone(d learn.Day) doneJSON {
	return doneJSON{
		SpeakingSeconds: seconds(d.Speaking), TalkingSeconds: seconds(d.Talking), Turns: d.Turns, Words: d.Words,
		NewWords: d.NewWords, Reviews: d.Reviews, Retention: retention(d), Corrections: d.Corrections, Repairs: d.Repairs,
	}
}

// retention is a share to three places, or null.
func retention(d learn.Day) *float64 {
	share, ok := d.Retention()
	if !ok {
		return nil
	}
	return new(math.Round(share*1000) / 1000)
}

// overviewJSON answers GET /analytics/overview.
type overviewJSON struct {
	rangeJSON
	doneJSON
	ActiveDays      int             `json:"active_days" doc:"Days of the range on which something was said or typed" example:"18"`
	ArticulationWPM *float64        `json:"articulation_wpm" doc:"Words a minute without pauses; null where nothing was measured" example:"124.5"`
	Vocabulary      cardCountsJSON  `json:"vocabulary" doc:"Cards, as they are now"`
	Streak          streakCountJSON `json:"streak" doc:"As it stands today"`
}

// cardCountsJSON is how many cards there are now.
type cardCountsJSON struct {
	Total    int `json:"total" doc:"Cards that there are" example:"140"`
	Active   int `json:"active" doc:"Reviewed, and not suspended" example:"112"`
	Mastered int `json:"mastered" doc:"In review with a stability of 21 days or more, or used rightly and unprompted on three days" example:"38"`
	Due      int `json:"due" doc:"That could be reviewed now" example:"14"`
}

func showCardCounts(v learn.VocabularyProgress) cardCountsJSON {
	return cardCountsJSON{Total: v.Total(), Active: v.Active, Mastered: v.Mastered, Due: v.Due}
}

// streakCountJSON is a streak as it stands today.
type streakCountJSON struct {
	Current       int     `json:"current" doc:"Days" example:"9"`
	Longest       int     `json:"longest" doc:"Days" example:"21"`
	FreezeDays    int     `json:"freeze_days" doc:"That are left" example:"1"`
	LastDay       *string `json:"last_day" doc:"The last day that was practised; null for never" example:"2026-03-04"`
	PractisedNow  bool    `json:"practised_today" doc:"Whether today counts already" example:"true"`
	FreezeDaysMax int     `json:"freeze_days_max" doc:"The most that there can be" example:"2"`
}

func showStreakCount(a learn.Activity) streakCountJSON {
	st := a.Streak
	return streakCountJSON{Current: st.Days, Longest: st.Longest, FreezeDays: st.Freezes, LastDay: orNull(st.Last),
		PractisedNow: st.Last != "" && st.Last >= a.Today, FreezeDaysMax: learn.FreezesMost}
}

func showOverview(v learn.VocabularyProgress) overviewJSON {
	total := v.Activity.Total()
	out := overviewJSON{rangeJSON: showRange(v.Activity), doneJSON: showDone(total), ArticulationWPM: orNull(total.Pace.ArticulationRate()),
		Vocabulary: showCardCounts(v), Streak: showStreakCount(v.Activity)}
	for _, d := range v.Activity.Days {
		if d.Practised() {
			out.ActiveDays++
		}
	}
	return out
}

// timelineJSON answers GET /analytics/timeline.
type timelineJSON struct {
	rangeJSON
	Days []dayJSON `json:"days" doc:"One for each day of the range"`
}

type dayJSON struct {
	Day string `json:"day" doc:"Where the learner was" example:"2026-03-04"`
	doneJSON
}

func showTimeline(a learn.Activity) timelineJSON {
	out := timelineJSON{rangeJSON: showRange(a), Days: make([]dayJSON, len(a.Days))}
	for i, d := range a.Days {
		out.Days[i] = dayJSON{d.Day, showDone(d)}
	}
	return out
}

// vocabularyProgressJSON answers GET /analytics/vocabulary.
type vocabularyProgressJSON struct {
	rangeJSON
	cardCountsJSON
	Reviews   int                 `json:"reviews" doc:"In the range" example:"240"`
	Retention *float64            `json:"retention" doc:"In the range, 0 to 1; null without reviews of cards learned before" example:"0.91"`
	Days      []vocabularyDayJSON `json:"days" doc:"One for each day of the range"`
}

type vocabularyDayJSON struct {
	Day       string   `json:"day" doc:"Where the learner was" example:"2026-03-04"`
	Added     int      `json:"added" doc:"Cards made on this day" example:"3"`
	Total     int      `json:"total" doc:"Cards by its end, of those that there are now" example:"140"`
	NewWords  int      `json:"new_words" doc:"Cards reviewed for the first time" example:"5"`
	Reviews   int      `json:"reviews" doc:"Of any card" example:"20"`
	Lapses    int      `json:"lapses" doc:"Cards learned before that were forgotten" example:"2"`
	Retention *float64 `json:"retention" doc:"0 to 1; null without reviews of cards learned before" example:"0.9"`
}

func showVocabularyProgress(v learn.VocabularyProgress) vocabularyProgressJSON {
	all := v.Activity.Total()
	out := vocabularyProgressJSON{rangeJSON: showRange(v.Activity), cardCountsJSON: showCardCounts(v), Reviews: all.Reviews,
		Retention: retention(all), Days: make([]vocabularyDayJSON, len(v.Activity.Days))}
	total := v.Before
	for i, d := range v.Activity.Days {
		total += v.Added[i]
		out.Days[i] = vocabularyDayJSON{Day: d.Day, Added: v.Added[i], Total: total, NewWords: d.NewWords,
			Reviews: d.Reviews, Lapses: d.Lapses, Retention: retention(d)}
	}
	return out
}

// fluencyProgressJSON answers GET /analytics/fluency.
type fluencyProgressJSON struct {
	rangeJSON
	fluencyJSON
	Days []fluencyDayJSON `json:"days" doc:"One for each day of the range"`
}

// fluencyJSON is how somebody's words followed each other.
type fluencyJSON struct {
	SpokenWords     int      `json:"spoken_words" doc:"Words whose times are known" example:"118"`
	WordsPerMinute  *float64 `json:"words_per_minute" doc:"With pauses" example:"92.1"`
	ArticulationWPM *float64 `json:"articulation_wpm" doc:"Without pauses" example:"124.5"`
	Pauses          int      `json:"pauses" example:"14"`
	MeanPauseMS     *int     `json:"mean_pause_ms" example:"410"`
	LongestPauseMS  *int     `json:"longest_pause_ms" example:"1900"`
}

type fluencyDayJSON struct {
	Day string `json:"day" doc:"Where the learner was" example:"2026-03-04"`
	fluencyJSON
}

func showFluency(f learn.Pace) fluencyJSON {
	return fluencyJSON{SpokenWords: f.Words, WordsPerMinute: orNull(f.WordsPerMinute()), ArticulationWPM: orNull(f.ArticulationRate()),
		Pauses: f.Pauses, MeanPauseMS: orNull(f.MeanPauseMS()), LongestPauseMS: orNull(f.LongestMS)}
}

func showFluencyProgress(a learn.Activity) fluencyProgressJSON {
	out := fluencyProgressJSON{rangeJSON: showRange(a), fluencyJSON: showFluency(a.Total().Pace), Days: make([]fluencyDayJSON, len(a.Days))}
	for i, d := range a.Days {
		out.Days[i] = fluencyDayJSON{d.Day, showFluency(d.Pace)}
	}
	return out
}

// errorProgressJSON answers GET /analytics/errors.
type errorProgressJSON struct {
	rangeJSON
	Words       int                 `json:"words" doc:"The learner's, in the range" example:"1180"`
	Corrections int                 `json:"corrections" doc:"Mistakes that were shown and not disputed" example:"40"`
	Repairs     int                 `json:"repairs" doc:"Those of them that were then said rightly" example:"22"`
	Per100Words *float64            `json:"per_100_words" doc:"Corrections; null without words" example:"3.4"`
	Categories  []categoryCountJSON `json:"categories" doc:"Of what can still be read, the most frequent first"`
	Days        []errorDayJSON      `json:"days" doc:"One for each day of the range"`
}

type categoryCountJSON struct {
	Category string `json:"category" example:"verb_form"`
	Count    int    `json:"count" doc:"How often it was corrected" example:"11"`
	Repaired int    `json:"repaired" doc:"Of these, said rightly afterwards" example:"6"`
	Prompted int    `json:"prompted" doc:"That the learner was asked to say again and has not" example:"1"`
}

type errorDayJSON struct {
	Day         string `json:"day" doc:"Where the learner was" example:"2026-03-04"`
	Words       int    `json:"words" doc:"The learner's" example:"118"`
	Corrections int    `json:"corrections" doc:"Mistakes that were shown and not disputed" example:"4"`
	Repairs     int    `json:"repairs" doc:"Those of them that were then said rightly" example:"2"`
}

func showErrorProgress(e learn.ErrorProgress) errorProgressJSON {
	all := e.Activity.Total()
	out := errorProgressJSON{rangeJSON: showRange(e.Activity), Words: all.Words, Corrections: all.Corrections, Repairs: all.Repairs,
		Categories: make([]categoryCountJSON, len(e.Categories)), Days: make([]errorDayJSON, len(e.Activity.Days))}
	if all.Words > 0 {
		out.Per100Words = new(math.Round(float64(all.Corrections)*1000/float64(all.Words)) / 10)
	}
	for i, c := range e.Categories {
		out.Categories[i] = categoryCountJSON{string(c.Category), c.Count, c.Repaired, c.Prompted}
	}
	for i, d := range e.Activity.Days {
		out.Days[i] = errorDayJSON{d.Day, d.Words, d.Corrections, d.Repairs}
	}
	return out
}

// streakJSON answers GET /analytics/streak.
type streakJSON struct {
	rangeJSON
	streakCountJSON
	Calendar []streakDayJSON `json:"calendar" doc:"One for each day of the range"`
}

type streakDayJSON struct {
	Day             string  `json:"day" doc:"Where the learner was" example:"2026-03-04"`
	State           string  `json:"state" doc:"frozen: a freeze day stood in for it; none: neither, or it is not over yet" enum:"practised,frozen,none" example:"practised"`
	SpeakingSeconds float64 `json:"speaking_seconds" doc:"The learner's own voice" example:"142.5"`
}

func showStreak(a learn.Activity) streakJSON {
	out := streakJSON{rangeJSON: showRange(a), streakCountJSON: showStreakCount(a), Calendar: make([]streakDayJSON, len(a.Days))}
	for i, d := range a.Days {
		out.Calendar[i] = streakDayJSON{d.Day, string(a.States[i]), seconds(d.Speaking)}
	}
	return out
}
