// Package deck writes learners' cards and reviews in forms that other programs read, and
// reads cards from such files.
//
// There are three forms of text: Anki's, which begins with lines such as
//
//	#separator:tab
//	#columns:Guid	Deck	Front	Back
//
// comma-separated values for spreadsheets, and the log of reviews as the optimisers of FSRS
// take it. Anki's packages hold a database, and are made by package store/apkg.
//
// What was written by [EncodeAnki] or [EncodeCSV] is read back as the same texts, kinds,
// levels and tags. How well a card is remembered is written for others and never read: it
// follows from our own log. Nor is an identity read, since files are passed on between
// learners: a card that is there already is known by its answer ([learn.CardKey]).
//
// A file is read whole or not at all. Whatever is wrong with it is a [*LineError].
package deck

import (
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"kalami/session/learn"
)

// Most is how many cards one file may have that is read.
const Most = 10_000

// fieldMost bounds a field of a file, in bytes: what a card may have, with marks around it.
const fieldMost = 20_000

// Cards is a sequence of cards that may break off with an error.
type Cards = iter.Seq2[learn.Card, error]

// Reviews is a sequence of reviews that may break off with an error.
type Reviews = iter.Seq2[learn.Review, error]

// LineError says where a file is broken, and how. It never repeats what the file says.
type LineError struct {
	Line int // from 1
	Msg  string
}

// Error implements error.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

func broken(line int, format string, args ...any) error {
	return &LineError{Line: line, Msg: fmt.Sprintf(format, args...)}
}

// Name is what the deck of a language is called.
func Name(language string) string { return "Kalami " + language }

// text is a file without the mark that Windows puts before it; a [*LineError] for one that
// is no text.
func text(file []byte) (string, error) {
	s := strings.TrimPrefix(string(file), "\ufeff")
	for i, r := range s {
		if _, width := utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && width == 1 {
			return "", broken(1+lineEnds(s[:i]), "must be UTF-8")
		}
	}
	return s, nil
}

// places are where in a record the parts of a card stand, from 0; -1 for nowhere.
type places struct {
	front, back, context, kind, level, tags int
	width                                   int // of every record
}

func nowhere() places { return places{-1, -1, -1, -1, -1, -1, 0} }

// named finds the parts by the names of the columns, in capital or small letters. Columns
// with other names are passed over. ok is false when there is no front or no back.
func named(columns []string) (p places, ok bool) {
	p = nowhere()
	p.width = len(columns)
	for i, name := range columns {
		place := p.of(strings.ToLower(strings.TrimSpace(name)))
		if place != nil && *place < 0 {
			*place = i
		}
	}
	return p, p.front >= 0 && p.back >= 0
}

// of returns the place of a part by its name; nil for another name.
func (p *places) of(name string) *int {
	switch name {
	case "front":
		return &p.front
	case "back":
		return &p.back
	case "context":
		return &p.context
	case "kind":
		return &p.kind
	case "level":
		return &p.level
	case "tags":
		return &p.tags
	}
	return nil
}

// card makes a card of a record that begins on a line; read turns each part into text.
func (p places) card(record []string, line int, read func(string) string) (learn.Card, error) {
	if len(record) != p.width {
		return learn.Card{}, broken(line, "has %d columns instead of %d", len(record), p.width)
	}
	for _, field := range record {
		if len(field) > fieldMost {
			return learn.Card{}, broken(line, "has a field of more than %d bytes", fieldMost)
		}
	}
	part := func(place int) string {
		if place < 0 {
			return ""
		}
		return oneLine(read(record[place]))
	}
	c := learn.Card{Kind: learn.CardProduce, Origin: learn.FromImport, Front: part(p.front), Back: part(p.back), Context: part(p.context),
		Level: learn.Level(strings.TrimSpace(part(p.level))), Tags: strings.Fields(part(p.tags))}
	if kind := strings.ToLower(strings.TrimSpace(part(p.kind))); kind != "" {
		c.Kind = learn.CardKind(kind)
	}
	return c, nil
}

// checked is a card as it is kept, or what is wrong with it.
func checked(c learn.Card, line int) (learn.Card, error) {
	c = c.Tidy()
	if f := c.Check(); len(f) > 0 {
		return learn.Card{}, broken(line, "%s %s", f[0].Field, f[0].Message)
	}
	return c, nil
}

// oneLine puts spaces for what begins a new line or a new column: a card's texts have one line.
func oneLine(s string) string {
	s = strings.ReplaceAll(s, "\r\n", " ")
	return strings.Map(func(r rune) rune {
		switch r {
		case '\n', '\r', '\t', '\v', '\f', '\u0085', '\u2028', '\u2029':
			return ' '
		}
		return r
	}, s)
}
