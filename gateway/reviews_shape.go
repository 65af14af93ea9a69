package gateway

import (
	"encoding/json"
	"time"

	"kalami/session/learn"
	"kalami/session/learn/srs"
)

// reviewRequest is one review as a client sends it.
type reviewRequest struct {
	ID         string           `json:"id" required:"true" doc:"Made by the client, so that sending is repeat-safe; 1 to 64 letters, digits, '-', '_' or '.'" example:"5f0c1c1e-0a57-4f0e-9c62-6f7c1b9f3f7a"`
	CardID     string           `json:"card_id" required:"true" doc:"One of the caller's cards" example:"0197b0f4-5a6b-7c8d-9e0f-1a2b3c4d5e6f"`
	Rating     int              `json:"rating" required:"true" doc:"1 again, 2 hard, 3 good, 4 easy" minimum:"1" maximum:"4" example:"3"`
	ReviewedAt optional[string] `json:"reviewed_at" doc:"By the device's clock; now by default" example:"2026-03-04T05:06:07Z"`
	DurationMS optional[int]    `json:"duration_ms" doc:"From the question to the rating" minimum:"0" maximum:"3600000" example:"2500"`
	Mode       optional[string] `json:"mode" doc:"How it was asked: the learner rated their own memory (by default), typed the answer, or said it" enum:"self,typed,spoken" example:"self"`
	Evidence   json.RawMessage  `json:"evidence,omitempty" doc:"An object about what the rating rests on, of at most 2 KiB; kept as it is"`
}

// reviewsRequest is the body of POST /reviews.
type reviewsRequest struct {
	Reviews   []each[reviewRequest] `json:"reviews" required:"true" doc:"1 to 10,000" minItems:"1" maxItems:"10000"`
	ClientNow optional[string]      `json:"client_now" doc:"What the device's clock says as it sends this: times are corrected when it is wrong by more than two minutes" example:"2026-03-04T05:06:08Z"`
	DeviceID  optional[string]      `json:"device_id" doc:"What the client calls its device; 1 to 64 letters, digits, '-', '_' or '.'" example:"phone-1"`
}

// check returns the reviews, with the faults of those that are rejected, in their order.
func (in reviewsRequest) check(now time.Time) ([]learn.Review, []faults, error) {
	var f faults
	if len(in.Reviews) < 1 || len(in.Reviews) > maxReviews {
		f.add("reviews", "must be 1 to %d", maxReviews)
	}
	if in.DeviceID.set && !in.DeviceID.null && !saneID(in.DeviceID.value) {
		f.add("device_id", "must be 1 to 64 letters, digits, '-', '_' or '.'")
	}
	clientNow := f.instant("client_now", in.ClientNow)
	skew := srs.Skew(clientNow, now)
	reviews, rejected := make([]learn.Review, len(in.Reviews)), make([]faults, len(in.Reviews))
	for i, e := range in.Reviews {
		reviews[i], rejected[i] = e.value.review(skew)
		reviews[i].DeviceID = in.DeviceID.value
		if len(e.faults) > 0 {
			rejected[i] = e.faults
		}
	}
	return reviews, rejected, f.err("gateway.postReviews")
}

// review returns one review, with what is wrong with it.
func (in reviewRequest) review(skew time.Duration) (learn.Review, faults) {
	var f faults
	r := learn.Review{ID: in.ID, CardID: in.CardID, Rating: learn.Rating(in.Rating), Mode: learn.ReviewSelf,
		Duration: time.Duration(min(max(in.DurationMS.value, -1), 1<<30)) * time.Millisecond}
	if in.Mode.set && !in.Mode.null {
		r.Mode = learn.ReviewMode(in.Mode.value)
	}
	if r.RawAt = f.instant("reviewed_at", in.ReviewedAt); !r.RawAt.IsZero() {
		r.At = r.RawAt.Add(-skew)
	}
	if string(in.Evidence) != "null" {
		r.Evidence = in.Evidence
	}
	f = append(f, r.Check()...)
	if r.ID != "" && len(r.ID) <= learn.ReviewIDMost && !saneID(r.ID) {
		f.add("id", "must be 1 to 64 letters, digits, '-', '_' or '.'")
	}
	if r.Mode == learn.ReviewInConversation { // what the tutor credits is not for clients to claim
		f.add("mode", "must be one of self, typed, spoken")
	}
	return r, f
}

// instant reads a time; zero when it is not there.
func (f *faults) instant(field string, in optional[string]) time.Time {
	if !in.set || in.null {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, in.value)
	if err != nil || t.Year() < 1970 || t.Year() > 9000 {
		f.add(field, "must be a time as in RFC 3339, such as 2026-03-04T05:06:07Z")
		return time.Time{}
	}
	return t.UTC()
}

// reviewResultJSON is what became of one review.
type reviewResultJSON struct {
	ID      string             `json:"id" example:"5f0c1c1e-0a57-4f0e-9c62-6f7c1b9f3f7a"`
	CardID  string             `json:"card_id" doc:"The card that it is of" example:"0197b0f4-5a6b-7c8d-9e0f-1a2b3c4d5e6f"`
	Outcome string             `json:"outcome" doc:"repeated: the id was in the log already, and nothing was changed; rejected: errors says why" enum:"applied,repeated,rejected" example:"applied"`
	Errors  []learn.FieldError `json:"errors" doc:"What is wrong with it; empty unless it was rejected"`
}

// reviewsJSON answers POST /reviews.
type reviewsJSON struct {
	Results []reviewResultJSON `json:"results" doc:"One for each review, in their order"`
	Cards   []cardJSON         `json:"cards" doc:"Those that were reviewed, as they are now"`
}

// undoneJSON answers POST /reviews/{id}/undo.
type undoneJSON struct {
	ID       string    `json:"id" example:"5f0c1c1e-0a57-4f0e-9c62-6f7c1b9f3f7a"`
	UndoneAt time.Time `json:"undone_at" doc:"When it was taken back for the first time" example:"2026-03-04T05:06:08Z"`
	Card     cardJSON  `json:"card" doc:"As it is without the review"`
}

// previewJSON is what one rating would do to a card.
type previewJSON struct {
	Rating          int       `json:"rating" doc:"1 again, 2 hard, 3 good, 4 easy" example:"3"`
	DueAt           time.Time `json:"due_at" doc:"When it would be asked again" example:"2026-03-20T05:06:07Z"`
	IntervalSeconds int64     `json:"interval_seconds" doc:"From now until then" example:"1382400"`
	State           string    `json:"state" doc:"As it would be" enum:"learning,review,relearning" example:"review"`
	Stability       float64   `json:"stability" doc:"As it would be" example:"15.7"`
	Difficulty      float64   `json:"difficulty" doc:"As it would be" example:"3.2"`
}

// dueCardJSON is a card to be reviewed now.
type dueCardJSON struct {
	Card     cardJSON      `json:"card" doc:"The card"`
	Previews []previewJSON `json:"previews" doc:"Four, in the order of the ratings"`
}

// dueJSON answers GET /reviews/due.
type dueJSON struct {
	Due             int           `json:"due" doc:"How many cards are due, also beyond the limit, without new ones" example:"12"`
	New             int           `json:"new" doc:"How many new cards the day still allows" example:"10"`
	IntroducedToday int           `json:"introduced_today" doc:"How many were first reviewed today" example:"0"`
	Cards           []dueCardJSON `json:"cards" doc:"Those that are due, the longest waiting first, then new ones"`
}

func showDue(q learn.DueQueue) dueJSON {
	out := dueJSON{Due: q.Due, New: q.New, IntroducedToday: q.IntroducedToday, Cards: make([]dueCardJSON, len(q.Cards))}
	for i, d := range q.Cards {
		out.Cards[i] = dueCardJSON{Card: showCard(d.Card), Previews: make([]previewJSON, len(d.Previews))}
		for n, p := range d.Previews {
			out.Cards[i].Previews[n] = previewJSON{Rating: int(p.Rating), DueAt: p.DueAt.UTC(), State: string(p.Memory.State),
				IntervalSeconds: int64(p.DueAt.Sub(p.Memory.LastReviewedAt) / time.Second), Stability: p.Memory.Stability, Difficulty: p.Memory.Difficulty}
		}
	}
	return out
}

// dayLoadJSON is one day of the forecast.
type dayLoadJSON struct {
	Day string `json:"day" doc:"The caller's local day" example:"2026-03-05"`
	Due int    `json:"due" doc:"How many cards come due on it; on the first, with all that are due already" example:"12"`
}

// reviewStatsJSON answers GET /reviews/stats.
type reviewStatsJSON struct {
	Days         int      `json:"days" doc:"How many days it is about, today with them" example:"30"`
	Reviews      int      `json:"reviews" doc:"Without those that were undone" example:"120"`
	Again        int      `json:"again" doc:"Reviews rated so" example:"9"`
	Hard         int      `json:"hard" doc:"Reviews rated so" example:"14"`
	Good         int      `json:"good" doc:"Reviews rated so" example:"80"`
	Easy         int      `json:"easy" doc:"Reviews rated so" example:"17"`
	Retention    *float64 `json:"retention" doc:"Of the reviews of cards in review, the share that was not again, 0 to 1; uses in conversation are not among them. null without any" example:"0.91"`
	Seconds      int      `json:"seconds" doc:"Time spent, where the client told" example:"640"`
	DaysReviewed int      `json:"days_reviewed" doc:"Days on which there was a review" example:"21"`
	NewCards     int      `json:"new_cards" doc:"Cards never reviewed" example:"30"`
	Learning     int      `json:"learning_cards" doc:"Cards being learned, also again after a lapse" example:"6"`
	ReviewCards  int      `json:"review_cards" doc:"Cards in review" example:"140"`
	Suspended    int      `json:"suspended_cards" doc:"Of all of them, those that are not asked" example:"2"`
	Leeches      int      `json:"leeches" doc:"Of all of them, those that were forgotten too often" example:"1"`
	DueNow       int      `json:"due_now" doc:"Cards to be reviewed now, without new ones" example:"12"`
}

func showReviewStats(st learn.ReviewStats, days int) reviewStatsJSON {
	out := reviewStatsJSON{
		Days: days, Reviews: st.Reviews, Again: st.Ratings[0], Hard: st.Ratings[1], Good: st.Ratings[2], Easy: st.Ratings[3],
		Seconds: int(st.Time / time.Second), DaysReviewed: st.Days, NewCards: st.Cards[learn.CardNew],
		Learning: st.Cards[learn.CardLearning] + st.Cards[learn.CardRelearning], ReviewCards: st.Cards[learn.CardReview],
		Suspended: st.Suspended, Leeches: st.Leeches, DueNow: st.DueNow,
	}
	if st.Mature > 0 {
		share := float64(st.Remembered) / float64(st.Mature)
		out.Retention = &share
	}
	return out
}
