package session

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kalami/session/learn"
)

// A joint joins the continuation of a reply to what was said of it. Models that are told
// to go on from the end of a text like to begin with some of it: a joint holds back what
// may be such a repetition until it is known, and drops it. It also keeps words apart. It
// is for one goroutine.
type joint struct {
	said   []rune // its letters and digits, in lower case
	starts []int  // places in said at which words begin
	blank  bool   // a blank is wanted before the first word
	open   bool   // everything passes from now on
	held   strings.Builder
}

// enoughRepeated is how many letters and digits in a row are no coincidence; a character
// of a script without blanks counts as three.
const enoughRepeated = 12

// newJoint returns one behind said; behind nothing, everything passes.
func newJoint(said string) *joint {
	s := &joint{open: strings.TrimSpace(said) == ""}
	last, _ := utf8.DecodeLastRuneInString(said)
	s.blank = !s.open && !unicode.IsSpace(last) && !learn.Wide(last)
	within := false
	for _, r := range said {
		if !sounds(r) {
			within = within && !unicode.IsSpace(r)
			continue
		}
		if !within || learn.Wide(r) {
			s.starts = append(s.starts, len(s.said))
		}
		within = true
		s.said = append(s.said, unicode.ToLower(r))
	}
	return s
}

// sounds says whether a character is spoken.
func sounds(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// write takes some of the continuation and returns what may pass.
func (s *joint) write(text string) string {
	if s.open {
		return text
	}
	s.held.WriteString(text)
	return s.release(false)
}

// rest returns what is still held and no repetition, when the continuation is over.
func (s *joint) rest() string {
	if s.open {
		return ""
	}
	return s.release(true)
}

// release lets pass what is held once it is known where the repetition ends.
func (s *joint) release(over bool) string {
	held := s.held.String()
	letters := lettersIn(held)
	if len(letters) == 0 {
		return "" // marks alone say nothing
	}
	matched, whole := s.match(letters)
	if matched == len(letters) && !over {
		return "" // it may go on being one
	}
	s.open = true
	fresh := held[s.repeated(held, letters, matched, whole):]
	if whole > 0 || len(fresh) < len(held) {
		fresh = strings.TrimLeftFunc(fresh, func(r rune) bool { return !sounds(r) && !opens(r) })
	}
	if lettersIn(fresh) == nil {
		return ""
	}
	if first, _ := utf8.DecodeRuneInString(fresh); s.blank && (sounds(first) || opens(first)) && !learn.Wide(first) {
		fresh = " " + fresh
	}
	return fresh
}

// opens says whether a mark belongs to the word after it.
func opens(r rune) bool { return strings.ContainsRune("¿¡«„“\"'([", r) }

// match compares letters with what was said from each of its words on: matched is how
// many of them repeat it at most, and whole how many repeat it up to its very end.
func (s *joint) match(letters []rune) (matched, whole int) {
	for _, from := range s.starts {
		n := 0
		for n < len(letters) && from+n < len(s.said) && letters[n] == s.said[from+n] {
			n++
		}
		if from+n == len(s.said) {
			whole = max(whole, n)
			if n < len(letters) {
				continue // it goes on with something new
			}
		}
		matched = max(matched, n)
	}
	return matched, whole
}

// repeated returns how many bytes of held are to be dropped: what repeats the end of what
// was said, or else the sentences that repeat some of it.
func (s *joint) repeated(held string, letters []rune, matched, whole int) int {
	if weight(letters[:whole]) >= enoughRepeated || whole == len(s.said) {
		return after(held, whole)
	}
	if matched == len(letters) && weight(letters) >= enoughRepeated { // and nothing came after it
		return len(held)
	}
	end := after(held, matched)
	for end > 0 && !endsWithSentence(held[:end]) {
		_, size := utf8.DecodeLastRuneInString(held[:end])
		end -= size
	}
	if weight(lettersIn(held[:end])) >= enoughRepeated {
		return end
	}
	return 0
}

// weight is how much of a coincidence it would be to say these again.
func weight(letters []rune) (n int) {
	for _, r := range letters {
		if n++; learn.Wide(r) {
			n += 2
		}
	}
	return n
}

// lettersIn returns the letters and digits of text in lower case.
func lettersIn(text string) (letters []rune) {
	for _, r := range text {
		if sounds(r) {
			letters = append(letters, unicode.ToLower(r))
		}
	}
	return slices.Clip(letters)
}

// after returns the place behind the first n letters and digits of text and the marks
// that follow them.
func after(text string, n int) int {
	for at, r := range text {
		if !sounds(r) {
			continue
		}
		if n == 0 {
			rest := text[:at]
			return len(strings.TrimRightFunc(rest, opens))
		}
		n--
	}
	return len(text)
}
