package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"kalami/session/learn"
)

func TestRestoreCard(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	bo, _ := h.account("bo@example.org")
	profile := h.profileOf(access, "es")
	want := strings.ReplaceAll(casa, `"P"`, `"`+profile+`"`)
	h.as(access, "POST", "/vocabulary", `{"profile_id":"`+profile+`","id":"card-1","front":"house","back":"La casa","tags":["home"],"level":"A1"}`).want(http.StatusCreated)
	h.as(access, "POST", "/vocabulary/card-1/restore", nil).want(http.StatusOK).same(want) // it was not deleted
	h.as(access, "DELETE", "/vocabulary/card-1", nil).want(http.StatusNoContent)
	h.as(bo, "POST", "/vocabulary/card-1/restore", nil).refusal(http.StatusNotFound, "not_found")
	h.as(access, "POST", "/vocabulary/a%00b/restore", nil).refusal(http.StatusNotFound, "not_found")
	h.as(access, "POST", "/vocabulary/card-1/restore", nil).want(http.StatusOK).same(want)
	h.as(access, "GET", "/vocabulary/card-1", nil).want(http.StatusOK).same(want)
	h.as(access, "DELETE", "/vocabulary/card-1", nil).want(http.StatusNoContent)
	h.as(access, "POST", "/vocabulary", `{"profile_id":"`+profile+`","front":"home","back":"la casa"}`).want(http.StatusCreated)
	h.as(access, "POST", "/vocabulary/card-1/restore", nil).refusal(http.StatusConflict, "conflict")
}

// file checks that an answer is saved as a file.
func (r reply) file(mediaType, name string) reply {
	r.Helper()
	r.want(http.StatusOK)
	if got := r.header.Get("Content-Type"); got != mediaType {
		r.Errorf("the file's type is %q", got)
	}
	if got := r.header.Get("Content-Disposition"); got != `attachment; filename="`+name+`"` {
		r.Errorf("the file is saved as %q", got)
	}
	return r
}

func (r reply) text(want string) {
	r.Helper()
	if string(r.body) != want {
		r.Errorf("answered %q, want %q", r.body, want)
	}
}

func TestExport(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	bo, _ := h.account("bo@example.org")
	profile := h.profileOf(access, "es")
	h.as(access, "POST", "/vocabulary", `{"profile_id":"`+profile+`","id":"card-1","front":"=house","back":"la casa","context":"La \"casa\"","tags":["home"],"level":"A1"}`).want(http.StatusCreated)
	h.as(access, "POST", "/reviews", `{"reviews":[{"id":"r","card_id":"card-1","rating":3,"reviewed_at":"2026-03-04T05:06:07Z","duration_ms":1500}]}`).want(http.StatusOK)
	const (
		plain = "text/plain; charset=utf-8"
		table = "text/csv; charset=utf-8"
		head  = "\ufeffid,language,kind,front,back,context,tags,level,origin,state,due_at,last_reviewed_at,stability,difficulty,reps,lapses,scheduled_days,suspended_at,created_at\r\n"
		first = "#separator:tab\n#html:false\n#notetype:Kalami\n#guid column:1\n#deck column:2\n#tags column:8\n#columns:Guid\tDeck\tFront\tBack\tContext\tKind\tLevel\tTags\n"
	)
	h.as(access, "GET", "/vocabulary/export?format=anki_txt", nil).file(plain, "kalami-cards.txt").
		text(first + "card-1\tKalami es\t=house\tla casa\t\"La \"\"casa\"\"\"\tproduce\tA1\thome\n")
	h.as(access, "GET", "/api/vocabulary/export?format=csv", nil).file(table, "kalami-cards.csv").
		text(head + "card-1,es,produce,'=house,la casa,\"La \"\"casa\"\"\",home,A1,manual,new,,,0.0000,0.0000,0,0,0,,2026-03-04T04:06:07Z\r\n")
	h.as(access, "GET", "/vocabulary/export?format=revlog", nil).file(table, "kalami-reviews.csv").
		text("card_id,review_time,review_rating,review_state,review_duration\ncard-1,1772600767000,3,0,1500\n")
	packed := h.as(access, "GET", "/vocabulary/export?format=apkg", nil).file("application/octet-stream", "kalami-cards.apkg")
	packed.text("card card-1\nreview r\n")
	if packed.header.Get("Content-Length") != "21" {
		t.Errorf("the length is told as %q", packed.header.Get("Content-Length"))
	}
	for _, query := range []string{"&profile_id=a%20b", "&profile_id=other"} {
		h.as(access, "GET", "/vocabulary/export?format=csv"+query, nil).file(table, "kalami-cards.csv").text(head)
	}
	h.as(bo, "GET", "/vocabulary/export?format=anki_txt", nil).file(plain, "kalami-cards.txt").text(first)
	h.as(access, "HEAD", "/vocabulary/export?format=csv", nil).file(table, "kalami-cards.csv").text("")
	for _, query := range []string{"", "?format=", "?format=pdf", "?format=csv&format=csv"} {
		h.as(access, "GET", "/vocabulary/export"+query, nil).invalid("format")
	}
}

// All cards are in the file, however many parts they are read in; what fails before the
// first bytes are out is an answer, and what fails behind them cuts the connection.
func TestExportParts(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	h.as(access, "POST", "/vocabulary", `{"profile_id":"`+h.profileOf(access, "es")+`","id":"first","front":"a","back":"b"}`).want(http.StatusCreated)
	for i := range 2*exportPage - 1 {
		c := h.cards.cards[0]
		c.ID, c.Back = fmt.Sprintf("g%04d", i), strings.Repeat("b", 100)
		h.cards.cards = append(h.cards.cards, c)
	}
	if got := h.as(access, "GET", "/vocabulary/export?format=anki_txt", nil).want(http.StatusOK); strings.Count(string(got.body), "\n") != 7+2*exportPage {
		t.Errorf("%d lines", strings.Count(string(got.body), "\n"))
	}
	h.cards.down = learn.Errorf(learn.Unavailable, "fake", "busy")
	for _, format := range exportFormats() {
		h.as(access, "GET", "/vocabulary/export?format="+string(format), nil).refusal(http.StatusServiceUnavailable, "unavailable")
	}
	h.cards.down, h.cards.breaks = nil, errors.New("gone")
	func() {
		defer func() {
			if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
				t.Errorf("the answer ended with %v", err)
			}
		}()
		h.as(access, "GET", "/vocabulary/export?format=csv", nil)
	}()
	if !strings.Contains(h.log.String(), "an export was cut") {
		t.Error("the cut was not logged")
	}
}

// A node makes two packages at a time; the third asker is told to come again.
func TestPackagesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		access, _ := h.account("ana@example.org")
		h.cards.packing, h.cards.packed = make(chan struct{}), make(chan struct{})
		done := make(chan int)
		for range packagesAtOnce {
			go func() { done <- h.as(access, "GET", "/vocabulary/export?format=apkg", nil).code }()
			<-h.cards.packing
		}
		if r := h.as(access, "GET", "/vocabulary/export?format=apkg", nil); r.code != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
			t.Errorf("the third was answered %d: %s", r.code, r.body)
		}
		close(h.cards.packed)
		for range packagesAtOnce {
			if code := <-done; code != http.StatusOK {
				t.Errorf("answered %d", code)
			}
		}
		h.as(access, "GET", "/vocabulary/export?format=anki_txt", nil).want(http.StatusOK)
	})
}

func TestImport(t *testing.T) {
	h := newHouse(t)
	access, _ := h.account("ana@example.org")
	bo, _ := h.account("bo@example.org")
	profile := h.profileOf(access, "es")
	send := func(token, query, file string) reply {
		return h.do("POST", "/vocabulary/import?"+query, file, "Authorization", "Bearer "+token, "Content-Type", "text/plain")
	}
	mine := "profile_id=" + profile
	const file = "house\tla casa\ndog\tel perro\nhome\t¡La casa!\n"
	send(access, mine+"&format=anki_txt", file).want(http.StatusOK).same(`{"read":3,"created":2,"merged":1}`)
	send(access, mine+"&format=anki_txt", file).want(http.StatusOK).same(`{"read":3,"created":0,"merged":3}`)
	send(access, mine+"&format=csv", "back,front\nel pan,bread\n").want(http.StatusOK).same(`{"read":1,"created":1,"merged":0}`)
	if c := h.cards.cards; len(c) != 3 || c[1].Origin != learn.FromImport || c[2].Front != "bread" || c[2].ProfileID != profile {
		t.Errorf("kept %+v", c)
	}
	// A broken file is refused whole, with the line.
	send(access, mine+"&format=anki_txt", "sun\tel sol\n\"moon\tla luna\n").invalid("line 2")
	if r := send(access, mine+"&format=csv", "front,back\nsun,el sol\nmoon,\n"); !strings.Contains(string(r.body), `"detail":"line 3: back is required"`) {
		t.Errorf("answered %s", r.body)
	}
	if len(h.cards.cards) != 3 {
		t.Errorf("%d cards are kept", len(h.cards.cards))
	}
	for _, empty := range []string{"", "#html:true\n"} {
		send(access, mine+"&format=anki_txt", empty).invalid("body")
	}
	send(access, "", "").invalid("format", "profile_id")
	send(access, mine+"&format=apkg", "").invalid("format")
	send(bo, mine+"&format=anki_txt", file).refusal(http.StatusNotFound, "not_found")
	send(access, "profile_id=a%20b&format=anki_txt", file).refusal(http.StatusNotFound, "not_found")
	send(access, mine+"&format=csv", strings.Repeat("x", maxImportBody+1)).want(http.StatusRequestEntityTooLarge)
	// Many are stored part by part.
	var many strings.Builder
	for i := range 2*maxBulk + 1 {
		fmt.Fprintf(&many, "word\tpalabra %d\n", i)
	}
	send(access, mine+"&format=anki_txt", many.String()).want(http.StatusOK).same(`{"read":1001,"created":1001,"merged":0}`)
}
