package learn

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How long the parts of a card may be, in characters, and how many tags it may have.
const (
	CardTextMost    = 500 // Front and Back, each
	CardContextMost = 1000
	CardTagMost     = 40
	CardTagsMost    = 12
)

// Check says what is wrong with what the learner writes of a card: its texts, tags, kind,
// origin and level. None for a card that may be kept.
func (c Card) Check() []FieldError {
	var f []FieldError
	add := func(field, format string, args ...any) {
		f = append(f, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	texts := []struct {
		field, text string
		most        int
		required    bool
	}{{"front", c.Front, CardTextMost, true}, {"back", c.Back, CardTextMost, true}, {"context", c.Context, CardContextMost, false}}
	for _, t := range texts {
		switch {
		case t.required && Fold(t.text) == "":
			add(t.field, "is required")
		case !utf8.ValidString(t.text):
			add(t.field, "must be valid UTF-8")
		case utf8.RuneCountInString(t.text) > t.most:
			add(t.field, "must have at most %d characters", t.most)
		case strings.ContainsFunc(t.text, notInText):
			add(t.field, "must not contain control characters")
		}
	}
	if !c.Kind.Valid() {
		add("kind", "must be one of recognise, produce, speak, fix")
	}
	if !c.Origin.Valid() {
		add("origin", "must be one of manual, import, correction, message, l1_word")
	}
	if _, ok := ParseLevel(string(c.Level)); c.Level != "" && !ok {
		add("level", "must be one of A1, A2, B1, B2, C1, C2")
	}
	if problem := checkTags(c.Tags); problem != "" {
		add("tags", "%s", problem)
	}
	return f
}

func checkTags(tags []string) string {
	if len(tags) > CardTagsMost {
		return fmt.Sprintf("must be at most %d", CardTagsMost)
	}
	for _, t := range tags {
		switch {
		case t == "" || utf8.RuneCountInString(t) > CardTagMost:
			return fmt.Sprintf("must each have 1 to %d characters", CardTagMost)
		case !utf8.ValidString(t) || strings.ContainsFunc(t, func(r rune) bool { return unicode.IsSpace(r) || notInText(r) }):
			return "must not contain space or control characters"
		}
	}
	return ""
}

// notInText holds for control characters, Unicode's own line ends, and the marks that turn
// the direction of what is around them.
func notInText(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' ||
		r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// Tidy returns the card without the space around its texts, and with each tag once, in
// order; a level is written in capitals. What is wrong with it stays wrong: see [Card.Check].
func (c Card) Tidy() Card {
	c.Front, c.Back, c.Context = strings.TrimSpace(c.Front), strings.TrimSpace(c.Back), strings.TrimSpace(c.Context)
	c.Tags = TidyTags(c.Tags)
	if level, ok := ParseLevel(string(c.Level)); ok {
		c.Level = level
	}
	return c
}

// TidyTags returns each tag once, without space around it, in order; nil for none.
func TidyTags(tags []string) []string {
	var tidy []string
	for _, t := range tags {
		tidy = append(tidy, strings.TrimSpace(t))
	}
	slices.Sort(tidy)
	return slices.Compact(tidy)
}

// Valid says whether o is one of the origins.
func (o CardOrigin) Valid() bool {
	switch o {
	case FromHand, FromImport, FromCorrection, FromMessage, FromL1:
		return true
	}
	return false
}

// Valid says whether s is one of the states.
func (s CardState) Valid() bool {
	return s == CardNew || s == CardLearning || s == CardReview || s == CardRelearning
}

// Short says whether the answer is a word or a short phrase, which can be used within a
// sentence of one's own.
func (c Card) Short() bool { return c.Kind != CardFix && utf8.RuneCountInString(c.Back) <= 40 }
