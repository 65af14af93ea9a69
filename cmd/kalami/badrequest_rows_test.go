package main

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// operationRow is a right call of one operation, which the misuses spoil, and what it
// answers where that differs from the usual.
type operationRow struct {
	id       string // operationId
	open     bool   // no token is needed
	as       string // who calls, of people's others; ana when empty
	path     string // with names of people's things, such as $profile
	query    string // with every parameter that the operation has
	body     string // JSON with every field
	form     string // url-encoded, with every field
	file     string // a text that is the whole body
	right    int    // what the right call is answered
	once     bool   // the right call works once, so it comes before the wrong ones
	required []string
	certain  []string // fields that a strange value of could be accepted, and end what the row needs
	clip     bool     // a recording may be sent as a form as well
	beside   string   // fields that belong into that form, url-encoded; language may when empty
	limit    int      // of the body, in bytes; 0 is a MiB
	// parameters are values that those of the query cannot have.
	parameters map[string][]string
	faults     []fault
	// expects is by the misuse's name, with or without the attempt's.
	expects map[string]expectation
}

// fault is a value that a field cannot have, and what it is answered; a 422 names it.
type fault struct {
	field  string
	value  any
	status int
	detail string
}

// expectation is the status of an answer, and its detail or its whole body where that is
// promised.
type expectation struct {
	status       int
	detail, body string
}

func (r operationRow) longest() int {
	if r.limit != 0 {
		return r.limit
	}
	return 1 << 20
}

func (r operationRow) hasQuery(name string) bool {
	values, err := url.ParseQuery(r.query)
	return err == nil && values.Has(name)
}

// fieldsOf lists the fields that the row sends in a body of this type.
func (r operationRow) fieldsOf(t *testing.T, mediaType string) []string {
	t.Helper()
	switch mediaType {
	case "application/json":
		var body map[string]any
		if err := json.Unmarshal([]byte(r.body), &body); err != nil {
			t.Errorf("the row has no JSON body: %v", err)
		}
		return sortedKeys(body)
	case "multipart/form-data":
		if r.clip {
			beside, err := url.ParseQuery(cmp.Or(r.beside, "language=es"))
			if err != nil {
				t.Error(err)
			}
			return append([]string{"audio"}, sortedKeys(beside)...)
		}
		fallthrough
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(r.form)
		if err != nil {
			t.Error(err)
		}
		return sortedKeys(form)
	}
	if r.file == "" {
		t.Errorf("no row can send %s", mediaType)
	}
	return nil
}

// badNumbers are no whole numbers of 1 and more.
func badNumbers() []string {
	return []string{"-1", "x", "1.5", "1e9", "99999999999999999999", "0x10", "%", "\x00"}
}

// operationRows has one for each operation; the last ones delete what others need.
func operationRows() []operationRow {
	var rows []operationRow
	for _, of := range [][]operationRow{houseRows(), accountRows(), profileRows(), conversationRows(), scenarioRows(), syncRows(), cardRows(), reviewRows(), memoryRows(), progressRows(), clipRows(), helpRows(), speechRows(), pronunciationRows(), lastRows()} {
		rows = append(rows, of...)
	}
	return rows
}

func houseRows() []operationRow {
	get := func(id, path string) operationRow {
		return operationRow{id: id, open: true, path: path, right: http.StatusOK}
	}
	return []operationRow{
		get("getRoot", "/"), get("getHealth", "/health"), get("getLiveness", "/livez"), get("getReadiness", "/readyz"), get("getStartup", "/startupz"),
		get("listLanguages", "/languages"), get("getOpenAPI", "/openapi.json"), get("getOpenAPI30", "/openapi-3.0.json"), get("getAsyncAPI", "/asyncapi.json"),
		get("showOutbox", "/debug/outbox"), get("listOutbox", "/debug/outbox.json"),
	}
}

func accountRows() []operationRow {
	return []operationRow{
		{id: "register", open: true, path: "/auth/register", right: http.StatusCreated, once: true,
			body:     `{"email":"carla@example.org","password":"correct horse battery","native_language":"en","name":"Carla"}`,
			required: []string{"email", "password"}, faults: []fault{
				{"email", "carla@example.org", http.StatusBadRequest, "Email already registered"},
				{"email", "CARLA@EXAMPLE.ORG", http.StatusBadRequest, "Email already registered"},
				{"email", "carla", http.StatusUnprocessableEntity, ""}, {"email", "a@b", http.StatusUnprocessableEntity, ""},
				{"email", "Carla <carla2@example.org>", http.StatusUnprocessableEntity, ""},
				{"password", "short", http.StatusUnprocessableEntity, ""}, {"native_language", "klingon", http.StatusUnprocessableEntity, ""}}},
		{id: "login", open: true, path: "/auth/login", right: http.StatusOK, form: "username=$email&password=$password&device_id=phone-1", required: []string{"username", "password"},
			faults: []fault{
				{"password", "wrong", http.StatusUnauthorized, "Invalid email or password"},
				{"password", strings.Repeat("x", 100_000), http.StatusUnauthorized, "Invalid email or password"},
				{"username", "nobody@example.org", http.StatusUnauthorized, "Invalid email or password"},
				{"username", "\x00", http.StatusUnauthorized, "Invalid email or password"},
				{"device_id", strings.Repeat("x", 65), http.StatusUnprocessableEntity, ""}}},
		{id: "enterAsGuest", open: true, path: "/auth/guest", right: http.StatusOK, body: `{"native_language":"en","name":"Guest"}`,
			expects: map[string]expectation{"a malformed body nothing": {status: http.StatusOK}}},
		{id: "getMe", path: "/auth/me", right: http.StatusOK},
		{id: "updateMe", path: "/auth/me", right: http.StatusOK, body: `{"name":"Ana","native_language":"pt","timezone":"Asia/Tokyo","ui_locale":"pt-BR"}`,
			expects: map[string]expectation{"an unknown field": {status: http.StatusUnprocessableEntity}}},
		{id: "refresh", open: true, path: "/auth/refresh", right: http.StatusOK, body: `{"refresh_token":"$refresh"}`, required: []string{"refresh_token"},
			expects: map[string]expectation{"too long": {status: http.StatusUnauthorized}}},
		{id: "logout", open: true, path: "/auth/logout", right: http.StatusNoContent, body: `{"refresh_token":"$refresh"}`, required: []string{"refresh_token"},
			expects: map[string]expectation{"too long": {status: http.StatusNoContent}}},
		{id: "changePassword", as: "dora", path: "/auth/password/change", right: http.StatusOK,
			body: `{"current_password":"$password","new_password":"another good one"}`, required: []string{"current_password", "new_password"},
			certain: []string{"new_password"},
			expects: map[string]expectation{"too long current_password": {status: http.StatusForbidden, detail: "The password is wrong"}}},
		{id: "forgotPassword", open: true, path: "/auth/password/forgot", right: http.StatusAccepted, body: `{"email":"$email"}`, required: []string{"email"}},
		{id: "resetPassword", open: true, path: "/auth/password/reset", right: http.StatusNoContent, once: true,
			body: `{"token":"$reset","new_password":"another good one"}`, required: []string{"token", "new_password"},
			expects: map[string]expectation{"too long token": {status: http.StatusBadRequest}}},
		{id: "verifyEmail", open: true, path: "/auth/email/verify", right: http.StatusOK, once: true, body: `{"token":"$verify"}`, required: []string{"token"},
			expects: map[string]expectation{"too long token": {status: http.StatusBadRequest}}},
		{id: "resendVerification", open: true, path: "/auth/email/resend", right: http.StatusAccepted, body: `{"email":"$email"}`, required: []string{"email"}},
		{id: "logoutEverywhere", as: "eva", path: "/auth/logout-all", right: http.StatusNoContent},
		{id: "deleteMe", as: "fay", path: "/auth/me", right: http.StatusNoContent, body: `{"password":"$password"}`, required: []string{"password"},
			expects: map[string]expectation{"too long": {status: http.StatusForbidden, detail: "The password is wrong"}}},
	}
}

func profileRows() []operationRow {
	return []operationRow{
		{id: "listProfiles", path: "/users/profiles", right: http.StatusOK},
		{id: "createProfile", path: "/users/profiles", right: http.StatusCreated, once: true,
			body:     `{"target_language":"fr","cefr_level":"A2","correction_mode":"flow","patience_ms":1500,"speech_rate":0.9,"voice_id":"v1","auto_cards":false}`,
			required: []string{"target_language"}, faults: []fault{
				{"target_language", "xx", http.StatusUnprocessableEntity, ""},
				{"target_language", "fr", http.StatusBadRequest, "Profile for fr already exists"},
				{"cefr_level", "D1", http.StatusUnprocessableEntity, ""}, {"correction_mode", "harsh", http.StatusUnprocessableEntity, ""},
				{"patience_ms", 799, http.StatusUnprocessableEntity, ""}, {"speech_rate", 1.51, http.StatusUnprocessableEntity, ""}}},
		{id: "getProfile", path: "/users/profiles/$profile", right: http.StatusOK},
		{id: "updateProfile", path: "/users/profiles/$profile", right: http.StatusOK,
			body: `{"cefr_level":"B2","correction_mode":"strict","patience_ms":1500,"speech_rate":0.9,"voice_id":"v1","auto_cards":false}`,
			expects: map[string]expectation{
				"an unknown field":    {status: http.StatusUnprocessableEntity},
				"too long cefr_level": {status: http.StatusBadRequest, detail: "Invalid CEFR level"}},
			faults: []fault{
				{"cefr_level", "D1", http.StatusBadRequest, "Invalid CEFR level"}, {"patience_ms", 4001, http.StatusUnprocessableEntity, ""},
				{"target_language", "fr", http.StatusUnprocessableEntity, ""}}},
	}
}

func conversationRows() []operationRow {
	// An ended session can be read and ended again; nothing can be said in it.
	readable := map[string]expectation{"an ended session": {status: http.StatusOK}, "a deleted profile's session": {status: http.StatusOK}}
	// A filter that fits nothing of the caller's.
	none := expectation{status: http.StatusOK, body: "[]\n"}
	limits := badNumbers()
	return []operationRow{
		{id: "createTicket", path: "/v1/voice/tickets", right: http.StatusCreated, required: []string{"profile_id"},
			body: `{"profile_id":"$profile","conversation_id":"$session","topic":"Food","scenario_id":"talk-food","device_id":"phone-1","session":{"duplex":"full","audio":{` +
				`"input":{"format":{"type":"audio/pcm","rate":16000},"turn_detection":{"type":"patient","patience_ms":1500,"interrupt_response":true}},` +
				`"output":{"format":{"type":"audio/pcm","rate":24000},"speed":1,"voice":"v1"}}}}`,
			expects: map[string]expectation{
				"too long profile_id":      {status: http.StatusNotFound, detail: "Profile not found"},
				"too long conversation_id": {status: http.StatusNotFound},
				"an ended session":         {status: http.StatusConflict}},
			faults: []fault{{"scenario_id", "talk-travel", http.StatusUnprocessableEntity, ""}, {"scenario_id", "nothing", http.StatusUnprocessableEntity, ""}}},
		{id: "startSession", path: "/conversations/sessions", right: http.StatusCreated, required: []string{"profile_id"},
			body: `{"profile_id":"$profile","topic":"Food","scenario_id":"talk-food","difficulty_level":"A2","mode":"turn","client_key":"key-1"}`,
			expects: map[string]expectation{
				"too long profile_id": {status: http.StatusNotFound, detail: "Learning profile not found"},
				"a deleted profile":   {status: http.StatusNotFound, detail: "Learning profile not found"}},
			faults: []fault{
				{"mode", "shouting", http.StatusUnprocessableEntity, ""}, {"difficulty_level", "hard", http.StatusUnprocessableEntity, ""},
				{"scenario_id", "nothing", http.StatusUnprocessableEntity, ""}, {"scenario_id", "TALK-FOOD", http.StatusUnprocessableEntity, ""},
				{"topic", strings.Repeat("é", 201), http.StatusUnprocessableEntity, ""}, {"client_key", "a b", http.StatusUnprocessableEntity, ""}}},
		{id: "listSessions", path: "/conversations/sessions", query: "limit=20&offset=0&profile_id=$profile", right: http.StatusOK,
			parameters: map[string][]string{"limit": append(limits, "0", "101"), "offset": append(limits, "100001"), "profile_id": nil},
			expects:    map[string]expectation{"another's": none, "a deleted profile": none, "an unknown id": none, "a malformed id": none}},
		{id: "getSession", path: "/conversations/sessions/$session", right: http.StatusOK, expects: readable},
		{id: "getSummary", path: "/conversations/sessions/$session/summary", right: http.StatusOK, expects: readable},
		{id: "listMessages", path: "/conversations/sessions/$session/messages", query: "after_seq=0&limit=1000", right: http.StatusOK, expects: readable,
			parameters: map[string][]string{"after_seq": limits, "limit": append(limits, "0", "1001")}},
		{id: "getStatistics", path: "/users/stats", right: http.StatusOK},
	}
}

// progressRows ask for days of the caller's, which has said nothing in most of them.
func progressRows() (rows []operationRow) {
	days := []string{"2026-02-29", "yesterday", "2026-1-1", "1.1.2026", "-1", "9999-12-31", "2026-01-01T00:00:00Z", "\x00"}
	for _, id := range []string{"Overview", "Timeline", "Vocabulary", "Fluency", "Errors", "Streak"} {
		rows = append(rows, operationRow{id: "getProgress" + id, path: "/analytics/" + strings.ToLower(id),
			query: "profile_id=$profile&from=2026-01-01&to=2026-01-31&days=31", right: http.StatusOK,
			parameters: map[string][]string{"from": days, "to": days, "days": append(badNumbers(), "0", "367")}})
	}
	return rows
}

// lastRows end and delete.
func lastRows() []operationRow {
	return []operationRow{
		{id: "endSession", path: "/conversations/sessions/$session/end", right: http.StatusOK,
			expects: map[string]expectation{"an ended session": {status: http.StatusOK}, "a deleted profile's session": {status: http.StatusOK}}},
		{id: "deleteSession", path: "/conversations/sessions/$session", right: http.StatusNoContent,
			expects: map[string]expectation{"an ended session": {status: http.StatusNoContent}, "a deleted profile's session": {status: http.StatusNoContent}}},
		{id: "deleteProfile", path: "/users/profiles/$spare", right: http.StatusNoContent},
	}
}

func syncRows() []operationRow {
	return []operationRow{
		{id: "sync", path: "/sync", right: http.StatusOK, required: []string{"device_id"},
			body:    `{"device_id":"phone-1","cursor":0,"client_now":"2026-03-04T05:16:37Z","mutations":[]}`,
			expects: map[string]expectation{"wrong type of mutations []": {status: http.StatusOK}},
			faults: []fault{
				{"device_id", "a b", http.StatusUnprocessableEntity, ""}, {"cursor", -1, http.StatusUnprocessableEntity, ""},
				{"client_now", "yesterday", http.StatusUnprocessableEntity, ""}, {"mutations", make([]int, 501), http.StatusUnprocessableEntity, ""}}},
		{id: "bootstrap", path: "/sync/bootstrap", query: "limit=100&page=1.cards.", right: http.StatusOK,
			parameters: map[string][]string{"limit": badNumbers(), "page": {"x", "1", "-1.cards.", "1.rows.", "1.cards", "%"}}},
	}
}
