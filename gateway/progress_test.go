package gateway

import (
	"net/http"
	"testing"
	"time"

	"kalami/session/learn"
)

// threeDays are days of which one was full, one frozen and one not over.
func threeDays() learn.Activity {
	return learn.Activity{
		Query: learn.ProgressQuery{From: "2026-03-02", To: "2026-03-04", Days: 3}, Today: "2026-03-04", TimeZone: "Asia/Tokyo",
		Days: []learn.Day{
			{Day: "2026-03-02", Speaking: 142500 * time.Millisecond, Talking: 630 * time.Second, Turns: 12, Words: 118, NewWords: 5,
				Reviews: 20, Recalls: 12, Lapses: 4, Corrections: 4, Repairs: 2,
				Pace: learn.Pace{Words: 100, SpeechMS: 60_000, Pauses: 10, PauseMS: 12_345, LongestMS: 3000}},
			{Day: "2026-03-03"},
			{Day: "2026-03-04", Reviews: 1, NewWords: 1},
		},
		States: []learn.DayState{learn.DayPractised, learn.DayFrozen, learn.DayNone},
		Streak: learn.Streak{Days: 8, Longest: 21, Freezes: 1, Last: "2026-03-02"},
	}
}

func TestProgress(t *testing.T) {
	h := newHouse(t)
	access, user := h.account("ana@example.org")
	profile := h.profileOf(access, "es")
	h.store.vocabulary = learn.VocabularyProgress{Activity: threeDays(), Added: []int{3, 0, 2}, Before: 10, Active: 9, Mastered: 4, Due: 7}
	h.store.progress = learn.ErrorProgress{Activity: threeDays(), Categories: []learn.CategoryCount{
		{Category: learn.VerbForm, Count: 3, Repaired: 1, Prompted: 1}, {Category: learn.Article, Count: 1, Repaired: 1}}}

	// with adds what every answer has.
	with := func(m map[string]any) map[string]any {
		m["from"], m["to"], m["today"], m["time_zone"] = "2026-03-02", "2026-03-04", "2026-03-04", "Asia/Tokyo"
		return m
	}
	done := func(m map[string]any) map[string]any {
		for name, value := range map[string]any{"speaking_seconds": 0.0, "talking_seconds": 0.0, "turns": 0.0, "words": 0.0,
			"new_words": 0.0, "reviews": 0.0, "retention": nil, "corrections": 0.0, "repairs": 0.0} {
			if _, ok := m[name]; !ok {
				m[name] = value
			}
		}
		return m
	}
	full := func() map[string]any {
		return map[string]any{"day": "2026-03-02", "speaking_seconds": 142.5, "talking_seconds": 630.0, "turns": 12.0, "words": 118.0,
			"new_words": 5.0, "reviews": 20.0, "retention": 0.667, "corrections": 4.0, "repairs": 2.0}
	}
	fluent := func(m map[string]any) map[string]any {
		m["spoken_words"], m["words_per_minute"], m["articulation_wpm"] = 100.0, 100.0, 125.9
		m["pauses"], m["mean_pause_ms"], m["longest_pause_ms"] = 10.0, 1234.0, 3000.0
		return m
	}
	silent := func(day string) map[string]any {
		return map[string]any{"day": day, "spoken_words": 0.0, "words_per_minute": nil, "articulation_wpm": nil, "pauses": 0.0, "mean_pause_ms": nil, "longest_pause_ms": nil}
	}
	streak := map[string]any{"current": 8.0, "longest": 21.0, "freeze_days": 1.0, "last_day": "2026-03-02", "practised_today": false, "freeze_days_max": 2.0}
	counts := map[string]any{"total": 15.0, "active": 9.0, "mastered": 4.0, "due": 7.0}

	overview := with(full())
	delete(overview, "day")
	overview["new_words"], overview["reviews"], overview["active_days"], overview["articulation_wpm"] = 6.0, 21.0, 1.0, 125.9
	overview["vocabulary"], overview["streak"] = counts, streak
	calendar := with(map[string]any{"calendar": []any{
		map[string]any{"day": "2026-03-02", "state": "practised", "speaking_seconds": 142.5},
		map[string]any{"day": "2026-03-03", "state": "frozen", "speaking_seconds": 0.0},
		map[string]any{"day": "2026-03-04", "state": "none", "speaking_seconds": 0.0},
	}})
	for name, value := range streak {
		calendar[name] = value
	}
	vocabulary := with(map[string]any{"reviews": 21.0, "retention": 0.667, "days": []any{
		map[string]any{"day": "2026-03-02", "added": 3.0, "total": 13.0, "new_words": 5.0, "reviews": 20.0, "lapses": 4.0, "retention": 0.667},
		map[string]any{"day": "2026-03-03", "added": 0.0, "total": 13.0, "new_words": 0.0, "reviews": 0.0, "lapses": 0.0, "retention": nil},
		map[string]any{"day": "2026-03-04", "added": 2.0, "total": 15.0, "new_words": 1.0, "reviews": 1.0, "lapses": 0.0, "retention": nil},
	}})
	for name, value := range counts {
		vocabulary[name] = value
	}
	for route, want := range map[string]map[string]any{
		"overview": overview,
		"timeline": with(map[string]any{"days": []any{full(),
			done(map[string]any{"day": "2026-03-03"}),
			done(map[string]any{"day": "2026-03-04", "reviews": 1.0, "new_words": 1.0})}}),
		"vocabulary": vocabulary,
		"fluency": with(fluent(map[string]any{"days": []any{
			fluent(map[string]any{"day": "2026-03-02"}), silent("2026-03-03"), silent("2026-03-04")}})),
		"errors": with(map[string]any{"words": 118.0, "corrections": 4.0, "repairs": 2.0, "per_100_words": 3.4,
			"categories": []any{
				map[string]any{"category": "verb_form", "count": 3.0, "repaired": 1.0, "prompted": 1.0},
				map[string]any{"category": "article", "count": 1.0, "repaired": 1.0, "prompted": 0.0}},
			"days": []any{
				map[string]any{"day": "2026-03-02", "words": 118.0, "corrections": 4.0, "repairs": 2.0},
				map[string]any{"day": "2026-03-03", "words": 0.0, "corrections": 0.0, "repairs": 0.0},
				map[string]any{"day": "2026-03-04", "words": 0.0, "corrections": 0.0, "repairs": 0.0}}}),
		"streak": calendar,
	} {
		t.Run(route, func(t *testing.T) {
			for _, prefix := range []string{"", "/api"} {
				path := prefix + "/analytics/" + route
				same(t, h.as(access, "GET", path, nil).want(http.StatusOK).json(), want)
				same(t, h.store.asked, learn.ProgressQuery{TenantID: learn.PersonalTenant, UserID: user})
				h.as(access, "GET", path+"?profile_id="+profile+"&from=2026-03-02&to=2026-03-04&days=9", nil).want(http.StatusOK)
				same(t, h.store.asked, learn.ProgressQuery{TenantID: learn.PersonalTenant, UserID: user, ProfileID: profile,
					From: "2026-03-02", To: "2026-03-04", Days: 9})
				h.as(access, "GET", path+"?profile_id=another", nil).refusal(http.StatusNotFound, "not_found")
				h.as(access, "GET", path+"?profile_id=%00", nil).refusal(http.StatusNotFound, "not_found")
				h.do("GET", path, nil).refusal(http.StatusUnauthorized, "unauthorized")
			}
		})
	}
}

// TestProgressRanges: what is wrong with a range is named.
func TestProgressRanges(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	for query, field := range map[string]string{
		"from=yesterday":                  "from",
		"to=2026-02-29":                   "to",
		"days=0":                          "days",
		"days=367":                        "days",
		"from=2026-03-05&to=2026-03-04":   "from",
		"from=2025-03-03&to=2026-03-04":   "from",
		"from=2026-03-04&from=2026-03-05": "from",
	} {
		h.as(access, "GET", "/analytics/timeline?"+query, nil).invalid(field)
	}
	h.as(access, "GET", "/analytics/timeline?from=2025-03-04&to=2026-03-04", nil).want(http.StatusOK)
}
