package gateway

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

const (
	defaultCards, maxCards = 50, 200
	// maxBulk is how many cards one request may add.
	maxBulk = 500
)

// cardRoutes registers the learners' cards, which the API calls their vocabulary.
func (s *Server) cardRoutes() {
	missing := failure{http.StatusNotFound, "The caller has no such card."}
	noProfile := failure{http.StatusNotFound, "The caller has no such profile."}
	added := []success{{status: http.StatusCreated, bodies: []content{{shape: addedCardJSON{}}}}}
	one := success{status: http.StatusOK, bodies: []content{{shape: cardJSON{}}}}
	s.handleLearner(operation{
		method: http.MethodGet, path: "/vocabulary", id: "listCards", tag: "vocabulary", class: reading,
		summary: "The caller's cards, newest first", about: "Cards of deleted profiles are left out. " + pollable,
		query: append(pageParameters(defaultCards, maxCards), cardParameters()...),
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: []cardJSON{}}}}, unchanged()},
	}, s.listCards)
	s.handleLearner(operation{
		method: http.MethodPost, path: "/vocabulary", id: "addCard", tag: "vocabulary", class: writing,
		summary: "Add a card", about: sameWord,
		takes: []content{{shape: newCardRequest{}}}, gives: added,
		fails: []failure{noProfile, {http.StatusConflict, "The id is taken."}},
	}, s.addCard)
	s.handleLearner(operation{
		method: http.MethodPost, path: "/vocabulary/bulk", id: "addCards", tag: "vocabulary", class: writing,
		summary: "Add many cards", about: "Up to 500. A card that cannot be is rejected by its place, and the others are added. " + sameWord,
		takes: []content{{shape: cardsRequest{}}},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: cardResultsJSON{}}}}},
		fails: []failure{noProfile, {http.StatusConflict, "An id is taken."}},
	}, s.addCards)
	s.handleLearner(operation{
		method: http.MethodPost, path: "/vocabulary/from-message", id: "addCardFromMessage", tag: "vocabulary", class: writing,
		summary: "Keep a word, a phrase or a correction of a conversation",
		about: "With `correction_id`, the card asks for the right form of what the learner said. With `text`, which has to stand " +
			"in the message, it asks for that; a word that the learner said in their own language becomes the question. " +
			"Without `translation` the analysis of the turn gives one, and else the sentence with a gap is the question. " + sameWord,
		takes: []content{{shape: sourceRequest{}}}, gives: added,
		fails: []failure{{http.StatusNotFound, "The caller has no such message, or the message no such correction."}},
	}, s.addCardFromMessage)
	s.handleLearner(operation{
		method: http.MethodGet, path: "/vocabulary/:id", id: "getCard", tag: "vocabulary", class: reading,
		summary: "One card", about: pollable, gives: []success{one, unchanged()}, fails: []failure{missing},
	}, s.getCard)
	s.handleLearner(operation{
		method: http.MethodPatch, path: "/vocabulary/:id", id: "updateCard", tag: "vocabulary", class: writing,
		summary: "Change or suspend a card",
		about: "Fields that are left out stay. How well it is remembered follows from the reviews and cannot be set: such fields " +
			"are refused with 422 and named, and then nothing is changed.",
		takes: []content{{shape: cardPatch{}}}, gives: []success{one},
		fails: []failure{missing, {http.StatusConflict, "The profile has another card of that kind and answer."}},
	}, s.patchCard)
	s.handleLearner(operation{
		method: http.MethodDelete, path: "/vocabulary/:id", id: "deleteCard", tag: "vocabulary", class: writing,
		summary: "Delete a card", about: "No change and no review brings it back, but restoring does. The word can be added anew.",
		gives: []success{{status: http.StatusNoContent}}, fails: []failure{missing},
	}, s.deleteCard)
	s.handleLearner(operation{
		method: http.MethodPost, path: "/vocabulary/:id/restore", id: "restoreCard", tag: "vocabulary", class: writing,
		summary: "Bring a deleted card back",
		about:   "It comes as it was, with the reviews that came meanwhile. One that is not deleted stays as it is.",
		gives:   []success{one},
		fails:   []failure{missing, {http.StatusConflict, "The word has another card by now."}},
	}, s.restoreCard)
}

// sameWord is what the descriptions of routes that add cards say about repeats.
const sameWord = "Adding is repeat-safe by the card's id. A profile has one card of a kind for each answer, compared without case and " +
	"outer punctuation: another one is merged into it, and the `outcome` says so."

// cardParameters describe what readCardFilter reads.
func cardParameters() []parameter {
	return []parameter{
		{name: "profile_id", about: "Only those of this profile.", shape: ""},
		{name: "kind", about: "Only those of this kind.", shape: "", enum: anyOf(cardKinds())},
		{name: "state", about: "Only those in this state.", shape: "", enum: anyOf(cardStates())},
		{name: "origin", about: "Only those that came from there.", shape: "", enum: anyOf(cardOrigins())},
		{name: "level", about: "Only words of this CEFR level.", shape: "", enum: anyOf(levels())},
		{name: "tag", about: "Only those with this tag.", shape: ""},
		{name: "text", about: "Only those with this text in front or back, in capital or small letters.", shape: ""},
		{name: "due", about: "Only those that are to be reviewed now (or are not), new ones among them.", shape: false},
		{name: "suspended", about: "Only those that are suspended (or are not).", shape: false},
		{name: "leech", about: "Only those that were forgotten too often (or were not).", shape: false},
	}
}

// readCardFilter reads the parameters of a list of cards.
func readCardFilter(q *query) learn.CardFilter {
	f := learn.CardFilter{
		Kind: choice(q, "kind", cardKinds()...), State: choice(q, "state", cardStates()...),
		Origin: choice(q, "origin", cardOrigins()...), Level: choice(q, "level", levels()...),
		Due: q.flag("due"), Suspended: q.flag("suspended"), Leech: q.flag("leech"),
	}
	f.ProfileID, _ = q.get("profile_id")
	f.Tag, _ = q.get("tag")
	f.Text, _ = q.get("text")
	f.Tag, f.Text = q.text("tag", f.Tag, learn.CardTagMost), q.text("text", f.Text, learn.CardTextMost)
	return f
}

// listCards answers GET /vocabulary.
func (s *Server) listCards(c echo.Context, who caller) error {
	q := readQuery(c)
	page := q.page(defaultCards, maxCards)
	f := readCardFilter(q)
	if err := q.err("gateway.listCards"); err != nil {
		return err
	}
	if f.ProfileID != "" && !saneID(f.ProfileID) {
		return conditionalJSON(c, showCards(nil))
	}
	cards, err := s.opts.Cards.ListCards(c.Request().Context(), who.tenantID, who.user.ID, f, page.limit, page.offset)
	if err != nil {
		return err
	}
	return conditionalJSON(c, showCards(cards))
}

// addCard answers POST /vocabulary.
func (s *Server) addCard(c echo.Context, who caller) error {
	const op = "gateway.addCard"
	var in newCardRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	card, f := cardRequest{in.ID, in.Kind, in.Front, in.Back, in.Context, in.Tags, in.Level}.card(in.ProfileID)
	if in.ProfileID == "" {
		f.add("profile_id", "is required")
	}
	if err := f.err(op); err != nil {
		return err
	}
	return s.keepCard(c, who, op, card)
}

// keepCard adds one card and answers with what became of it.
func (s *Server) keepCard(c echo.Context, who caller, op string, card learn.Card) error {
	if !saneID(card.ProfileID) {
		return learn.Errorf(learn.NotFound, op, "Profile not found")
	}
	added, err := s.opts.Cards.AddCards(c.Request().Context(), who.tenantID, who.user.ID, "", []learn.Card{card})
	if err != nil {
		return renamed(err, learn.NotFound, op, "Profile not found")
	}
	if added[0].Outcome == learn.CardCreated {
		s.tellCardAdded(c.Request().Context(), added[0].Card)
	}
	return c.JSON(http.StatusCreated, showAddedCard(added[0]))
}

// addCards answers POST /vocabulary/bulk.
func (s *Server) addCards(c echo.Context, who caller) error {
	const op = "gateway.addCards"
	var in cardsRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	var f faults
	if in.ProfileID == "" {
		f.add("profile_id", "is required")
	}
	if len(in.Cards) < 1 || len(in.Cards) > maxBulk {
		f.add("cards", "must be 1 to %d", maxBulk)
	}
	if err := f.err(op); err != nil {
		return err
	}
	if _, err := s.profile(c, who, in.ProfileID); err != nil {
		return err
	}
	out := cardResultsJSON{Results: make([]cardResultJSON, len(in.Cards))}
	var right []learn.Card
	var places []int
	for i, e := range in.Cards {
		out.Results[i] = cardResultJSON{Index: i, Outcome: "rejected", Errors: e.faults}
		if len(e.faults) > 0 {
			continue
		}
		card, f := e.value.card(in.ProfileID)
		if out.Results[i].Errors = f; len(f) == 0 {
			right, places = append(right, card), append(places, i)
		}
	}
	added, err := s.opts.Cards.AddCards(c.Request().Context(), who.tenantID, who.user.ID, "", right)
	if err != nil {
		return renamed(err, learn.NotFound, op, "Profile not found")
	}
	for n, a := range added {
		out.Results[places[n]] = cardResultJSON{Index: places[n], ID: &a.Card.ID, Outcome: string(a.Outcome), Errors: []learn.FieldError{}}
	}
	return c.JSON(http.StatusOK, out)
}

// addCardFromMessage answers POST /vocabulary/from-message.
func (s *Server) addCardFromMessage(c echo.Context, who caller) error {
	const op = "gateway.addCardFromMessage"
	var in sourceRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	var f faults
	if in.MessageID == "" {
		f.add("message_id", "is required")
	}
	text, translation := f.text("text", in.Text.value, learn.CardTextMost), f.text("translation", in.Translation.value, learn.CardTextMost)
	if (text == "") == (in.CorrectionID.value == "") {
		f.add("text", "either this or correction_id is required")
	}
	kind := learn.CardKind(in.Kind.value)
	if kind != "" && !kind.Valid() {
		f.add("kind", "must be one of %s", words(cardKinds()))
	}
	if err := f.err(op); err != nil {
		return err
	}
	if !saneID(in.MessageID) {
		return learn.Errorf(learn.NotFound, op, "Message not found")
	}
	source, err := s.opts.Cards.CardSource(c.Request().Context(), who.tenantID, who.user.ID, in.MessageID)
	if err != nil {
		return renamed(err, learn.NotFound, op, "Message not found")
	}
	card, ok := source.TextCard(text, translation)
	switch {
	case in.CorrectionID.value != "":
		if card, ok = source.CorrectionCard(in.CorrectionID.value); !ok {
			return learn.Errorf(learn.NotFound, op, "Correction not found")
		}
	case !ok:
		f.add("text", "must stand in the message, with something around it or a translation")
	}
	if kind != "" {
		card.Kind = kind
	}
	if ok {
		f = append(f, card.Check()...)
	}
	if err := f.err(op); err != nil {
		return err
	}
	return s.keepCard(c, who, op, card)
}

// getCard answers GET /vocabulary/{id}.
func (s *Server) getCard(c echo.Context, who caller) error {
	id, err := cardID(c)
	if err != nil {
		return err
	}
	card, err := s.opts.Cards.Card(c.Request().Context(), who.tenantID, who.user.ID, id)
	if err != nil {
		return noCard(err)
	}
	return conditionalJSON(c, showCard(card))
}

// patchCard answers PATCH /vocabulary/{id}.
func (s *Server) patchCard(c echo.Context, who caller) error {
	var in cardPatch
	if err := decodePatch(c, &in); err != nil {
		return err
	}
	id, err := cardID(c)
	if err != nil {
		return err
	}
	p, err := in.patch(who.tenantID, who.user.ID, id)
	if err != nil {
		return err
	}
	card, err := s.opts.Cards.PatchCard(c.Request().Context(), p)
	if err != nil {
		return noCard(err)
	}
	return c.JSON(http.StatusOK, showCard(card))
}

// deleteCard answers DELETE /vocabulary/{id}.
func (s *Server) deleteCard(c echo.Context, who caller) error {
	id, err := cardID(c)
	if err != nil {
		return err
	}
	if err := s.opts.Cards.DeleteCard(c.Request().Context(), who.tenantID, who.user.ID, id, ""); err != nil {
		return noCard(err)
	}
	return c.NoContent(http.StatusNoContent)
}

// restoreCard answers POST /vocabulary/{id}/restore.
func (s *Server) restoreCard(c echo.Context, who caller) error {
	id, err := cardID(c)
	if err != nil {
		return err
	}
	card, err := s.opts.Cards.RestoreCard(c.Request().Context(), who.tenantID, who.user.ID, id, "")
	if err != nil {
		return noCard(err)
	}
	return c.JSON(http.StatusOK, showCard(card))
}

// cardID is the id in the path; one that cannot be any card's is of none.
func cardID(c echo.Context) (string, error) {
	id := c.Param("id")
	if !saneID(id) {
		return "", learn.Errorf(learn.NotFound, "gateway.cardID", "Card not found")
	}
	return id, nil
}

// noCard gives NotFound the message that the API promises for cards.
func noCard(err error) error { return renamed(err, learn.NotFound, "gateway.card", "Card not found") }
