package pronounce

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"kalami/session/learn"
)

// token is what is compared. others are what it may be heard as besides.
type token struct {
	text   string
	others []string
	unit   int
}

// same says whether one of the two may stand for the other.
func (t token) same(o token) bool {
	if t.text == o.text {
		return true
	}
	for _, other := range t.others {
		if other == o.text {
			return true
		}
	}
	for _, other := range o.others {
		if other == t.text {
			return true
		}
	}
	return false
}

// unit is a written word, or a character of a script without spaces.
type unit struct {
	shown  string // without punctuation around it
	tokens []token
	// closes: punctuation that ends a phrase follows.
	closes bool
}

// key is what units are equal by.
func (u unit) key() string {
	var b strings.Builder
	for _, t := range u.tokens {
		b.WriteString(t.text)
		b.WriteByte(' ')
	}
	return b.String()
}

// units cuts a text. What has neither letter nor digit is no unit.
func units(language, text string) []unit {
	var out []unit
	begins := true // a sentence
	for _, field := range strings.FieldsFunc(plain(text), unicode.IsSpace) {
		for part := range parts(field) {
			shown := strings.TrimFunc(part, func(r rune) bool { return !written(r) })
			if shown == "" {
				if closing(part) && len(out) > 0 {
					out[len(out)-1].closes = true
				}
				begins = begins || ending(part)
				continue
			}
			if begins {
				shown = lowerFirst(language, shown)
			}
			after := part[strings.LastIndexFunc(part, written)+1:]
			u := unit{shown: shown, closes: closing(after)}
			begins = ending(after)
			for _, t := range tokens(language, shown) {
				t.unit = len(out)
				u.tokens = append(u.tokens, t)
			}
			out = append(out, u)
		}
	}
	return out
}

// parts cuts a field at hyphens and dashes, between the digits of clocks and fractions, and
// around each character of a script without spaces.
func parts(field string) iter.Seq[string] {
	return func(yield func(string) bool) {
		from, prev := 0, rune(0)
		for i, r := range field {
			to := i
			switch {
			case i == from || unicode.IsMark(r):
				to = 0
			case (prev == ':' || prev == '.' || prev == '/') && unicode.IsDigit(r):
				to = i - 1
			case !dash(prev) && !learn.Wide(r) && (!learn.Wide(prev) || closing(string(r))):
				to = 0
			}
			if to > from {
				if !yield(field[from:to]) {
					return
				}
				from = i
			}
			prev = r
		}
		yield(field[from:])
	}
}

func dash(r rune) bool { return unicode.Is(unicode.Pd, r) || r == '−' }

// written says whether r can be part of a word.
func written(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

// closing says whether what follows a word has punctuation that ends a phrase.
func closing(s string) bool {
	return strings.ContainsAny(s, ",.;:!?…，。、；：！？،؛؟।—")
}

// ending says whether it has punctuation that ends a sentence.
func ending(s string) bool { return strings.ContainsAny(s, ".!?…。！？؟।") }

// lowerFirst writes the first word of a sentence as it would stand within it, as far as that
// is known: German nouns, acronyms and the English I stay.
func lowerFirst(language, shown string) string {
	first, n := utf8.DecodeRuneInString(shown)
	second, _ := utf8.DecodeRuneInString(shown[n:])
	if language == "de" || !unicode.IsUpper(first) || unicode.IsUpper(second) ||
		language == "en" && first == 'I' && (n == len(shown) || second == '\'') {
		return shown
	}
	return string(unicode.ToLower(first)) + shown[n:]
}

// tokens are the tokens of a unit.
func tokens(language, shown string) []token {
	s := strings.ToLower(shown)
	if n, ok := numeral(language, s); ok {
		return n
	}
	s = orthography(language, s)
	var texts []string
	switch language {
	case "en":
		return english(s)
	case "fr", "it", "ca":
		texts = elided(s)
	case "de":
		if base, ok := strings.CutSuffix(s, "'s"); ok && base != "" {
			texts = []string{base, "es"}
		}
	}
	if texts == nil {
		texts = []string{s}
	}
	var out []token
	for _, text := range texts {
		if text = letters(text); text != "" {
			out = append(out, token{text: text})
		}
	}
	if out == nil { // marks alone
		out = []token{{text: s}}
	}
	return out
}

// letters is s without what is neither letter, digit nor mark.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if written(r) {
			return r
		}
		return -1
	}, s)
}

// elided cuts at the apostrophes of l'homme and dell'arte.
func elided(s string) []string {
	if s == "aujourd'hui" {
		return []string{s}
	}
	return strings.Split(s, "'")
}

// english cuts contractions, which a recogniser may write either way. What 's and 'd stand
// for is not known, so each may be any of them.
func english(s string) []token {
	is := token{text: "'s", others: []string{"is", "has", "us"}}
	would := token{text: "'d", others: []string{"would", "had", "did"}}
	switch s {
	case "can't", "cannot":
		return []token{{text: "can"}, {text: "not"}}
	case "won't":
		return []token{{text: "will"}, {text: "not"}}
	case "shan't":
		return []token{{text: "shall"}, {text: "not"}}
	}
	for _, c := range []struct {
		suffix string
		token  token
	}{{"n't", token{text: "not"}}, {"'m", token{text: "am"}}, {"'re", token{text: "are"}}, {"'ve", token{text: "have"}},
		{"'ll", token{text: "will"}}, {"'s", is}, {"'d", would}} {
		if base, ok := strings.CutSuffix(s, c.suffix); ok && letters(base) != "" {
			return append(english(base), c.token)
		}
	}
	if text := letters(s); text != "" {
		s = text
	}
	return []token{{text: s}}
}
