package web_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// word is a card as the list of words shows it.
func word(id, kind, front, back string) fields {
	return fields{"id": id, "profile_id": "p1", "language": "es", "kind": kind, "front": front, "back": back, "context": "", "tags": []string{},
		"origin": "manual", "level": nil, "state": "new", "due_at": nil, "suspended_at": nil, "leech": false}
}

// vocabulary are the routes of the words that are kept.
func (s *study) vocabulary(mux *http.ServeMux) {
	missing := func() (int, any) { return http.StatusNotFound, fields{"detail": "Card not found"} }
	find := func(r *http.Request) int {
		return slices.IndexFunc(s.words, func(w fields) bool { return w["id"] == r.PathValue("id") })
	}
	mux.HandleFunc("GET /vocabulary", s.answer(func(r *http.Request, _ fields) (int, any) { return http.StatusOK, s.page(r) }))
	mux.HandleFunc("POST /vocabulary", s.answer(func(_ *http.Request, in fields) (int, any) {
		if i := slices.IndexFunc(s.words, func(w fields) bool { return w["back"] == in["back"] && w["kind"] == in["kind"] }); i >= 0 {
			return http.StatusCreated, fields{"id": s.words[i]["id"], "outcome": "merged", "card": s.words[i]}
		}
		w := word(fmt.Sprint("w", len(s.words)+1), in["kind"].(string), in["front"].(string), in["back"].(string))
		w["context"], w["tags"], w["profile_id"] = in["context"], in["tags"], in["profile_id"]
		s.words = slices.Insert(s.words, 0, w)
		return http.StatusCreated, fields{"id": w["id"], "outcome": "created", "card": w}
	}))
	mux.HandleFunc("GET /vocabulary/export", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		_, _ = fmt.Fprintln(w, "front,back") // a page that has gone needs no answer
		for _, one := range s.words {
			_, _ = fmt.Fprintf(w, "%v,%v\n", one["front"], one["back"])
		}
	})
	mux.HandleFunc("POST /vocabulary/import", s.bring)
	mux.HandleFunc("PATCH /vocabulary/{id}", s.answer(func(r *http.Request, in fields) (int, any) {
		i := find(r)
		if i < 0 {
			return missing()
		}
		for name, value := range in {
			s.words[i][name] = value
		}
		if suspended, ok := in["suspended"]; ok {
			s.words[i]["suspended_at"] = nil
			if suspended == true {
				s.words[i]["suspended_at"] = time.Now().UTC().Format(time.RFC3339)
			}
		}
		return http.StatusOK, s.words[i]
	}))
	mux.HandleFunc("DELETE /vocabulary/{id}", s.answer(func(r *http.Request, _ fields) (int, any) {
		i := find(r)
		if i < 0 {
			return missing()
		}
		s.gone = s.words[i]
		s.words = slices.Delete(s.words, i, i+1)
		return http.StatusNoContent, nil
	}))
	mux.HandleFunc("POST /vocabulary/{id}/restore", s.answer(func(r *http.Request, _ fields) (int, any) {
		if s.gone["id"] != r.PathValue("id") {
			return missing()
		}
		s.words = slices.Insert(s.words, 0, s.gone)
		return http.StatusOK, s.gone
	}))
}

// page is what of the words is asked for.
func (s *study) page(r *http.Request) []fields {
	q := r.URL.Query()
	fits := []fields{} // not null
	for _, w := range s.words {
		text := strings.ToLower(fmt.Sprint(w["front"], " ", w["back"]))
		paused := w["suspended_at"] != nil || q.Get("suspended") == ""
		if paused && strings.Contains(text, strings.ToLower(q.Get("text"))) {
			fits = append(fits, w)
		}
	}
	limit, _ := strconv.Atoi(q.Get("limit"))
	offset, _ := strconv.Atoi(q.Get("offset"))
	return fits[min(offset, len(fits)):min(offset+limit, len(fits))]
}

// bring takes a file of cards, all of it or nothing.
func (s *study) bring(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	rows, err := csv.NewReader(r.Body).ReadAll()
	broken, bad := errors.AsType[*csv.ParseError](err)
	switch {
	case q.Get("profile_id") != "p1" || q.Get("format") != "csv" || r.Header.Get("Content-Type") != "text/csv":
		refuse(w, http.StatusUnprocessableEntity, "not as the API has it")
		return
	case bad:
		answer(w, http.StatusUnprocessableEntity, fields{"detail": "broken", "errors": []fields{
			{"field": fmt.Sprint("line ", broken.Line), "message": "has not as many columns as the first"}}})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range rows[1:] {
		s.words = slices.Insert(s.words, 0, word(fmt.Sprint("w", len(s.words)+1), "produce", row[0], row[1]))
	}
	answer(w, http.StatusOK, fields{"read": len(rows) - 1, "created": len(rows) - 1, "merged": 0})
}
