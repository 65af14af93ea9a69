package gateway

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

const (
	// maxReviews is how many reviews one request may send, and maxReviewsBody how long it may
	// be: what a device has that was offline for months.
	maxReviews               = 10_000
	maxReviewsBody           = 4 << 20
	defaultDue, maxDue       = 20, 100
	defaultDays, maxForecast = 30, 365
)

// reviewRoutes registers reviewing.
func (s *Server) reviewRoutes() {
	profile := parameter{name: "profile_id", about: "Only cards of this profile.", shape: ""}
	days := func(about string) parameter {
		return parameter{name: "days", about: about, shape: defaultDays, min: new(1), max: new(maxForecast)}
	}
	s.handleLearner(operation{
		method: http.MethodGet, path: "/reviews/due", id: "listDueCards", tag: "reviews", class: reading,
		summary: "What is to be reviewed now",
		about: "Each card comes with what each of the four ratings would do to it, so that one review can be made offline. New cards " +
			"come last, and no more of them than the profile allows for a day, on the caller's calendar (10 by default).",
		query: []parameter{profile, {name: "limit", about: "How many at most.", shape: defaultDue, min: new(1), max: new(maxDue)}},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: dueJSON{}}}}},
	}, s.listDueCards)
	s.handleLearner(operation{
		method: http.MethodPost, path: "/reviews", id: "addReviews", tag: "reviews", class: writing, maxBody: maxReviewsBody,
		summary: "Send reviews, one or many",
		about: "Reviews are events: the log is the union of what all devices send, and each card is what its log comes to, in the " +
			"order of times, whenever they arrive. Sending again is repeat-safe by the ids. A review that cannot be is rejected with " +
			"the field's name, and the others count. A time before the card was made, or in the future, is brought to where it can be.",
		takes: []content{{shape: reviewsRequest{}}},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: reviewsJSON{}}}}},
	}, s.addReviews)
	s.handleLearner(operation{
		method: http.MethodPost, path: "/reviews/:id/undo", id: "undoReview", tag: "reviews", class: writing,
		summary: "Take a review back", about: "It does not count any more, wherever it stands among others. Again without effect.",
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: undoneJSON{}}}}},
		fails: []failure{{http.StatusNotFound, "The caller has no such review."}},
	}, s.undoReview)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/reviews/forecast", id: "getReviewForecast", tag: "reviews", class: reading,
		summary: "How many cards come due on the next days", about: "By the caller's time zone, today first. New cards are not counted. " + pollable,
		query: []parameter{profile, days("How many days.")},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: []dayLoadJSON{}}}}, unchanged()},
	}, s.getReviewForecast)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/reviews/stats", id: "getReviewStatistics", tag: "reviews", class: reading,
		summary: "How reviews went, and what cards there are", about: pollable,
		query: []parameter{profile, days("How many of the last days, today with them.")},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: reviewStatsJSON{}}}}, unchanged()},
	}, s.getReviewStatistics)
}

// listDueCards answers GET /reviews/due.
func (s *Server) listDueCards(c echo.Context, who caller) error {
	q := readQuery(c)
	limit := q.integer("limit", defaultDue, 1, maxDue)
	profileID, _ := q.get("profile_id")
	if err := q.err("gateway.listDueCards"); err != nil {
		return err
	}
	if profileID != "" && !saneID(profileID) {
		return c.JSON(http.StatusOK, showDue(learn.DueQueue{}))
	}
	due, err := s.opts.Reviews.DueCards(c.Request().Context(), who.tenantID, who.user.ID, profileID, limit)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, showDue(due))
}

// addReviews answers POST /reviews.
func (s *Server) addReviews(c echo.Context, who caller) error {
	var in reviewsRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	reviews, rejected, err := in.check(time.Now())
	if err != nil {
		return err
	}
	out := reviewsJSON{Results: make([]reviewResultJSON, len(reviews))}
	var right []learn.Review
	var places []int
	for i, r := range reviews {
		out.Results[i] = reviewResultJSON{ID: r.ID, CardID: r.CardID, Outcome: string(learn.ReviewRejected), Errors: rejected[i]}
		if len(rejected[i]) == 0 {
			right, places = append(right, r), append(places, i)
		}
	}
	results, cards, err := s.opts.Reviews.AppendReviews(c.Request().Context(), who.tenantID, who.user.ID, right)
	if err != nil {
		return err
	}
	for n, r := range results {
		out.Results[places[n]] = reviewResultJSON{ID: r.ID, CardID: r.CardID, Outcome: string(r.Outcome), Errors: append([]learn.FieldError{}, r.Faults...)}
	}
	out.Cards = showCards(cards)
	return c.JSON(http.StatusOK, out)
}

// undoReview answers POST /reviews/{id}/undo.
func (s *Server) undoReview(c echo.Context, who caller) error {
	const op = "gateway.undoReview"
	id := c.Param("id")
	if !saneID(id) {
		return learn.Errorf(learn.NotFound, op, "Review not found")
	}
	r, card, err := s.opts.Reviews.UndoReview(c.Request().Context(), who.tenantID, who.user.ID, id, "")
	if err != nil {
		return renamed(err, learn.NotFound, op, "Review not found")
	}
	return c.JSON(http.StatusOK, undoneJSON{ID: r.ID, UndoneAt: r.UndoneAt.UTC(), Card: showCard(card)})
}

// readDays reads the parameters of the forecast and the statistics. A profile that cannot be
// anybody's stays what it is: nothing is of it.
func readDays(c echo.Context, op string) (profileID string, days int, err error) {
	q := readQuery(c)
	days = q.integer("days", defaultDays, 1, maxForecast)
	profileID, _ = q.get("profile_id")
	return profileID, days, q.err(op)
}

// getReviewForecast answers GET /reviews/forecast.
func (s *Server) getReviewForecast(c echo.Context, who caller) error {
	profileID, days, err := readDays(c, "gateway.getReviewForecast")
	if err != nil {
		return err
	}
	loads, err := s.opts.Reviews.Forecast(c.Request().Context(), who.tenantID, who.user.ID, profileID, days)
	if err != nil {
		return err
	}
	out := make([]dayLoadJSON, len(loads))
	for i, l := range loads {
		out[i] = dayLoadJSON{Day: l.Day, Due: l.Due}
	}
	return conditionalJSON(c, out)
}

// getReviewStatistics answers GET /reviews/stats.
func (s *Server) getReviewStatistics(c echo.Context, who caller) error {
	profileID, days, err := readDays(c, "gateway.getReviewStatistics")
	if err != nil {
		return err
	}
	st, err := s.opts.Reviews.ReviewStatistics(c.Request().Context(), who.tenantID, who.user.ID, profileID, days)
	if err != nil {
		return err
	}
	return conditionalJSON(c, showReviewStats(st, days))
}
