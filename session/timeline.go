package session

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kalami/providers"
	"kalami/session/cutting"
	"kalami/session/learn"
)

// timeline knows where in a reply's audio each of its words is spoken: it turns
// "the learner heard 1,840 ms" into the words that were heard.
//
// The voice says where characters are (providers.CharMark); for one that does
// not, places are estimated from the pace of speech (see estimate).
type timeline struct {
	text  string // all that was given to the voice
	words []timedWord
	// matched is how far into text the voice's characters have been found, in bytes.
	matched int
	// waiting are characters of the voice that are not judged yet: too few follow them.
	waiting []spokenChar
	// open is the word being matched, until its last character is there.
	open      timedWord
	openStart int // byte where it starts; -1 when none is open
	closed    int // byte up to which words lie in words
	// marks says whether the voice ever gave an alignment.
	marks bool
	// captioned is how much of text take has handed out, in bytes.
	captioned int
}

// timedWord is a word of the reply, with the white space that follows it, and
// where it sounds.
type timedWord struct {
	From, To       int // bytes of the text
	StartMS, EndMS int
}

// spokenChar is a character as the voice spoke it, in lower case.
type spokenChar struct {
	r              rune
	startMS, endMS int
}

// newTimeline returns an empty timeline.
func newTimeline() *timeline { return &timeline{openStart: -1} }

// write adds text that was given to the voice.
func (t *timeline) write(text string) { t.text += text }

// align adds the voice's marks. Characters that the voice spelled out otherwise
// than written (numbers, symbols) are passed over: the written word takes their time.
func (t *timeline) align(marks []providers.CharMark) {
	if len(marks) > 0 && !t.marks {
		t.marks = true
		t.words = nil // estimates until now
	}
	for _, m := range marks {
		r, _ := utf8.DecodeRuneInString(m.Char)
		if r != utf8.RuneError && !unicode.IsSpace(r) {
			t.waiting = append(t.waiting, spokenChar{unicode.ToLower(r), m.StartMS, m.EndMS})
		}
	}
	t.match(false)
}

const (
	// lookAhead bounds the search for what the voice spoke, in bytes of the text.
	lookAhead = 64
	// evidence is how many characters in a row must be found to pass over text: single
	// letters of a number spelled out occur everywhere.
	evidence = 4
)

// match finds the voice's characters in the text. At the end, when no more will come,
// fewer are enough evidence.
func (t *timeline) match(last bool) {
	n := 0
	for ; n < len(t.waiting); n++ {
		c := t.waiting[n]
		if at := skipSpace(t.text, t.matched); at < len(t.text) && unicode.ToLower(runeAfter(t.text, at)) == c.r {
			t.place(at, c)
			continue
		}
		rest := t.waiting[n:]
		if len(rest) < evidence && !last {
			break
		}
		if at := t.find(rest[:min(evidence, len(rest))]); at >= 0 {
			t.place(at, c)
		} else {
			t.stretch(c)
		}
	}
	t.waiting = append(t.waiting[:0], t.waiting[n:]...)
}

// find returns where chars next occur in a row in the text not yet matched, or -1.
func (t *timeline) find(chars []spokenChar) int {
	rest := t.text[t.matched:]
	for i := range rest {
		if i > lookAhead {
			break
		}
		if !unicode.IsSpace(runeAfter(rest, i)) && begins(rest[i:], chars) {
			return t.matched + i
		}
	}
	return -1
}

// begins says whether text begins with chars, but for white space.
func begins(text string, chars []spokenChar) bool {
	for _, r := range text {
		if len(chars) == 0 {
			return true
		}
		if unicode.IsSpace(r) {
			continue
		}
		if unicode.ToLower(r) != chars[0].r {
			return false
		}
		chars = chars[1:]
	}
	return len(chars) == 0
}

// skipSpace returns where the first character that is no white space is, from byte i on.
func skipSpace(text string, i int) int {
	for at, r := range text[i:] {
		if !unicode.IsSpace(r) {
			return i + at
		}
	}
	return len(text)
}

// place records that the character at byte i sounds as c.
func (t *timeline) place(i int, c spokenChar) {
	from := max(wordStart(t.text, i), t.closed)
	if t.openStart != from {
		t.close(from)
		t.openStart = from
		t.open = timedWord{From: t.closed, StartMS: c.startMS, EndMS: c.endMS}
	}
	t.open.EndMS = max(t.open.EndMS, c.endMS)
	_, size := utf8.DecodeRuneInString(t.text[i:])
	t.matched = i + size
}

// stretch gives time spoken for no written character to the word being matched.
func (t *timeline) stretch(c spokenChar) {
	if t.openStart >= 0 {
		t.open.EndMS = max(t.open.EndMS, c.endMS)
	}
}

// close finishes the open word, whose text reaches to byte end.
func (t *timeline) close(end int) {
	if t.openStart < 0 {
		return
	}
	t.open.To = end
	t.words = append(t.words, t.open)
	t.openStart, t.closed = -1, end
}

// sounded returns how much of the text, in bytes, is known to have been spoken by when.
func (t *timeline) sounded() (to, ms int) {
	switch {
	case t.openStart >= 0:
		return t.matched, t.open.EndMS
	case t.marks && len(t.words) > 0:
		return t.closed, t.words[len(t.words)-1].EndMS
	}
	return 0, 0
}

// finish says that all audio has come and how long it is: the last word is closed,
// and estimated places are scaled to the true length.
func (t *timeline) finish(audioMS int) {
	if !t.marks {
		t.estimate(audioMS)
		return
	}
	t.match(true)
	if t.openStart < 0 && t.closed < len(t.text) { // nothing was ever found
		t.openStart, t.open = t.closed, timedWord{From: t.closed}
	}
	if skipSpace(t.text, t.matched) < len(t.text) { // the end was not found: it lasts as long as the audio
		t.open.EndMS = max(t.open.EndMS, audioMS)
	}
	t.close(len(t.text))
}

// paceMS is the time one character takes where the voice does not say: about 15 characters a second.
const paceMS = 66

// estimate places every word by its share of the text. audioMS is the true length,
// or 0 while it is not known.
func (t *timeline) estimate(audioMS int) {
	total := cutting.Letters(t.text)
	if total == 0 {
		return
	}
	perChar := float64(paceMS)
	if audioMS > 0 {
		perChar = float64(audioMS) / float64(total)
	}
	t.words = t.words[:0]
	chars := 0
	for from := 0; from < len(t.text); {
		to := wordEnd(t.text, from)
		n := cutting.Letters(t.text[from:to])
		t.words = append(t.words, timedWord{From: from, To: to,
			StartMS: int(float64(chars) * perChar), EndMS: int(float64(chars+n) * perChar)})
		chars += n
		from = to
	}
}

// take returns the words not yet taken whose place is known, for captions. The
// slice is the caller's.
func (t *timeline) take() []timedWord {
	if !t.marks {
		t.estimate(0)
	}
	first := slices.IndexFunc(t.words, func(w timedWord) bool { return w.To > t.captioned })
	if first < 0 {
		return nil
	}
	fresh := slices.Clone(t.words[first:])
	fresh[0].From = t.captioned // where estimates ended within a word
	t.captioned = fresh[len(fresh)-1].To
	return fresh
}

// heard splits the text at what had been spoken after playedMS: a word counts
// once its last sound was played. slackMS forgives rounding of the report.
func (t *timeline) heard(playedMS int) (heard, unheard string) {
	const slackMS = 20
	if !t.marks && len(t.words) == 0 {
		t.estimate(0)
	}
	end := 0
	for _, w := range t.words {
		if w.EndMS > playedMS+slackMS {
			break
		}
		end = w.To
	}
	return strings.TrimSpace(t.text[:end]), strings.TrimSpace(t.text[end:])
}

// wordStart returns where the word that holds byte i begins.
func wordStart(text string, i int) int {
	if learn.Wide(runeAfter(text, i)) {
		return i
	}
	from := i
	for from > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:from])
		if unicode.IsSpace(r) || learn.Wide(r) {
			break
		}
		from -= size
	}
	return from
}

// wordEnd returns where the word that begins at byte i ends, with the space after it.
func wordEnd(text string, i int) int {
	seen := false
	for at, r := range text[i:] {
		if at > 0 && (learn.Wide(r) && !unicode.IsPunct(r) || seen && !unicode.IsSpace(r)) {
			return i + at
		}
		if unicode.IsSpace(r) {
			seen = true
		}
	}
	return len(text)
}

func runeAfter(text string, i int) rune {
	r, _ := utf8.DecodeRuneInString(text[i:])
	return r
}
