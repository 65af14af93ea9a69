package failover

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"kalami/providers"
)

// spoken follows how far a vendor has come in the text that it was given, from where its
// characters sound. It is for one goroutine at a time.
type spoken struct {
	text    string
	letters []letter // and digits, of text
	pos     int      // letters found so far
	queue   []providers.CharMark
	passed  int // characters that were spoken since, and stand nowhere in the text

	whole  int // bytes up to which words are known to be spoken whole
	openMS int // where the word begins that is not, -1 for none
	endMS  int // of the last character
}

// letter is one of the text, in lower case, which may be of another length, and its bytes.
type letter struct {
	r          rune
	begin, end int
}

// As in following captions: how many characters in a row must be found to pass over text,
// and how many letters are passed over at most.
const (
	evidence  = 4
	lookAhead = 64
)

func newSpoken() *spoken { return &spoken{openMS: -1} }

// sounds says whether a character is spoken.
func sounds(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// wide says whether r is of a script that is written without spaces.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}

// write adds text that the vendor was given.
func (s *spoken) write(text string) {
	for at, r := range text {
		if sounds(r) {
			s.letters = append(s.letters, letter{unicode.ToLower(r), len(s.text) + at, len(s.text) + at + utf8.RuneLen(r)})
		}
	}
	s.text += text
}

// owed is how many letters were not found yet.
func (s *spoken) owed() int { return len(s.letters) - s.pos }

// align takes marks in order; last says that none will follow.
func (s *spoken) align(marks []providers.CharMark, last bool) {
	for _, m := range marks {
		s.endMS = max(s.endMS, m.EndMS)
		if r, _ := utf8.DecodeRuneInString(m.Char); sounds(r) {
			s.queue = append(s.queue, m)
		}
	}
	for len(s.queue) > 0 && (len(s.queue) >= evidence || last || s.follows(s.pos, s.queue[:1])) {
		m := s.queue[0]
		at := s.find(s.queue[:min(evidence, len(s.queue))])
		if at < 0 && s.follows(s.pos, s.queue[:1]) {
			at = s.pos
		}
		if s.openMS < 0 {
			s.openMS = m.StartMS
		}
		s.queue = s.queue[1:]
		if at < 0 {
			s.passed++
			continue
		}
		s.pos, s.passed = at+1, 0
		if end, ok := s.wordEnd(at); ok {
			s.whole, s.openMS = end, -1
		}
	}
	if s.openMS < 0 && len(s.queue) > 0 {
		s.openMS = s.queue[0].StartMS
	}
}

// find returns where the marks' characters come next, or -1.
func (s *spoken) find(marks []providers.CharMark) int {
	for at := s.pos; at < len(s.letters) && at <= s.pos+lookAhead; at++ {
		if s.follows(at, marks) {
			return at
		}
	}
	return -1
}

// follows says whether the letters from place at on are those of marks.
func (s *spoken) follows(at int, marks []providers.CharMark) bool {
	if at+len(marks) > len(s.letters) {
		return false
	}
	for i, m := range marks {
		if r, _ := utf8.DecodeRuneInString(m.Char); unicode.ToLower(r) != s.letters[at+i].r {
			return false
		}
	}
	return true
}

// wordEnd says whether the letter at a place is a word's last, and where the word ends
// with the marks and blanks behind it.
func (s *spoken) wordEnd(at int) (end int, ok bool) {
	end = s.letters[at].end
	next := len(s.text)
	if at+1 < len(s.letters) {
		next = s.letters[at+1].begin
	}
	blank := false
	for i, r := range s.text[end:next] {
		if unicode.IsSpace(r) {
			blank = true
		} else if blank {
			return end + i, true // a mark before the next word belongs to it
		}
	}
	return next, blank || at+1 == len(s.letters) || wide(s.letters[at].r) || wide(s.letters[at+1].r)
}

// spread places the characters of a text evenly in time, for a voice that gives no
// alignment where another has given one.
func spread(text string, fromMS, toMS int) []providers.CharMark {
	n := utf8.RuneCountInString(text)
	marks := make([]providers.CharMark, 0, n)
	for _, r := range text {
		i := len(marks)
		marks = append(marks, providers.CharMark{Char: string(r), StartMS: fromMS + (toMS-fromMS)*i/n, EndMS: fromMS + (toMS-fromMS)*(i+1)/n})
	}
	return slices.Clip(marks)
}
