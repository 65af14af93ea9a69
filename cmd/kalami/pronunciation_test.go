package main

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"kalami/providers/simulate"
	"kalami/session"
	"kalami/session/learn"
)

// jsonOf is a value in JSON.
func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// guest enters a server without an account.
func guest(t *testing.T, h *house) (token string) {
	t.Helper()
	var in struct {
		Access string `json:"access_token"`
	}
	ask(t, h, "", http.MethodPost, "/auth/guest", `{}`, http.StatusOK, &in)
	return in.Access
}

// openDatabase opens the database of a server that keeps it in a file, beside the server.
func openDatabase(t *testing.T, h *house) *sql.DB {
	t.Helper()
	db, err := driver.Open("file:" + h.cfg.Storage.Database.Path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// openAssessors starts assessors of pronunciation, to whom nobody can say "leche", and
// returns where they are.
func openAssessors(t *testing.T) (*simulate.Server, string) {
	t.Helper()
	assessors := simulate.New(simulate.Options{Engine: "none", Accents: map[string]float64{"leche": 40}})
	web := httptest.NewServer(assessors)
	t.Cleanup(func() {
		assessors.Close()
		web.Close()
	})
	return assessors, web.URL
}

// A learner's voice goes to an assessor after they have agreed, not before, not once they
// have taken that back, and never a child's. Nothing of the recording is kept.
func TestVoicesLeaveByConsent(t *testing.T) {
	t.Parallel()
	for vendor, environ := range map[simulate.Vendor][]string{
		simulate.Azure:     {"KALAMI_AZURE_SPEECH_KEY=k", "KALAMI_AZURE_SPEECH_BASE_URL="},
		simulate.SpeechAce: {"KALAMI_SPEECHACE_KEY=k", "KALAMI_SPEECHACE_BASE_URL="},
	} {
		t.Run(string(vendor), func(t *testing.T) {
			t.Parallel()
			assessors, url := openAssessors(t)
			h := openHouse(t, backends()[0], simulate.Latency{}, "KALAMI_RATE_LIMITS=false", environ[0], environ[1]+url)
			checkConsent(t, h, func() int { return assessors.Assessments(vendor) })
		})
	}
}

// checkConsent has somebody read a text before and after decisions; calls counts those of
// the assessor.
func checkConsent(t *testing.T, h *house, calls func() int) {
	t.Helper()
	token, db := guest(t, h), openDatabase(t, h)
	audio := base64.StdEncoding.EncodeToString([]byte(sentence()))
	read := 0
	assess := func(want int, basis learn.Basis) {
		t.Helper()
		var got learn.Assessment
		ask(t, h, token, http.MethodPost, "/pronunciation/assess", jsonOf(t, map[string]any{"audio_base64": audio, "language": "es", "reference_text": "Café con leche"}), http.StatusOK, &got)
		read++
		if n := calls(); n != want || got.Basis != basis || (got.Overall != nil) != (basis == learn.AcousticBasis) {
			t.Errorf("%d calls of the assessor, basis %s, overall %v; want %d, %s", n, got.Basis, got.Overall, want, basis)
		}
		if basis == learn.RecognitionBasis && (got.Scores.Accuracy != nil || slices.ContainsFunc(got.Words, func(w learn.AssessedWord) bool { return w.Accuracy != nil || w.Phonemes != nil })) {
			t.Errorf("a recogniser judges sounds: %+v", got)
		}
		if got.Caveat == "" || len(got.Capabilities) == 0 {
			t.Errorf("without its caveat %q or capabilities %v", got.Caveat, got.Capabilities)
		}
	}
	decide := func(granted bool, status int) {
		t.Helper()
		var decided map[string]any
		ask(t, h, token, http.MethodPost, "/me/consents", jsonOf(t, map[string]any{"purpose": "pronunciation_provider", "granted": granted, "text_version": "1"}), status, &decided)
	}
	assess(0, learn.RecognitionBasis)
	decide(true, http.StatusCreated)
	assess(1, learn.AcousticBasis)
	decide(false, http.StatusCreated)
	assess(1, learn.RecognitionBasis)
	decide(true, http.StatusCreated)
	if _, err := db.ExecContext(t.Context(), "UPDATE users SET age_band = 'child'"); err != nil {
		t.Fatal(err)
	}
	assess(1, learn.RecognitionBasis)
	decide(true, http.StatusForbidden)
	checkNoAudio(t, db, read)
}

// checkNoAudio looks through every value of every row for a recording, as bytes or as text,
// and makes sure that it has looked at so many assessments.
func checkNoAudio(t *testing.T, db *sql.DB, assessments int) {
	t.Helper()
	rows := map[string]int{}
	for _, table := range strings.Fields(texts(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table'")) {
		if strings.Contains(table, "audio") {
			t.Errorf("the table %s could hold audio", table)
		}
		all, err := db.QueryContext(t.Context(), "SELECT * FROM "+table) //nolint:gosec // a name from the schema
		if err != nil {
			t.Fatal(err)
		}
		rows[table] = countSilent(t, all, table)
	}
	if rows["pronunciation_assessments"] != assessments || rows["pronunciation_words"] == 0 || rows["consents"] == 0 {
		t.Errorf("looked at %v", rows)
	}
	if raw := texts(t, db, "SELECT raw FROM pronunciation_assessments WHERE raw IS NOT NULL"); raw != "" {
		t.Errorf("kept of what came from elsewhere: %s", raw)
	}
}

// countSilent counts rows in which nothing is a recording, and closes them.
func countSilent(t *testing.T, rows *sql.Rows, table string) (n int) {
	t.Helper()
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	pcm := []byte(sentence())[1000:1100]
	marks := [][]byte{pcm, []byte("RIFF"), []byte(base64.StdEncoding.EncodeToString([]byte("RIFF"))[:5]), []byte(base64.StdEncoding.EncodeToString(pcm[2:98]))}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		n++
		for i, value := range values {
			if slices.ContainsFunc(marks, func(mark []byte) bool { return bytes.Contains(value, mark) }) {
				t.Errorf("%s.%s holds a recording", table, columns[i])
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// texts are the values of a query with one column, one a line.
func texts(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}

// After a turn over the voice socket there is an assessment of its message: what
// recognition can tell. No assessor is asked, not even for somebody who has agreed to one.
func TestTalkIsMeasured(t *testing.T) {
	t.Parallel()
	assessors, url := openAssessors(t)
	h := openHouse(t, backends()[0], simulate.Latency{}, "KALAMI_AZURE_SPEECH_KEY=k", "KALAMI_AZURE_SPEECH_BASE_URL="+url)
	p := join(t, h.url(), "en", "B2")
	conversation := await[session.Created](p, 1).Session.ConversationID
	db := openDatabase(t, h)
	_, err := db.ExecContext(t.Context(), `INSERT INTO consents (id, tenant_id, user_id, purpose, granted_by, method, text_version, granted_at, created_at)
		SELECT 'c1', tenant_id, user_id, 'pronunciation_provider', user_id, 'app', '1', started_at, started_at FROM conversation_sessions`)
	if err != nil {
		t.Fatal(err)
	}
	await[session.ResponseDone](p, 1)
	p.mic.Say(recording(t, "en-01-clean"))
	await[session.TranscriptCompleted](p, 1)
	await[session.ResponseDone](p, 2)
	await[session.ItemDone](p, 3)
	const query = "SELECT session_id || ' ' || message_id || ' ' || mode || ' ' || basis || ' ' || provider FROM pronunciation_assessments"
	got := ""
	for deadline := time.Now().Add(patience); got == "" && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		got = texts(t, db, query)
	}
	said := checkStored(t, h, conversation, 3)[1]
	if want := conversation + " " + said.ID + " spontaneous asr_recognition deepgram-basic"; got != want {
		t.Errorf("assessed %q, want %q", got, want)
	}
	var words, units int
	row := db.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM pronunciation_words), json_extract(fluency, '$.units') FROM pronunciation_assessments`)
	if err := row.Scan(&words, &units); err != nil || words != len(said.Words) || units != words {
		t.Errorf("%d words, %d units of %d; %v", words, units, len(said.Words), err)
	}
	if n := assessors.Assessments(simulate.Azure); n != 0 {
		t.Errorf("an assessor was asked %d times", n)
	}
}

// A recorded turn is measured as well, which its learner finds in the history and reads
// back with its words.
func TestRecordedTurnIsMeasured(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		h := openHouse(t, b, simulate.Latency{})
		w := newWriter(t, h)
		turn := w.post(w.session+"/audio", map[string]any{"audio_base64": base64.StdEncoding.EncodeToString([]byte(sentence())), "format": "wav"}, http.StatusOK)
		var all []learn.Assessment
		ask(t, h, w.token, http.MethodGet, "/pronunciation/assessments?language=es", "", http.StatusOK, &all)
		if len(all) != 1 || all[0].MessageID == nil || *all[0].MessageID != turn["user_message_id"] || all[0].Mode != learn.Spontaneous || len(all[0].Words) != 0 {
			t.Fatalf("listed %+v of the turn %v", all, turn)
		}
		var one learn.Assessment
		ask(t, h, w.token, http.MethodGet, "/pronunciation/assessments/"+all[0].ID, "", http.StatusOK, &one)
		if len(one.Words) == 0 || one.Basis != learn.RecognitionBasis || one.Overall != nil || one.Caveat == "" || one.Scores.Completeness != nil {
			t.Errorf("read back %+v", one)
		}
		other := guest(t, h)
		var none []learn.Assessment
		ask(t, h, other, http.MethodGet, "/pronunciation/assessments", "", http.StatusOK, &none)
		var refused map[string]any
		ask(t, h, other, http.MethodGet, "/pronunciation/assessments/"+all[0].ID, "", http.StatusNotFound, &refused)
		if len(none) != 0 {
			t.Errorf("somebody else sees %+v", none)
		}
	})
}
