package simulate

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// wordsOf returns a text's words for comparing: lower case, accents and
// punctuation gone, hesitations left out.
func wordsOf(text string) []string {
	fields := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)
	})
	out := fields[:0]
	for _, f := range fields {
		if f = strings.Map(plainLetter, f); f != "" && !isFiller(f) {
			out = append(out, f)
		}
	}
	return out
}

// plainLetter strips the accent of a Latin letter in lower case, and drops combining marks.
func plainLetter(r rune) rune {
	switch r {
	case 'á', 'à', 'â', 'ä', 'ã', 'å':
		return 'a'
	case 'é', 'è', 'ê', 'ë':
		return 'e'
	case 'í', 'ì', 'î', 'ï':
		return 'i'
	case 'ó', 'ò', 'ô', 'ö', 'õ':
		return 'o'
	case 'ú', 'ù', 'û', 'ü':
		return 'u'
	case 'ç':
		return 'c'
	case 'ñ':
		return 'n'
	}
	if unicode.Is(unicode.Mn, r) {
		return -1
	}
	return r
}

// isFiller knows how people hesitate in the scripts' languages.
func isFiller(w string) bool {
	switch w {
	case "um", "uh", "uhm", "erm", "er", "hm", "hmm", "mm", "mhm", "eh", "em", "este", "euh", "heu", "ah", "ahm", "ehm", "oh":
		return true
	}
	return false
}

// wantsAgain tells whether a learner asks to hear the last line again, or slower.
func wantsAgain(text string) bool {
	heard := wordsOf(text)
	// "Again" alone may be part of a story.
	if slices.Contains(heard, "again") && (len(heard) <= 3 || slices.Contains(heard, "say")) {
		return true
	}
	said := " " + strings.Join(heard, " ") + " "
	for _, phrase := range []string{
		"once again", "once more", "repeat", "slower", "slowly", "pardon",
		"otra vez", "de nuevo", "repite", "repita", "repetir", "mas despacio", "mas lento", "como dice",
		"encore une fois", "repeter", "repetez", "repete", "plus lentement", "moins vite",
		"noch einmal", "nochmal", "noch mal", "wiederholen", "wiederhole", "langsamer", "wie bitte",
	} {
		if strings.Contains(said, " "+phrase+" ") {
			return true
		}
	}
	return false
}

// tokensOf cuts a line into pieces like a language model's: a word with the blank
// before it, long words in two. Joined they are the line.
func tokensOf(line string) []string {
	var out []string
	start := 0
	for i, r := range line {
		if r == ' ' && i > start {
			out = appendToken(out, line[start:i])
			start = i
		}
	}
	if start < len(line) {
		out = appendToken(out, line[start:])
	}
	return out
}

// appendToken adds a word, in two pieces when it has more than eight characters, its blank included.
func appendToken(out []string, word string) []string {
	if utf8.RuneCountInString(word) <= 8 {
		return append(out, word)
	}
	at := 0
	for range 5 {
		_, size := utf8.DecodeRuneInString(word[at:])
		at += size
	}
	return append(out, word[:at], word[at:])
}

// continued returns what is left of a line behind its beginning, or a full stop when that
// is nothing. A beginning of another line has everything left.
func continued(line, begun string) string {
	sounds := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	n := 0
	for _, r := range begun {
		if !sounds(r) {
			continue
		}
		at := strings.IndexFunc(line[n:], sounds)
		if at < 0 {
			return "."
		}
		first, size := utf8.DecodeRuneInString(line[n+at:])
		if first != r {
			return line
		}
		n += at + size
	}
	if at := strings.IndexFunc(line[n:], func(r rune) bool {
		return !unicode.IsPunct(r) && !unicode.IsSpace(r) || strings.ContainsRune("¿¡", r)
	}); at >= 0 {
		return line[n+at:]
	}
	return "."
}
