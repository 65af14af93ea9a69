package cutting

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// verdict is what a run of marks is.
type verdict uint8

const (
	nothing   verdict = iota // it belongs to a word, a number, an address
	undecided                // that hangs on what follows
	pause
	sentence
)

// judge says what a run of marks is.
func (w *words) judge(m run) verdict {
	mark, last := firstRune(m.marks), lastRune(m.before)
	switch {
	case m.next == 0:
		return nothing
	case mark == '.' || mark == '…':
		if strings.Trim(string(m.marks), ".…") == "" {
			return w.judgeDots(m)
		}
	case dashes(mark):
		if unicode.IsSpace(last) && unicode.IsSpace(m.next) {
			return pause
		}
		return nothing
	case pauses(mark):
		return judgePause(m, last, mark)
	}
	return judgeCall(m, mark)
}

// judgeCall judges "?", "!", "。" and runs of them.
func judgeCall(m run, mark rune) verdict {
	switch full := mark > 0x2fff; {
	case full && m.closed && (m.next == 'と' || m.next == 'っ'): // 「はい。」と言った
		return nothing
	case full:
		return sentence
	case !unicode.IsSpace(m.next):
		if wide(m.next) || m.next == '¿' || m.next == '¡' { // ¡Hola!¿Qué tal?
			return sentence
		}
		return nothing
	case m.closed: // "Really?" she asked
		return m.unlessSmall(sentence, nothing)
	}
	return sentence
}

// judgePause judges a comma and its like.
func judgePause(m run, last, mark rune) verdict {
	switch {
	case mark > 0x2fff && unicode.IsDigit(last) && unicode.IsDigit(m.next):
		return nothing
	case mark > 0x2fff:
		return pause
	case !unicode.IsSpace(m.next):
		return nothing
	case !unicode.IsDigit(last):
		return pause
	case !m.known:
		return undecided
	case unicode.IsDigit(m.after): // "1, 2, 3" is one breath
		return nothing
	}
	return pause
}

// judgeDots judges a full stop and an ellipsis.
func (w *words) judgeDots(m run) verdict {
	if string(m.marks) != "." {
		switch {
		case wide(m.next):
			return pause
		case !unicode.IsSpace(m.next):
			return nothing
		}
		return m.unlessSmall(sentence, pause)
	}
	if !unicode.IsSpace(m.next) {
		return nothing // 3.5, www.example.org, z.B., j.doe@example.org
	}
	switch w.kindOf(m.before) {
	case bound:
		return nothing
	case initial:
		if !m.known {
			return undecided
		}
		if opens(m.after) {
			return sentence
		}
		return nothing
	case either:
		return m.unlessSmall(sentence, nothing)
	}
	return sentence
}

// unlessSmall is small when what follows goes on in small letters, else big.
func (m run) unlessSmall(big, small verdict) verdict {
	switch {
	case !m.known:
		return undecided
	case unicode.IsLower(m.after):
		return small
	}
	return big
}

// kind says what a word before a full stop is.
type kind uint8

const (
	plain   kind = iota
	either       // it may end a sentence or not: what follows tells
	initial      // of a name
	bound        // it never ends a sentence
)

// shortWord is how many letters an abbreviation that nobody listed has at most.
const shortWord = 4

// kindOf says what the last word of text is, which a full stop follows.
func (w *words) kindOf(text []byte) kind {
	from := bytes.LastIndexFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || r != '\'' && r != '-' && (opens(r) || closes(r)) || pauses(r)
	})
	if from >= 0 {
		_, size := utf8.DecodeRune(text[from:])
		from += size
	}
	word := string(text[max(from, 0):])
	if only(word, func(r rune) bool { return unicode.IsDigit(r) || r == '.' || r == ',' }) {
		return w.number(text, word)
	}
	small, length := strings.ToLower(word), utf8.RuneCountInString(word)
	switch {
	case w.bound[small]:
		return bound
	case w.either[small]:
		return either
	case length == 1 && unicode.IsUpper(firstRune([]byte(word))) && !w.pronouns[word]:
		return initial
	case strings.ContainsRune(word, '.'), length <= shortWord && only(word, unicode.IsLetter) && !wide(lastRune(text)):
		return either
	}
	return plain
}

// number judges a number before a full stop.
func (w *words) number(text []byte, word string) kind {
	switch {
	case spoken(text) == len(word): // "1. Fish": an item of a list
		return bound
	case w.ordinals && len(word) <= 2: // am 3. Mai
		return bound
	}
	return either
}

func only(s string, such func(rune) bool) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !such(r) }) < 0
}
