package session

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kalami/providers"
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
	// open is the word being matched, until its last character is there.
	open      timedWord
	openStart int // byte where it starts; -1 when none is open
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

// newTimeline returns an empty timeline.
func newTimeline() *timeline { return &timeline{openStart: -1} }

// write adds text that was given to the voice.
func (t *timeline) write(text string) { t.text += text }

// align adds the voice's marks. Characters that the voice spelled out otherwise
// than written (numbers, symbols) are passed over: the written word takes their time.
func (t *timeline) align(marks []providers.CharMark) {
	if len(marks) > 0 && !t.marks {
		t.marks = true
		t.words = t.words[:0] // estimates until now
	}
	for _, m := range marks {
		r, _ := utf8.DecodeRuneInString(m.Char)
		if r == utf8.RuneError || unicode.IsSpace(r) {
			continue
		}
		at := t.find(r)
		if at < 0 {
			t.stretch(m)
			continue
		}
		t.place(at, utf8.RuneLen(t.runeAt(at)), m)
	}
}

// lookAhead bounds the search for a character that the voice spoke, in bytes.
const lookAhead = 48

// find returns where r next occurs in the text not yet matched, or -1.
func (t *timeline) find(r rune) int {
	rest := t.text[t.matched:]
	for i, c := range rest {
		if i > lookAhead {
			break
		}
		if unicode.ToLower(c) == unicode.ToLower(r) {
			return t.matched + i
		}
	}
	return -1
}

func (t *timeline) runeAt(i int) rune {
	r, _ := utf8.DecodeRuneInString(t.text[i:])
	return r
}

// place records that the character at byte i sounds at m.
func (t *timeline) place(i, size int, m providers.CharMark) {
	from := wordStart(t.text, i)
	if t.openStart != from {
		t.close(from)
		t.openStart = from
		t.open = timedWord{From: from, StartMS: m.StartMS, EndMS: m.EndMS}
	}
	t.open.EndMS = max(t.open.EndMS, m.EndMS)
	t.matched = i + size
}

// stretch gives time spoken for no written character to the word being matched.
func (t *timeline) stretch(m providers.CharMark) {
	if t.openStart >= 0 {
		t.open.EndMS = max(t.open.EndMS, m.EndMS)
	}
}

// close finishes the open word, whose text reaches to byte end.
func (t *timeline) close(end int) {
	if t.openStart < 0 {
		return
	}
	t.open.To = end
	t.words = append(t.words, t.open)
	t.openStart = -1
}

// finish says that all audio has come and how long it is: the last word is closed,
// and estimated places are scaled to the true length.
func (t *timeline) finish(audioMS int) {
	if t.marks {
		t.close(len(t.text))
		return
	}
	t.estimate(audioMS)
}

// paceMS is the time one character takes where the voice does not say: about 15 characters a second.
const paceMS = 66

// estimate places every word by its share of the text. audioMS is the true length,
// or 0 while it is not known.
func (t *timeline) estimate(audioMS int) {
	total := utf8.RuneCountInString(t.text)
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
		n := utf8.RuneCountInString(t.text[from:to])
		t.words = append(t.words, timedWord{From: from, To: to,
			StartMS: int(float64(chars) * perChar), EndMS: int(float64(chars+n) * perChar)})
		chars += n
		from = to
	}
}

// take returns the words not yet taken whose place is known, for captions.
func (t *timeline) take() []timedWord {
	if !t.marks {
		t.estimate(0)
	}
	first := slices.IndexFunc(t.words, func(w timedWord) bool { return w.From >= t.captioned })
	if first < 0 {
		return nil
	}
	fresh := t.words[first:]
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
	if isWide(runeAfter(text, i)) {
		return i
	}
	from := i
	for from > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:from])
		if unicode.IsSpace(r) || isWide(r) {
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
		if at > 0 && (isWide(r) && !unicode.IsPunct(r) || seen && !unicode.IsSpace(r)) {
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

// isWide says whether r belongs to a script written without spaces between words;
// there every character counts as a word.
func isWide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}
