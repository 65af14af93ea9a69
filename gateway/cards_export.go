package gateway

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
	"kalami/session/learn/deck"
)

const (
	exportTimeout = time.Minute
	// exportPage is how many cards or reviews are read at a time.
	exportPage = 500
	// packagesAtOnce is how many packages a node makes at a time: each is made in memory.
	packagesAtOnce = 2
)

// exportFormat is a form in which cards are handed over.
type exportFormat string

const (
	exportAnki    exportFormat = "anki_txt"
	exportPackage exportFormat = "apkg"
	exportCSV     exportFormat = "csv"
	exportReviews exportFormat = "revlog"
)

func exportFormats() []exportFormat {
	return []exportFormat{exportAnki, exportPackage, exportCSV, exportReviews}
}

// The media types of files with cards.
const (
	plainMediaType   = "text/plain"
	csvMediaType     = "text/csv"
	packageMediaType = "application/octet-stream"
)

// format reads the parameter that says the form of a file, which is required.
func (q *query) format(among []exportFormat) exportFormat {
	before := len(q.faults)
	f := choice(q, "format", among...)
	if f == "" && len(q.faults) == before {
		q.add("format", "is required: one of %s", words(among))
	}
	return f
}

// exportRoutes registers what takes cards away.
func (s *Server) exportRoutes() {
	s.handleLearner(operation{
		method: http.MethodGet, path: "/vocabulary/export", id: "exportCards", tag: "vocabulary", class: writing, timeout: exportTimeout,
		summary: "Take cards away, as a file",
		about: "`anki_txt` is a text that Anki imports, `apkg` a package for it with what is known of each card's memory and with its " +
			"reviews, `csv` is for spreadsheets, with an apostrophe before what they would take for a formula, and `revlog` is the log of " +
			"reviews as FSRS optimisers read it: card, time in milliseconds, rating, state before, duration. `POST /vocabulary/import` " +
			"reads the first and the third. When a file cannot be finished, the connection is cut.",
		query: []parameter{
			{name: "format", about: "The form of the file.", shape: "", enum: anyOf(exportFormats()), required: true},
			{name: "profile_id", about: "Only cards of this profile.", shape: ""},
		},
		gives: []success{{status: http.StatusOK, about: "The file.", bodies: []content{{mediaType: plainMediaType, example: exampleText},
			{mediaType: csvMediaType, example: exampleCSV}, {mediaType: packageMediaType}}}},
		fails: []failure{{http.StatusServiceUnavailable, "Too many packages are being made."}},
	}, s.exportCards)
}

// Examples of files with a card.
const (
	exampleText = "#separator:tab\n#html:false\n#columns:Front\tBack\tContext\tTags\n#tags column:4\nhouse\tla casa\tLa casa es azul.\thome\n"
	exampleCSV  = "front,back,context,kind,level,tags\nhouse,la casa,La casa es azul.,produce,A1,home\n"
)

// exportCards answers GET /vocabulary/export.
func (s *Server) exportCards(c echo.Context, who caller) error {
	q := readQuery(c)
	format := q.format(exportFormats())
	profileID, _ := q.get("profile_id")
	if err := q.err("gateway.exportCards"); err != nil {
		return err
	}
	file := &attachment{c: c, mediaType: csvMediaType + "; charset=utf-8", name: "kalami-cards.csv"}
	switch format {
	case exportAnki:
		file.mediaType, file.name = plainMediaType+"; charset=utf-8", "kalami-cards.txt"
	case exportPackage:
		file.mediaType, file.name = packageMediaType, "kalami-cards.apkg"
	case exportReviews:
		file.name = "kalami-reviews.csv"
	}
	if c.Request().Method == http.MethodHead {
		file.begin()
		return nil
	}
	err := s.export(c.Request().Context(), file, format, who, profileID)
	if err != nil && file.begun {
		s.log.LogAttrs(c.Request().Context(), slog.LevelWarn, "an export was cut", slog.String("request_id", requestID(c)), slog.Any("err", err))
		panic(http.ErrAbortHandler)
	}
	return err
}

// export writes all cards, or all reviews, in a format.
func (s *Server) export(ctx context.Context, file *attachment, format exportFormat, who caller, profileID string) error {
	cards, reviews := s.allCards(ctx, who, profileID), s.allReviews(ctx, who, profileID)
	if profileID != "" && !saneID(profileID) { // nobody's
		cards, reviews = func(func(learn.Card, error) bool) {}, func(func(learn.Review, error) bool) {}
	}
	if format == exportPackage {
		return s.exportPackage(ctx, file, cards, reviews)
	}
	b := bufio.NewWriterSize(file, 32<<10) // what fails within it is answered as any failure
	encode := func() error { return deck.EncodeCSV(b, cards) }
	switch format {
	case exportAnki:
		encode = func() error { return deck.EncodeAnki(b, cards) }
	case exportReviews:
		encode = func() error { return deck.EncodeReviews(b, reviews) }
	}
	if err := encode(); err != nil {
		return err
	}
	return b.Flush()
}

// exportPackage makes a package and sends it.
func (s *Server) exportPackage(ctx context.Context, file *attachment, cards deck.Cards, reviews deck.Reviews) error {
	defer s.packages.Add(-1)
	if s.packages.Add(1) > packagesAtOnce {
		return &apiError{code: "overloaded", retryAfter: 5 * time.Second,
			err: learn.Errorf(learn.Unavailable, "gateway.exportPackage", "Too many packages are being made at the moment, try again shortly")}
	}
	var b bytes.Buffer
	if err := s.opts.Packages(ctx, &b, cards, reviews, time.Now()); err != nil {
		return err
	}
	file.c.Response().Header().Set(echo.HeaderContentLength, strconv.Itoa(b.Len()))
	_, err := b.WriteTo(file)
	return err
}

// attachment is an answer that browsers save as a file. It begins with its first byte: what
// fails before is answered as any failure.
type attachment struct {
	c               echo.Context
	mediaType, name string
	begun           bool
}

func (a *attachment) begin() {
	a.begun = true
	h := a.c.Response().Header()
	h.Set(echo.HeaderContentType, a.mediaType)
	h.Set(echo.HeaderContentDisposition, `attachment; filename="`+a.name+`"`)
	a.c.Response().WriteHeader(http.StatusOK)
}

// Write implements [io.Writer].
func (a *attachment) Write(p []byte) (int, error) {
	if !a.begun {
		a.begin()
	}
	return a.c.Response().Write(p)
}

// allCards reads a learner's cards, part by part.
func (s *Server) allCards(ctx context.Context, who caller, profileID string) deck.Cards {
	return func(yield func(learn.Card, error) bool) {
		for after, more := "", true; more; {
			part, err := s.opts.Cards.CardsAfter(ctx, who.tenantID, who.user.ID, profileID, after, exportPage)
			if err != nil {
				yield(learn.Card{}, err)
				return
			}
			for _, card := range part {
				if !yield(card, nil) {
					return
				}
				after = card.ID
			}
			more = len(part) == exportPage
		}
	}
}

// allReviews reads a learner's reviews, part by part.
func (s *Server) allReviews(ctx context.Context, who caller, profileID string) deck.Reviews {
	return func(yield func(learn.Review, error) bool) {
		var last learn.Review
		for more := true; more; {
			part, err := s.opts.Reviews.ReviewLog(ctx, who.tenantID, who.user.ID, profileID, last.At, last.ID, exportPage)
			if err != nil {
				yield(learn.Review{}, err)
				return
			}
			for _, last = range part {
				if !yield(last, nil) {
					return
				}
			}
			more = len(part) == exportPage
		}
	}
}
