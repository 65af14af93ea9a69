package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
	"kalami/session/learn/deck"
)

const (
	maxImportBody = 4 << 20
	importTimeout = time.Minute
)

func importFormats() []exportFormat { return []exportFormat{exportAnki, exportCSV} }

// importRoutes registers what brings cards.
func (s *Server) importRoutes() {
	s.handleLearner(operation{
		method: http.MethodPost, path: "/vocabulary/import", id: "importCards", tag: "vocabulary", class: writing, maxBody: maxImportBody, timeout: importTimeout,
		summary: "Add the cards of a file",
		about: fmt.Sprintf("The body is the file, in UTF-8, with at most %d cards. As `anki_txt`, Anki's text with or without its first lines: the "+
			"columns Front, Back, Context, Kind, Level and Tags by their names, else question, answer and context in this order. As `csv`, the "+
			"first line names the columns: front, back, and context, kind, level and tags where there are any. A file that is broken is "+
			"refused whole, and `errors` names the line. Cards of the profile that have the same answer are merged: tags are joined, and "+
			"importing again is safe. Memory and reviews are not read.", deck.Most),
		query: []parameter{
			{name: "profile_id", about: "The profile that gets the cards.", shape: "", required: true},
			{name: "format", about: "The form of the file.", shape: "", enum: anyOf(importFormats()), required: true},
		},
		takes: []content{{mediaType: plainMediaType, example: exampleText}, {mediaType: csvMediaType, example: exampleCSV}, {mediaType: packageMediaType, example: exampleText}},
		gives: []success{{status: http.StatusOK, bodies: []content{{shape: importJSON{}}}}},
		fails: []failure{{http.StatusNotFound, "The caller has no such profile."}},
	}, s.importCards)
}

// importJSON answers an import.
type importJSON struct {
	Read    int `json:"read" doc:"Cards in the file" example:"120"`
	Created int `json:"created" doc:"Of them, that are new" example:"115"`
	Merged  int `json:"merged" doc:"Of them, that the profile had, or that were in the file before" example:"5"`
}

// importCards answers POST /vocabulary/import. The whole file is read before the first card
// is stored; what is stored before a failure of the database is merged when it is sent again.
func (s *Server) importCards(c echo.Context, who caller) error {
	const op = "gateway.importCards"
	q := readQuery(c)
	format := q.format(importFormats())
	before := len(q.faults)
	profileID, given := q.get("profile_id")
	if !given && len(q.faults) == before {
		q.add("profile_id", "is required")
	}
	if err := q.err(op); err != nil {
		return err
	}
	file, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return readError(op, err)
	}
	if _, err := s.profile(c, who, profileID); err != nil {
		return err
	}
	cards, err := readDeck(format, file)
	if err != nil {
		return err
	}
	out := importJSON{Read: len(cards)}
	for part := range slices.Chunk(cards, maxBulk) {
		for i := range part {
			part[i].ProfileID = profileID
		}
		added, err := s.opts.Cards.AddCards(c.Request().Context(), who.tenantID, who.user.ID, "", part)
		if err != nil {
			return renamed(err, learn.NotFound, op, "Profile not found")
		}
		for _, a := range added {
			if a.Outcome == learn.CardCreated {
				out.Created++
			}
		}
	}
	out.Merged = out.Read - out.Created
	return c.JSON(http.StatusOK, out)
}

// readDeck reads the cards of a file; Invalid for one that is broken or has none.
func readDeck(format exportFormat, file []byte) ([]learn.Card, error) {
	decode := deck.DecodeAnki
	if format == exportCSV {
		decode = deck.DecodeCSV
	}
	cards, err := decode(file)
	var f faults
	if broken, ok := errors.AsType[*deck.LineError](err); ok {
		f.add(fmt.Sprintf("line %d", broken.Line), "%s", broken.Msg)
	} else if err == nil && len(cards) == 0 {
		f.add("body", "has no cards")
	}
	if err := f.err("gateway.readDeck"); err != nil {
		return nil, err
	}
	return cards, err
}
