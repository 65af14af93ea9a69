package learn

import (
	"slices"
	"strings"
	"unicode"
)

// writtenIn says whether a text can be of a language: some of its letters belong to the
// language's script, and outside of its quotations it has not more of the commonest words
// of another language than of its own. It may quote words of another.
func writtenIn(text, language string) bool {
	scripts := scriptsOf(language)
	if scripts == nil {
		return true // its script is not known here
	}
	if !strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, scripts...) }) {
		return false
	}
	own, known := commonWords()[language]
	if !known {
		return true
	}
	said := Words(unquoted(text))
	count := func(common []string) (n int) {
		for _, w := range said {
			if slices.Contains(common, w) {
				n++
			}
		}
		return n
	}
	ours := count(own)
	for other, common := range commonWords() {
		if theirs := count(common); other != language && theirs >= 2 && theirs > ours {
			return false
		}
	}
	return true
}

// hasScript says whether a word or phrase can be of a language by its letters: those that
// it has, if any, are not all of other scripts.
func hasScript(text, language string) bool {
	scripts := scriptsOf(language)
	if language == "ja" {
		scripts = append(scripts, unicode.Han)
	}
	return scripts == nil || !strings.ContainsFunc(text, unicode.IsLetter) ||
		strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, scripts...) })
}

// scriptsOf are those of which a sentence of a language has letters; nil when they are not
// known.
func scriptsOf(language string) []*unicode.RangeTable {
	switch language {
	case "ja":
		return []*unicode.RangeTable{unicode.Hiragana, unicode.Katakana}
	case "zh":
		return []*unicode.RangeTable{unicode.Han}
	case "ko":
		return []*unicode.RangeTable{unicode.Hangul}
	case "ar":
		return []*unicode.RangeTable{unicode.Arabic}
	case "ru":
		return []*unicode.RangeTable{unicode.Cyrillic}
	}
	if _, ok := LanguageByCode(language); !ok {
		return nil
	}
	return []*unicode.RangeTable{unicode.Latin}
}

// commonWords are the words that sentences of the languages with one script are told apart
// by: frequent ones that another of these languages has not.
func commonWords() map[string][]string {
	return map[string][]string{
		"en": {"the", "is", "are", "and", "of", "you", "use", "for", "with", "when", "this", "not", "it", "here", "should", "after", "because"},
		"es": {"el", "los", "las", "es", "y", "usa", "se", "para", "con", "cuando", "aquí", "porque", "después", "debe", "esta", "verbo"},
		"fr": {"le", "les", "est", "et", "des", "on", "pour", "avec", "quand", "ici", "il", "faut", "parce", "après", "ce", "dans"},
		"de": {"der", "die", "das", "ist", "und", "nicht", "für", "mit", "wenn", "hier", "man", "weil", "nach", "ein", "eine", "sie"},
		"it": {"il", "gli", "è", "e", "si", "per", "con", "quando", "qui", "perché", "dopo", "che", "di", "della", "questo", "verbo"},
		"pt": {"o", "os", "é", "e", "se", "para", "com", "quando", "aqui", "porque", "depois", "não", "do", "da", "uma", "verbo"},
	}
}

// unquoted is a text without what stands between quotation marks, which may be of another
// language.
func unquoted(text string) string {
	const ends = "\"\u201d\u00bb\u2019\u201c"
	var b strings.Builder
	inside := false
	for _, r := range text {
		switch {
		case inside && strings.ContainsRune(ends, r):
			inside = false
		case !inside && strings.ContainsRune("\"\u201c\u201e\u00ab\u2018", r):
			inside = true
			b.WriteByte(' ')
		case !inside:
			b.WriteRune(r)
		}
	}
	return b.String()
}
