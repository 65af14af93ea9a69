package gateway

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// A phone that asks again is told in a word that nothing changed, for every route that it polls.
func TestNothingChanged(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	id := h.held(access)
	profile := h.store.conversations[id].ProfileID
	for _, path := range []string{
		"/users/profiles", "/users/profiles/" + profile, "/users/stats", "/conversations/sessions",
		"/conversations/sessions?limit=1", "/conversations/sessions/" + id, "/conversations/sessions/" + id + "/messages",
	} {
		first := h.as(access, "GET", path, nil).want(http.StatusOK)
		tag := first.header.Get("ETag")
		if !strings.HasPrefix(tag, `W/"`) || first.header.Get("Cache-Control") != "private, no-cache" ||
			!slices.Contains(first.header.Values("Vary"), "Authorization") {
			t.Fatalf("%s: headers %v", path, first.header)
		}
		for _, given := range []string{tag, strings.TrimPrefix(tag, "W/"), `"other", ` + tag, "*"} {
			again := h.as(access, "GET", "/api"+path, nil, "If-None-Match", given).want(http.StatusNotModified)
			if len(again.body) != 0 || again.header.Get("ETag") != tag {
				t.Errorf("%s with %s: %s, %v", path, given, again.body, again.header)
			}
		}
		if other := h.as(access, "GET", path, nil, "If-None-Match", `"other"`).want(http.StatusOK); string(other.body) != string(first.body) {
			t.Errorf("%s: %s, before %s", path, other.body, first.body)
		}
	}
}

// What has changed is sent, and what belongs to somebody else is not even compared.
func TestSomethingChanged(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	bo, _ := h.account("bo@example.org")
	path := "/conversations/sessions/" + h.held(access)
	tag := h.as(access, "GET", path, nil).want(http.StatusOK).header.Get("ETag")
	h.as(access, "POST", path+"/end", nil).want(http.StatusOK)
	if now := h.as(access, "GET", path, nil, "If-None-Match", tag).want(http.StatusOK).header.Get("ETag"); now == tag {
		t.Error("an ended session has the tag of an active one")
	}
	h.as(bo, "GET", path, nil, "If-None-Match", "*").refusal(http.StatusNotFound, "not_found")
	h.do("GET", path, nil, "If-None-Match", "*").refusal(http.StatusUnauthorized, "unauthorized")
}
