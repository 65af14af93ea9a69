package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
)

// Ratings of 0, 5 and "3" are rejected by name, and what was sent beside them counts.
func TestReviews(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	profile := h.profileOf(access, "es")
	h.as(access, "POST", "/vocabulary", `{"profile_id":"`+profile+`","id":"card-1","front":"house","back":"La casa","tags":["home"],"level":"A1"}`).want(http.StatusCreated)
	card := strings.ReplaceAll(casa, `"P"`, `"`+profile+`"`)
	rejected := func(id, field, message string) string {
		return fmt.Sprintf(`{"id":%q,"card_id":"card-1","outcome":"rejected","errors":[{"field":%q,"message":%q}]}`, id, field, message)
	}
	h.as(access, "POST", "/reviews", `{"device_id":"phone","reviews":[
		{"id":"r1","card_id":"card-1","rating":3,"reviewed_at":"2026-03-04T06:07:08+01:00","duration_ms":2500,"mode":"spoken","evidence":{"heard":"casa"}},
		{"id":"r2","card_id":"card-1","rating":0},
		{"id":"r3","card_id":"card-1","rating":5},
		{"id":"r4","card_id":"card-1","rating":"3"},
		{"id":"r5","card_id":"card-1","rating":3,"mode":"in_conversation"},
		{"id":"r6","card_id":"card-1","rating":3,"reviewed_at":"yesterday"},
		{"id":"a b","card_id":"card-1","rating":3},
		{"id":"r7","card_id":"none","rating":1},
		{"id":"r1","card_id":"card-1","rating":1}]}`).want(http.StatusOK).same(`{"results":[
		{"id":"r1","card_id":"card-1","outcome":"applied","errors":[]},` + strings.Join([]string{
		rejected("r2", "rating", "must be 1, 2, 3 or 4"),
		rejected("r3", "rating", "must be 1, 2, 3 or 4"),
		rejected("r4", "rating", "must be a whole number, not a string"),
		rejected("r5", "mode", "must be one of self, typed, spoken"),
		rejected("r6", "reviewed_at", "must be a time as in RFC 3339, such as 2026-03-04T05:06:07Z"),
		rejected("a b", "id", "must be 1 to 64 letters, digits, '-', '_' or '.'"),
	}, ",") + `,
		{"id":"r7","card_id":"none","outcome":"rejected","errors":[{"field":"card_id","message":"there is no such card"}]},
		{"id":"r1","card_id":"card-1","outcome":"repeated","errors":[]}],"cards":[` + card + `]}`)
	at := time.Date(2026, 3, 4, 5, 7, 8, 0, time.UTC)
	if len(h.cards.log) != 1 {
		t.Fatalf("the log is %+v", h.cards.log)
	}
	got := h.cards.log[0]
	if !got.At.Equal(at) || !got.RawAt.Equal(at) || got.Duration != 2500*time.Millisecond || got.Mode != learn.ReviewSpoken || got.DeviceID != "phone" || string(got.Evidence) != `{"heard":"casa"}` {
		t.Errorf("kept %+v", got)
	}
	for body, fields := range map[string][]string{
		`{}`:                                   {"reviews"},
		`{"reviews":[]}`:                       {"reviews"},
		`{"reviews":{"id":"x"}}`:               {"reviews"},
		`{"reviews":[{}],"device_id":""}`:      {"device_id"},
		`{"reviews":[{}],"client_now":"soon"}`: {"client_now"},
		`{"reviews":[` + strings.Repeat("{},", 10_000) + `{}]}`: {"reviews"},
	} {
		h.as(access, "POST", "/reviews", body).invalid(fields...)
	}
}

// A device whose clock is a day ahead tells so, and its times are corrected.
func TestReviewClock(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	h.as(access, "POST", "/vocabulary", `{"profile_id":"`+h.profileOf(access, "es")+`","id":"c","front":"a","back":"b"}`).want(http.StatusCreated)
	said := time.Now().Add(23 * time.Hour).UTC().Truncate(time.Second)
	h.as(access, "POST", "/reviews", fmt.Sprintf(`{"client_now":%q,"reviews":[{"id":"r","card_id":"c","rating":3,"reviewed_at":%q}]}`,
		time.Now().Add(24*time.Hour).Format(time.RFC3339Nano), said.Format(time.RFC3339))).want(http.StatusOK)
	got := h.cards.log[0]
	if off := got.At.Sub(said.Add(-24 * time.Hour)).Abs(); off > time.Minute || !got.RawAt.Equal(said) {
		t.Errorf("%v is kept as %v, raw %v", said, got.At, got.RawAt)
	}
}

func TestUndoReview(t *testing.T) {
	h := newHouse(t)
	ana, _ := h.account("ana@example.org")
	bo, _ := h.account("bo@example.org")
	profile := h.profileOf(ana, "es")
	h.as(ana, "POST", "/vocabulary", `{"profile_id":"`+profile+`","id":"card-1","front":"house","back":"La casa","tags":["home"],"level":"A1"}`).want(http.StatusCreated)
	h.as(ana, "POST", "/reviews", `{"reviews":[{"id":"r","card_id":"card-1","rating":3}]}`).want(http.StatusOK)
	h.as(ana, "POST", "/reviews/r/undo", nil).want(http.StatusOK).same(`{"id":"r","undone_at":"2026-03-04T04:06:07Z","card":` + strings.ReplaceAll(casa, `"P"`, `"`+profile+`"`) + `}`)
	h.as(bo, "POST", "/reviews/r/undo", nil).refusal(http.StatusNotFound, "not_found")
	h.as(ana, "POST", "/reviews/a%00b/undo", nil).refusal(http.StatusNotFound, "not_found")
}

func TestDueForecastAndStatistics(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	profile := h.profileOf(access, "es")
	h.as(access, "GET", "/reviews/due", nil).want(http.StatusOK).same(`{"due":0,"new":0,"introduced_today":0,"cards":[]}`)
	if h.cards.profile != "" || h.cards.days != 20 {
		t.Errorf("asked for %d of %q", h.cards.days, h.cards.profile)
	}
	h.as(access, "POST", "/vocabulary", `{"profile_id":"`+profile+`","id":"card-1","front":"house","back":"La casa","tags":["home"],"level":"A1"}`).want(http.StatusCreated)
	q := learn.DueQueue{Due: 1, New: 2, IntroducedToday: 3, Cards: []learn.DueCard{{Card: h.cards.cards[0]}}}
	var previews []string
	for i := range q.Cards[0].Previews {
		m := learn.Memory{State: learn.CardReview, Stability: 2, Difficulty: 5, LastReviewedAt: made(), DueAt: made().AddDate(0, 0, i)}
		q.Cards[0].Previews[i] = learn.Preview{Rating: learn.Rating(i + 1), DueAt: m.DueAt, Memory: m}
		previews = append(previews, fmt.Sprintf(`{"rating":%d,"due_at":"2026-03-0%dT04:06:07Z","interval_seconds":%d,"state":"review","stability":2,"difficulty":5}`, i+1, 4+i, i*86400))
	}
	h.cards.queue = q
	h.as(access, "GET", "/reviews/due?limit=5&profile_id=p", nil).want(http.StatusOK).same(`{"due":1,"new":2,"introduced_today":3,"cards":[
		{"card":` + strings.ReplaceAll(casa, `"P"`, `"`+profile+`"`) + `,"previews":[` + strings.Join(previews, ",") + `]}]}`)

	h.cards.loads = []learn.DayLoad{{Day: "2026-03-04", Due: 3}, {Day: "2026-03-05"}}
	h.as(access, "GET", "/reviews/forecast?days=2", nil).want(http.StatusOK).same(`[{"day":"2026-03-04","due":3},{"day":"2026-03-05","due":0}]`)
	stats := func(more string) string {
		return `{"days":30,"reviews":0,"again":0,"hard":0,"good":0,"easy":0,"retention":null,"seconds":0,"days_reviewed":0,"new_cards":0,
			"learning_cards":0,"review_cards":0,"suspended_cards":0,"leeches":0,"due_now":0}` + more
	}
	h.as(access, "GET", "/reviews/stats", nil).want(http.StatusOK).same(stats(""))
	h.cards.stats = learn.ReviewStats{Reviews: 10, Ratings: [4]int{1, 2, 3, 4}, Mature: 8, Remembered: 6, Time: 90 * time.Second, Days: 5,
		Cards:     map[learn.CardState]int{learn.CardNew: 1, learn.CardLearning: 2, learn.CardReview: 3, learn.CardRelearning: 4},
		Suspended: 6, Leeches: 7, DueNow: 8}
	h.as(access, "GET", "/reviews/stats?days=7", nil).want(http.StatusOK).same(`{"days":7,"reviews":10,"again":1,"hard":2,"good":3,"easy":4,"retention":0.75,
		"seconds":90,"days_reviewed":5,"new_cards":1,"learning_cards":6,"review_cards":3,"suspended_cards":6,"leeches":7,"due_now":8}`)
	for _, path := range []string{"/reviews/forecast?days=0", "/reviews/stats?days=366"} {
		h.as(access, "GET", path, nil).invalid("days")
	}
	h.as(access, "GET", "/reviews/due?limit=101", nil).invalid("limit")
}
