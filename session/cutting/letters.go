package cutting

import (
	"unicode"
	"unicode/utf8"
)

// Letters measures how long a text takes to be spoken, in letters of a European
// language: marks and blanks count as one, for they take their time, too; characters
// that are a syllable or more count as said in the package documentation.
func Letters(text string) (n int) {
	for _, r := range text {
		n += lettersOf(r)
	}
	return n
}

// lettersOf is what one character counts.
func lettersOf(r rune) int {
	switch {
	case r < 0x0e00:
		return 1
	case unicode.In(r, unicode.Han, unicode.Thai):
		return 3
	case kana(r), hangul(r):
		return 2
	}
	return 1
}

// wide says whether r is of a script that is written without spaces.
func wide(r rune) bool { return unicode.Is(unicode.Han, r) || kana(r) }

func kana(r rune) bool   { return 0x3041 <= r && r <= 0x30ff }
func hangul(r rune) bool { return 0xac00 <= r && r <= 0xd7a3 }

// hiragana tells the script of Japanese endings and particles from that of its words.
func hiragana(r rune) bool { return 0x3041 <= r && r <= 0x309f }

// firstRune and lastRune are utf8's, without the size.
func firstRune(b []byte) rune {
	r, _ := utf8.DecodeRune(b)
	return r
}

func lastRune(b []byte) rune {
	r, _ := utf8.DecodeLastRune(b)
	return r
}
