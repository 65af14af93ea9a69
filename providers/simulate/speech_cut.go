package simulate

import (
	"iter"
	"strings"
	"unicode"
)

// piece is a fragment of a text with what stands around it. Joined, the lead,
// spoken and tail of all pieces give back the text.
type piece struct {
	lead   string // of the first piece alone: what stands before any letter
	spoken string // starts and ends with a letter or digit
	tail   string // punctuation and white space up to the next piece
}

// pauseMS is how long the voice rests after the piece.
func (p piece) pauseMS() int {
	switch {
	case p.spoken == "":
		return 0
	case strings.ContainsAny(p.tail, ".?!…\n"):
		return sentencePauseMS
	case strings.ContainsFunc(p.tail, unicode.IsPunct):
		return clausePauseMS
	}
	return 0
}

// Fragments yields the stretches of a text between its punctuation marks, which
// is what a shipped clip speaks, each with the marks that follow it ("Of course,").
func Fragments(text string) iter.Seq2[string, string] {
	return func(yield func(spoken, tail string) bool) {
		for _, p := range cut(text) {
			if p.spoken != "" && !yield(p.spoken, strings.TrimSpace(p.tail)) {
				return
			}
		}
	}
}

// cut divides a text at its punctuation into the finest pieces. A text without
// a letter or digit is one piece that has a lead alone.
func cut(text string) []piece {
	var out []piece
	runes := []rune(text)
	at := 0
	next := func(stop func(i int) bool) string {
		from := at
		for at < len(runes) && !stop(at) {
			at++
		}
		return string(runes[from:at])
	}
	sounds := func(i int) bool { return unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]) }
	lead := next(sounds)
	for at < len(runes) {
		spoken := next(func(i int) bool { return boundary(runes, i) })
		trimmed := strings.TrimRightFunc(spoken, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
		out = append(out, piece{lead, trimmed, spoken[len(trimmed):] + next(sounds)})
		lead = ""
	}
	if lead != "" {
		out = append(out, piece{lead: lead})
	}
	return out
}

// boundary says whether a fragment ends at rune i. A mark between two digits
// ("8:30", "3.5") and an apostrophe or hyphen inside a word do not end one.
func boundary(runes []rune, i int) bool {
	r := runes[i]
	switch r {
	case '\n', ';', '?', '!', '¿', '¡', '…', '—', '–', '(', ')', '[', ']', '"', '«', '»', '“', '”', '„', '。', '，', '？', '！', '、':
		return true
	case ',', '.', ':':
		return i == 0 || i+1 == len(runes) || !unicode.IsDigit(runes[i-1]) || !unicode.IsDigit(runes[i+1])
	case '-':
		return i > 0 && unicode.IsSpace(runes[i-1])
	}
	return false
}

// normalise reduces a fragment to what matters for how it sounds: lower-case
// letters, digits and marks, apostrophes straightened, all else one space.
func normalise(text string) string {
	var b strings.Builder
	gap := false
	for _, r := range text {
		if r == '’' || r == 'ʼ' {
			r = '\''
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\'' {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte(' ')
		}
		gap = false
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// primaryTag returns the primary subtag of a BCP-47 tag in lower case.
func primaryTag(tag string) string {
	tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
	tag, _, _ = strings.Cut(tag, "_")
	return tag
}
