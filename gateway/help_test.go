package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"

	"kalami/providers"
	"kalami/session"
	"kalami/session/learn"
)

// helpHouse is a house with a learner in whose session something was said.
func helpHouse(t *testing.T) (h *house, f *fakeHelp, access, id string) {
	f = &fakeHelp{}
	h = newHouse(t, func(o *Options) { o.Help = f })
	access, _ = h.account("ana@example.org")
	return h, f, access, h.held(access)
}

func TestHintRoute(t *testing.T) {
	h, f, access, id := helpHouse(t)
	f.hint = session.Hint{Text: "Say with whom: “con mi…”", Language: "en"}
	path := "/conversations/sessions/" + id + "/hint"
	same(t, h.as(access, "POST", path, nil).want(http.StatusOK).json(), map[string]any{"text": "Say with whom: “con mi…”", "language": "en"})
	f.err = &learn.Error{Kind: learn.Conflict, Msg: "Session has ended", Err: session.ErrEnded}
	if e := h.as(access, "POST", path, nil).refusal(http.StatusBadRequest, "session_ended"); e.Detail != "Session has ended" {
		t.Errorf("detail %q", e.Detail)
	}
	f.err = learn.Errorf(learn.Unavailable, "x", "Nobody can answer that at the moment, try again shortly")
	h.as(access, "POST", path, nil).refusal(http.StatusServiceUnavailable, "unavailable")
	eve, _ := h.account("eve@example.org")
	f.err = nil
	h.as(eve, "POST", path, nil).refusal(http.StatusNotFound, "not_found")
	if !slices.Equal(f.asked, []string{"es: hint", "es: hint", "es: hint"}) {
		t.Errorf("asked %q", f.asked)
	}
}

func TestTranslateRoute(t *testing.T) {
	h, f, access, id := helpHouse(t)
	f.translation = session.Translation{Source: "¿Con quién?", Text: "With whom?", Language: "en", ItemID: "it_3"}
	path := "/conversations/sessions/" + id + "/translate"
	want := map[string]any{"source": "¿Con quién?", "text": "With whom?", "language": "en", "message_id": nil}
	same(t, h.as(access, "POST", path, `{"text":" ¿Con quién? "}`).want(http.StatusOK).json(), want)
	want["message_id"] = "m-3"
	same(t, h.as(access, "POST", path, `{"message_id":"m-3"}`).want(http.StatusOK).json(), want)
	long, err := json.Marshal(map[string]string{"text": string(make([]rune, 1001))})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{}`, `{"text":" "}`, `{"text":"a\u0000b"}`, string(long), `{"text":7}`} {
		h.as(access, "POST", path, body).invalid("text")
	}
	h.as(access, "POST", path, `{"text":"a","message_id":"m-3"}`).invalid("message_id", "text")
	h.as(access, "POST", path, `{"message_id":"../m"}`).refusal(http.StatusNotFound, "not_found")
	f.err = &learn.Error{Kind: learn.Invalid, Msg: "message_id: must have 1 to 1000 characters", Fields: []learn.FieldError{{Field: "message_id", Message: "must have 1 to 1000 characters"}}}
	h.as(access, "POST", path, `{"message_id":"m-3"}`).invalid("message_id")
	if !slices.Equal(f.asked, []string{`es: translate "" "¿Con quién?"`, `es: translate "m-3" ""`, `es: translate "m-3" ""`}) {
		t.Errorf("asked %q", f.asked)
	}
}

func TestRepeatRoute(t *testing.T) {
	h, f, access, id := helpHouse(t)
	f.clip = []byte("an MP3")
	path := "/conversations/sessions/" + id + "/repeat"
	for _, body := range []any{nil, `{}`, `{"slow":true}`, `{"slow":false}`} {
		r := h.as(access, "POST", path, body).want(http.StatusOK)
		if string(r.body) != "an MP3" || r.header.Get("Content-Type") != "audio/mpeg" {
			t.Errorf("%v: %q, %q", body, r.body, r.header.Get("Content-Type"))
		}
	}
	h.as(access, "POST", path, `{"slow":"very"}`).invalid("slow")
	f.err = learn.Errorf(learn.NotFound, "x", "The tutor has said nothing yet")
	h.as(access, "POST", path, nil).refusal(http.StatusNotFound, "not_found")
	f.err = &providers.Error{Kind: providers.Unavailable, Vendor: "fake", Op: "speak", Err: errors.New("away")}
	h.as(access, "POST", path, nil).refusal(http.StatusServiceUnavailable, "unavailable")
	if !slices.Equal(f.asked, []string{"es: repeat true", "es: repeat true", "es: repeat true", "es: repeat false", "es: repeat true", "es: repeat true"}) {
		t.Errorf("asked %q", f.asked)
	}
}
