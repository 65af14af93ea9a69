package gateway

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"kalami/session/learn"
)

// A learner reads what was corrected, and says what they think of it; somebody else cannot.
func TestJudgeCorrections(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	id := h.held(access)
	want := map[string]any{
		"id": "c-1", "session_id": id, "message_id": "m-2", "original": "yo fue", "corrected": "yo fui", "start": 5.0, "end": 11.0,
		"category": "verb_form", "severity": "major", "explanation": "First person: fui.", "explanation_language": "en",
		"status": "shown", "created_at": "2026-03-04T05:07:12Z",
	}
	list := "/conversations/sessions/" + id + "/corrections"
	same(t, h.as(access, "GET", list, nil).want(http.StatusOK).objects(), []map[string]any{want})
	same(t, h.as(access, "GET", list+"?offset=1", nil).want(http.StatusOK).objects(), []map[string]any{})
	for _, to := range []string{"disputed", "confirmed", "hidden"} {
		now := maps.Clone(want)
		now["status"] = to
		same(t, h.as(access, "PATCH", "/corrections/c-1", `{"status":"`+to+`"}`).want(http.StatusOK).json(), now)
	}
	same(t, h.as(access, "GET", list, nil).want(http.StatusOK).objects(), []map[string]any{})
	for _, body := range []string{`{}`, `{"status":"shown"}`, `{"status":"withheld"}`, `{"status":null}`, `{"status":3}`} {
		h.as(access, "PATCH", "/corrections/c-1", body).invalid("status")
	}
	h.as(access, "PATCH", "/corrections/c-1", `{"status":"disputed","original":"x"}`).invalid("original")
	for query, fields := range map[string][]string{"?limit=0": {"limit"}, "?limit=501": {"limit"}, "?offset=-1": {"offset"}} {
		h.as(access, "GET", list+query, nil).invalid(fields...)
	}
	eve, _ := h.account("eve@example.org")
	h.as(eve, "GET", list, nil).refusal(http.StatusNotFound, "not_found")
	h.as(eve, "PATCH", "/corrections/c-1", `{"status":"disputed"}`).refusal(http.StatusNotFound, "not_found")
	h.as(access, "PATCH", "/corrections/nothing", `{"status":"disputed"}`).refusal(http.StatusNotFound, "not_found")
}

// "That is not what I said": the message reads otherwise and keeps what was understood first,
// and the session that is live in the conversation is told, here or by a notice.
func TestEditMessage(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	id := h.held(access)
	seat, err := h.server.live.take("somebody")
	if err != nil {
		t.Fatal(err)
	}
	defer seat.leave()
	seat.claim(id, 1)

	path := "/conversations/messages/m-2"
	got := h.as(access, "PATCH", path, `{"text":" Ayer yo fui al cine. "}`).want(http.StatusOK).json()
	same(t, got, map[string]any{
		"id": "m-2", "role": "user", "content": "Ayer yo fui al cine.", "created_at": "2026-03-04T05:07:09.123456Z",
		"content_text": "Ayer yo fui al cine.", "timestamp": "2026-03-04T05:07:09.123456Z", "session_id": id, "audio_url": nil,
		"grammar_corrections": []any{}, "pronunciation_feedback": nil, "seq": 2.0, "heard_text": "Ayer yo fui al cine.",
		"interrupted": false, "source": "text", "original_text": "Ayer yo fue 🎬 al cine.",
	})
	edit := learn.TranscriptEdit{ConversationID: id, Text: "Ayer yo fui al cine."}
	if told := <-seat.edits; told != edit {
		t.Errorf("the session was told %+v", told)
	}
	payload, err := json.Marshal(edit)
	if err != nil {
		t.Fatal(err)
	}
	h.server.heedEdited(string(payload))
	if told := <-seat.edits; told != edit {
		t.Errorf("by a notice the session was told %+v", told)
	}
	h.server.heedEdited("no JSON")
	for range 2 * editsWaiting { // nobody takes them, and nobody waits
		h.server.heedEdited(string(payload))
	}
	if len(seat.edits) != editsWaiting {
		t.Errorf("%d edits wait", len(seat.edits))
	}

	for _, body := range []string{`{}`, `{"text":" "}`, `{"text":"` + strings.Repeat("ñ", 4001) + `"}`, `{"text":"a\u0000"}`, `{"text":4}`} {
		h.as(access, "PATCH", path, body).invalid("text")
	}
	eve, _ := h.account("eve@example.org")
	h.as(eve, "PATCH", path, `{"text":"x"}`).refusal(http.StatusNotFound, "not_found")
	for _, other := range []string{"m-1", "nothing"} {
		h.as(access, "PATCH", "/conversations/messages/"+other, `{"text":"x"}`).refusal(http.StatusNotFound, "not_found")
	}
}
