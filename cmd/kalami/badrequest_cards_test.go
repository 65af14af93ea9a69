package main

import (
	"net/http"
	"strings"
	"testing"
)

// giveCards makes what the rows of cards and reviews speak of.
func (p *people) giveCards(t *testing.T) {
	t.Helper()
	var turn struct {
		UserMessageID string `json:"user_message_id"`
	}
	p.send(t, attempt{method: http.MethodPost, path: "/conversations/sessions/" + p.names["$session"] + "/text", token: p.ana, contentType: "application/json",
		body: `{"text":"Hola, yo fue al mercado.","generate_audio":false}`}).has(t, http.StatusOK).read(t, &turn)
	p.names["$utterance"] = turn.UserMessageID
	card := func(back string) string {
		return p.make(t, "/vocabulary", `{"profile_id":"`+p.names["$profile"]+`","front":"x","back":"`+back+`"}`)
	}
	p.names["$card"], p.names["$discard"], p.names["$review"] = card("la casa"), card("el perro"), "review-of-ana"
	p.names["$gone"] = card("el gato")
	p.send(t, attempt{method: http.MethodDelete, path: "/vocabulary/" + p.names["$gone"], token: p.ana}).has(t, http.StatusNoContent)
	p.send(t, attempt{method: http.MethodPost, path: "/reviews", token: p.ana, contentType: "application/json",
		body: `{"reviews":[{"id":"review-of-ana","card_id":"` + p.names["$card"] + `","rating":3}]}`}).has(t, http.StatusOK)
}

func cardRows() []operationRow {
	none := expectation{status: http.StatusOK, body: "[]\n"}
	nothing := map[string]expectation{"another's": none, "a deleted profile": none, "an unknown id": none, "a malformed id": none}
	numbers := append(badNumbers(), "0")
	words, truths := []string{"x", "NEW", "%00"}, []string{"yes", "1", "TRUE"}
	created := expectation{status: http.StatusCreated}
	empty := expectation{status: http.StatusOK, body: "\ufeffid,language,kind,front,back,context,tags,level,origin,state,due_at,last_reviewed_at," +
		"stability,difficulty,reps,lapses,scheduled_days,suspended_at,created_at\r\n"}
	noProfile := expectation{status: http.StatusNotFound, detail: "Profile not found"}
	return []operationRow{
		{id: "listCards", path: "/vocabulary", right: http.StatusOK,
			query: "limit=50&offset=0&profile_id=$profile&kind=produce&state=new&origin=manual&level=A1&tag=t&text=x&due=true&suspended=false&leech=false",
			parameters: map[string][]string{"limit": append(numbers, "201"), "offset": append(badNumbers(), "100001"), "kind": words, "state": words,
				"origin": words, "level": words, "due": truths, "suspended": truths, "leech": truths,
				"text": {"\x00", strings.Repeat("x", 501)}, "tag": {strings.Repeat("x", 41)}}, expects: nothing},
		{id: "addCard", path: "/vocabulary", right: http.StatusCreated, required: []string{"profile_id", "front", "back"},
			body:    `{"profile_id":"$profile","id":"card-of-a-row","kind":"speak","front":"tree","back":"el árbol","context":"Un árbol.","tags":["a"],"level":"A1"}`,
			expects: map[string]expectation{"too long profile_id": noProfile, "wrong type of tags []": created},
			faults: []fault{{"kind", "guess", http.StatusUnprocessableEntity, ""}, {"level", "D1", http.StatusUnprocessableEntity, ""},
				{"id", "a b", http.StatusUnprocessableEntity, ""}, {"tags", []string{"a b"}, http.StatusUnprocessableEntity, ""},
				{"back", "\u202e", http.StatusUnprocessableEntity, ""}, {"context", strings.Repeat("é", 1001), http.StatusUnprocessableEntity, ""}}},
		{id: "addCards", path: "/vocabulary/bulk", right: http.StatusOK, required: []string{"profile_id", "cards"},
			body:    `{"profile_id":"$profile","cards":[{"front":"sea","back":"el mar"},{"front":"","back":""},{"front":1}]}`,
			expects: map[string]expectation{"too long profile_id": noProfile}},
		{id: "addCardFromMessage", path: "/vocabulary/from-message", right: http.StatusCreated, required: []string{"message_id", "text"},
			body:    `{"message_id":"$utterance","correction_id":null,"text":"mercado","translation":"market","kind":"produce"}`,
			expects: map[string]expectation{"too long message_id": {status: http.StatusNotFound, detail: "Message not found"}},
			faults: []fault{{"text", "manzana", http.StatusUnprocessableEntity, ""}, {"text", "el mercado mañana", http.StatusUnprocessableEntity, ""},
				{"kind", "guess", http.StatusUnprocessableEntity, ""}}},
		{id: "getCard", path: "/vocabulary/$card", right: http.StatusOK},
		{id: "updateCard", path: "/vocabulary/$card", right: http.StatusOK,
			body:    `{"front":"home","back":"el hogar","context":"En casa.","tags":["a"],"level":"A1","suspended":false}`,
			expects: map[string]expectation{"an unknown field": {status: http.StatusUnprocessableEntity}, "wrong type of tags []": {status: http.StatusOK}},
			faults: []fault{{"back", "el perro", http.StatusConflict, "There is another card with that answer"}, {"stability", 9, http.StatusUnprocessableEntity, ""},
				{"level", "", http.StatusUnprocessableEntity, ""}, {"front", "", http.StatusUnprocessableEntity, ""}}},
		{id: "restoreCard", path: "/vocabulary/$gone/restore", right: http.StatusOK},
		{id: "importCards", path: "/vocabulary/import", right: http.StatusOK, limit: 4 << 20, query: "profile_id=$profile&format=anki_txt",
			file:       "#separator:tab\n#columns:Front\tBack\nbread\tel pan\n",
			parameters: map[string][]string{"profile_id": {""}, "format": {"", "apkg", "revlog", "ANKI_TXT", "\x00"}}},
		{id: "exportCards", path: "/vocabulary/export", right: http.StatusOK, query: "format=csv&profile_id=$profile",
			parameters: map[string][]string{"profile_id": nil, "format": {"", "pdf", "CSV", "\x00"}},
			expects:    map[string]expectation{"another's": empty, "a deleted profile": empty, "an unknown id": empty, "a malformed id": empty}},
		{id: "deleteCard", path: "/vocabulary/$discard", right: http.StatusNoContent},
	}
}

func reviewRows() []operationRow {
	numbers := append(badNumbers(), "0", "366")
	accepted := expectation{status: http.StatusOK}
	anything := map[string]expectation{"another's": accepted, "a deleted profile": accepted, "an unknown id": accepted, "a malformed id": accepted}
	return []operationRow{
		{id: "addReviews", path: "/reviews", right: http.StatusOK, limit: 4 << 20, required: []string{"reviews"},
			body: `{"reviews":[{"id":"a-review","card_id":"$card","rating":3}],"client_now":"2026-03-04T05:06:08Z","device_id":"phone-1"}`,
			// Each review is judged for itself, and the answer says of each what became of it.
			expects: map[string]expectation{"another's": accepted, "an unknown id": accepted, "a malformed id": accepted},
			faults: []fault{{"client_now", "noon", http.StatusUnprocessableEntity, ""}, {"device_id", "a b", http.StatusUnprocessableEntity, ""},
				{"reviews", []any{}, http.StatusUnprocessableEntity, ""}}},
		{id: "undoReview", path: "/reviews/$review/undo", right: http.StatusOK},
		{id: "listDueCards", path: "/reviews/due", query: "limit=20&profile_id=$profile", right: http.StatusOK, expects: anything,
			parameters: map[string][]string{"limit": append(numbers, "101"), "profile_id": nil}},
		{id: "getReviewForecast", path: "/reviews/forecast", query: "days=30&profile_id=$profile", right: http.StatusOK, expects: anything,
			parameters: map[string][]string{"days": numbers, "profile_id": nil}},
		{id: "getReviewStatistics", path: "/reviews/stats", query: "days=30&profile_id=$profile", right: http.StatusOK, expects: anything,
			parameters: map[string][]string{"days": numbers, "profile_id": nil}},
	}
}
