package gateway

import (
	"net/http"
	"strings"
	"testing"

	"kalami/session/learn"
)

// casa is the answer to a card that was just added.
const casa = `{"id":"card-1","profile_id":"P","language":"es","kind":"produce","front":"house","back":"La casa","context":"",
	"tags":["home"],"origin":"manual","level":"A1","source_message_id":null,"source_correction_id":null,"state":"new","stability":0,"difficulty":0,
	"due_at":null,"last_reviewed_at":null,"reps":0,"lapses":0,"scheduled_days":0,"leech":false,"suspended_at":null,
	"times_encountered":0,"times_used_correctly":0,"last_used_at":null,"created_at":"2026-03-04T04:06:07Z","updated_at":"2026-03-04T04:06:07Z"}`

func TestCards(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	profile := h.profileOf(access, "es")
	want := strings.ReplaceAll(casa, `"P"`, `"`+profile+`"`)
	h.as(access, "POST", "/vocabulary", `{"profile_id":"`+profile+`","id":"card-1","front":" house ","back":"La casa","tags":["home"],"level":"a1"}`).
		want(http.StatusCreated).same(`{"id":"card-1","outcome":"created","card":` + want + `}`)
	h.as(access, "POST", "/api/vocabulary", `{"profile_id":"`+profile+`","id":"card-2","front":"the house","back":"¡la casa!"}`).
		want(http.StatusCreated).same(`{"id":"card-1","outcome":"merged","card":` + want + `}`)
	h.as(access, "GET", "/vocabulary/card-1", nil).want(http.StatusOK).same(want)
	h.as(access, "GET", "/vocabulary", nil).want(http.StatusOK).same("[" + want + "]")
	changed := strings.NewReplacer(`"house"`, `"home"`, `"A1"`, `null`, `["home"]`, `["a","b"]`, `"suspended_at":null`, `"suspended_at":"2026-03-04T04:06:07Z"`).Replace(want)
	h.as(access, "PATCH", "/vocabulary/card-1", `{"front":" home ","level":null,"tags":["b","a","b"],"suspended":true}`).want(http.StatusOK).same(changed)
	h.as(access, "PATCH", "/vocabulary/card-1", `{}`).want(http.StatusOK).same(changed)
	if r := h.as(access, "DELETE", "/vocabulary/card-1", nil).want(http.StatusNoContent); len(r.body) != 0 {
		t.Errorf("204 with a body: %s", r.body)
	}
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		if e := h.as(access, method, "/vocabulary/card-1", `{}`).refusal(http.StatusNotFound, "not_found"); e.Detail != "Card not found" {
			t.Errorf("%s: detail %q", method, e.Detail)
		}
	}
	h.as(access, "GET", "/vocabulary", nil).want(http.StatusOK).same("[]")
}

func TestCardFaults(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	profile := h.profileOf(access, "es")
	for body, fields := range map[string][]string{
		`{}`: {"front", "back", "profile_id"},
		`{"profile_id":"p","front":"a","back":"b","kind":"guess","level":"D1","id":"a b","tags":["a b"],"context":"\u0000"}`: {"kind", "level", "id", "tags", "context"},
		`{"profile_id":"p","front":1,"back":"b"}`:                                  {"front"},
		`{"profile_id":"p","front":"a","back":"b","tags":"x"}`:                     {"tags"},
		`{"profile_id":"p","front":"a","back":"b","tags":[1]}`:                     {"tags"},
		`{"profile_id":"p","front":"` + strings.Repeat("é", 501) + `","back":"b"}`: {"front"},
	} {
		h.as(access, "POST", "/vocabulary", body).invalid(fields...)
	}
	h.as(access, "POST", "/vocabulary", `{"profile_id":"a b","front":"a","back":"b"}`).refusal(http.StatusNotFound, "not_found")
	h.as(access, "POST", "/vocabulary", `{"profile_id":"`+profile+`","id":"c","front":"a","back":"b"}`).want(http.StatusCreated)
	for body, fields := range map[string][]string{
		`{"front":null}`:             {"front"},
		`{"back":""}`:                {"back"},
		`{"level":""}`:               {"level"},
		`{"level":"X"}`:              {"level"},
		`{"suspended":null}`:         {"suspended"},
		`{"stability":9,"kind":"x"}`: {"stability", "kind"},
	} {
		h.as(access, "PATCH", "/vocabulary/c", body).invalid(fields...)
	}
	for query, field := range map[string]string{"state=old": "state", "kind=x": "kind", "origin=x": "origin", "level=a1": "level", "due=yes": "due",
		"suspended=1": "suspended", "leech=": "", "limit=201": "limit", "text=%00": "text", "tag=" + strings.Repeat("x", 41): "tag"} {
		if r := h.as(access, "GET", "/vocabulary?"+query, nil); field != "" {
			r.invalid(field)
		} else {
			r.want(http.StatusOK)
		}
	}
	h.as(access, "GET", "/vocabulary?profile_id=p&kind=fix&state=review&origin=import&level=B1&tag=t&text=x&due=true&suspended=false&leech=true&limit=7&offset=3", nil).want(http.StatusOK)
	yes, no := true, false
	f := h.cards.asked
	if f.Due == nil || *f.Due != yes || f.Suspended == nil || *f.Suspended != no || f.Leech == nil || *f.Leech != yes || h.cards.page != [2]int{7, 3} {
		t.Errorf("asked for %+v, %v", f, h.cards.page)
	}
	f.Due, f.Suspended, f.Leech = nil, nil, nil
	if f != (learn.CardFilter{ProfileID: "p", Kind: "fix", State: "review", Origin: "import", Level: "B1", Tag: "t", Text: "x"}) {
		t.Errorf("asked for %+v", f)
	}
}

// One bad card of many is rejected by its place, and the others are added.
func TestManyCards(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	profile := h.profileOf(access, "es")
	h.as(access, "POST", "/vocabulary/bulk", `{"profile_id":"`+profile+`","cards":[{"id":"a","front":"house","back":"casa"},{"front":"","back":"x"},
		{"front":3,"back":"x"},{"id":"b","front":"home","back":"Casa"}]}`).want(http.StatusOK).same(`{"results":[
		{"index":0,"id":"a","outcome":"created","errors":[]},
		{"index":1,"id":null,"outcome":"rejected","errors":[{"field":"front","message":"is required"}]},
		{"index":2,"id":null,"outcome":"rejected","errors":[{"field":"front","message":"must be a string, not a number"}]},
		{"index":3,"id":"a","outcome":"merged","errors":[]}]}`)
	h.as(access, "POST", "/vocabulary/bulk", `{}`).invalid("profile_id", "cards")
	h.as(access, "POST", "/vocabulary/bulk", `{"profile_id":"p","cards":[`+strings.Repeat("{},", 500)+`{}]}`).invalid("cards")
	h.as(access, "POST", "/vocabulary/bulk", `{"profile_id":"p","cards":[{}]}`).refusal(http.StatusNotFound, "not_found")
	h.as(access, "POST", "/vocabulary/bulk", `{"profile_id":"p","cards":{"a":1}}`).invalid("cards")
}

func TestCardFromMessage(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	h.cards.source = learn.CardSource{
		Message:   learn.Message{ID: "m", Speaker: learn.SpeakerLearner, Content: "Hola. Ayer yo fue al market. Adiós."},
		ProfileID: "p", L1Words: []learn.L1Word{{Text: "market", Target: "mercado"}},
		Corrections: []learn.Correction{{ID: "c", Original: "fue", Corrected: "fui", Start: 14, End: 17, Explanation: "First person."}},
	}
	for body, want := range map[string]map[string]any{
		`{"message_id":"m","correction_id":"c"}`: {"kind": "fix", "front": "Ayer yo fue al market.", "back": "Ayer yo fui al market.", "context": "First person.",
			"origin": "correction", "source_correction_id": "c", "source_message_id": "m"},
		`{"message_id":"m","text":"Market"}`:                                            {"kind": "speak", "front": "market", "back": "mercado", "origin": "l1_word", "context": "Ayer yo fue al market."},
		`{"message_id":"m","text":"ayer","translation":"yesterday","kind":"recognise"}`: {"kind": "recognise", "front": "yesterday", "back": "Ayer", "origin": "message"},
		`{"message_id":"m","text":"yo fue"}`:                                            {"front": "Ayer … al market.", "back": "yo fue", "kind": "produce"},
	} {
		card := h.as(access, "POST", "/vocabulary/from-message", body).want(http.StatusCreated).json()["card"].(map[string]any)
		for field, value := range want {
			if card[field] != value {
				t.Errorf("%s: %s is %q, want %q", body, field, card[field], value)
			}
		}
	}
	for body, fields := range map[string][]string{
		`{}`:                 {"message_id", "text"},
		`{"message_id":"m"}`: {"text"},
		`{"message_id":"m","text":"x","correction_id":"c"}`:        {"text"},
		`{"message_id":"m","text":"mañana"}`:                       {"text"},
		`{"message_id":"m","text":"ayer","kind":"x"}`:              {"kind"},
		`{"message_id":"m","text":"ayer","translation":"a\u0000"}`: {"translation"},
	} {
		h.as(access, "POST", "/vocabulary/from-message", body).invalid(fields...)
	}
	for _, body := range []string{`{"message_id":"x","text":"ayer"}`, `{"message_id":"a b","text":"ayer"}`, `{"message_id":"m","correction_id":"x"}`} {
		h.as(access, "POST", "/vocabulary/from-message", body).refusal(http.StatusNotFound, "not_found")
	}
}

func TestCardsOfOthers(t *testing.T) {
	h := newHouse(t)
	ana, _ := h.account("ana@example.org")
	bo, _ := h.account("bo@example.org")
	h.as(ana, "POST", "/vocabulary", `{"profile_id":"`+h.profileOf(ana, "es")+`","id":"hers","front":"a","back":"b"}`).want(http.StatusCreated)
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		h.as(bo, method, "/vocabulary/hers", `{"front":"x"}`).refusal(http.StatusNotFound, "not_found")
		h.as(ana, method, "/vocabulary/a%00b", `{"front":"x"}`).refusal(http.StatusNotFound, "not_found")
	}
	h.as(bo, "GET", "/vocabulary", nil).want(http.StatusOK).same("[]")
	h.as(ana, "GET", "/vocabulary/hers", nil).want(http.StatusOK)
}
