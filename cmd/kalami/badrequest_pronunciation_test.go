package main

import (
	"net/http"
	"strings"
	"testing"
)

// readAloud has a recording of ana's assessed.
func (p *people) readAloud(t *testing.T) {
	t.Helper()
	var made struct{ ID string }
	p.send(t, attempt{method: http.MethodPost, path: "/pronunciation/assess", token: p.ana, contentType: "application/json",
		body: `{"audio_base64":"` + p.names["$wav"] + `","language":"es"}`}).has(t, http.StatusOK).read(t, &made)
	p.names["$assessment"] = made.ID
}

// pronunciationRows are those of assessments and of what learners agree to. What was said
// in a session that is over can still be assessed.
func pronunciationRows() []operationRow {
	const limit = 25<<20/3*4 + 64<<10
	over := map[string]expectation{"an ended session": {status: http.StatusOK}, "a deleted profile's session": {status: http.StatusOK},
		"too long session_id": {status: http.StatusNotFound}, "an odd form with other fields": {status: http.StatusNotFound}}
	pages := map[string][]string{"limit": append(badNumbers(), "0", "101"), "offset": append(badNumbers(), "100001"), "language": {"klingon"}}
	decisions := map[string][]string{"limit": pages["limit"], "offset": pages["offset"]}
	language := map[string][]string{"language": {"", "klingon"}}
	return []operationRow{
		{id: "assess", path: "/pronunciation/assess", right: http.StatusOK, limit: limit, required: []string{"audio_base64", "language"},
			body: `{"audio_base64":"$wav","format":"wav","language":"es","reference_text":"Hola","session_id":"$session"}`,
			clip: true, beside: "language=es&reference_text=Hola&session_id=", expects: over, faults: []fault{
				{"format", "exe", http.StatusUnprocessableEntity, ""}, {"audio_base64", "AAAA*AAA", http.StatusUnprocessableEntity, ""},
				{"language", "klingon", http.StatusUnprocessableEntity, ""}, {"reference_text", "…", http.StatusUnprocessableEntity, ""},
				{"reference_text", strings.Repeat("é", 1001), http.StatusUnprocessableEntity, ""}}},
		{id: "listAssessments", path: "/pronunciation/assessments", query: "limit=20&offset=0&language=es", right: http.StatusOK, parameters: pages},
		{id: "getAssessment", path: "/pronunciation/assessments/$assessment", right: http.StatusOK},
		{id: "listProblemSounds", path: "/pronunciation/problem-sounds", query: "language=es", right: http.StatusOK, parameters: language},
		{id: "listDrills", path: "/pronunciation/drills", query: "language=es", right: http.StatusOK, parameters: language},
		{id: "listConsents", path: "/me/consents", query: "limit=20&offset=0", right: http.StatusOK, parameters: decisions},
		{id: "decideConsent", path: "/me/consents", right: http.StatusCreated, required: []string{"purpose", "granted", "text_version"},
			body:   `{"purpose":"pronunciation_provider","granted":true,"text_version":"2026-03"}`,
			faults: []fault{{"purpose", "guardian_core", http.StatusUnprocessableEntity, ""}}},
	}
}
