package session

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"kalami/session/learn"
)

// Lengths, in characters, that a piece must have before it is worth speaking on its
// own. The first piece of a reply may be short, because the learner is waiting.
const (
	firstClauseMin = 12
	clauseMin      = 40
	// clauseMax forces a cut at a space, for a model that forgets punctuation.
	clauseMax = 240
)

// clauseCutter cuts a stream of text into pieces that can be spoken one by one:
// at the ends of sentences always, at commas when the piece is long enough.
type clauseCutter struct {
	pending string
	cut     int // pieces given so far
}

// add appends text and returns the pieces that are complete, in order. Their
// concatenation, with what flush returns, is exactly the text that came in.
func (c *clauseCutter) add(text string) []string {
	c.pending += text
	var pieces []string
	for {
		n := c.boundary()
		if n == 0 {
			return pieces
		}
		pieces = append(pieces, c.pending[:n])
		c.pending = c.pending[n:]
		c.cut++
	}
}

// flush returns what is left, or "".
func (c *clauseCutter) flush() string {
	rest := c.pending
	c.pending = ""
	return rest
}

// boundary returns the length of the first complete piece in bytes, or 0.
func (c *clauseCutter) boundary() int {
	least := clauseMin
	if c.cut == 0 {
		least = firstClauseMin
	}
	count := 0
	for i, r := range c.pending {
		count++
		if r == utf8.RuneError {
			continue // of one byte or of three
		}
		after := c.pending[i+utf8.RuneLen(r):]
		switch {
		case strings.ContainsRune("。！？", r):
			return len(c.pending) - len(after)
		case strings.ContainsRune(".!?…؟", r) && endsSentence(c.pending[:i], r, after):
			return len(c.pending) - len(strings.TrimLeft(after, " \n"))
		case strings.ContainsRune(",;:—、，；：،؛", r) && count >= least && pauses(r, after):
			return len(c.pending) - len(strings.TrimLeft(after, " \n"))
		case unicode.IsSpace(r) && count >= clauseMax:
			return len(c.pending) - len(after)
		}
	}
	return 0
}

// pauses says whether a comma-like rune is followed by white space (a wide one needs none).
func pauses(r rune, after string) bool {
	return r > 0x2fff || after != "" && unicode.IsSpace(rune(after[0]))
}

// endsSentence says whether the mark r, after before and ahead of after, ends a
// sentence: white space must follow, and a full stop must not belong to an
// abbreviation, an initial or an ordinal ("Dr.", "J.", "3.").
func endsSentence(before string, r rune, after string) bool {
	if after == "" || !unicode.IsSpace(rune(after[0])) {
		return false
	}
	if r != '.' {
		return true
	}
	word := before[strings.LastIndexFunc(before, unicode.IsSpace)+1:]
	if abbreviations[strings.ToLower(word)] || utf8.RuneCountInString(word) == 1 && word != "I" {
		return false
	}
	return strings.IndexFunc(word, func(r rune) bool { return !unicode.IsDigit(r) }) >= 0
}

// abbreviations are words that end in a full stop within a sentence.
var abbreviations = learn.WordSet("dr mr mrs ms prof st sr sra srta d dña ud uds pág núm ej etc vs hr fr nr bzw usw z.b d.h u.a ca m mme mlle av tel p.ej")

// speakable removes what a voice should not read aloud: markdown signs, emoji and
// control characters. Letters, digits, punctuation and spaces stay as they are.
func speakable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r == '*' || r == '#' || r == '`' || r == '_' || r == '~' || r == '|' || r == '\ufe0f' || r == '\u200d':
			return -1
		case r == '°':
			return r // a symbol, but one that is read
		case unicode.IsControl(r) || unicode.Is(unicode.So, r) || unicode.Is(unicode.Sk, r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, text)
}
