package learn

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// keyMost bounds a key, in bytes: it stands in an index.
const keyMost = 200

// CardKey is what makes two cards of a profile and kind the same: their answers without
// case, without the space and the punctuation around them, and without the difference
// between the ways in which Unicode can write a letter. "¡Hola!" and "hola" are one card;
// "él" and "el" are two. It has at most 200 bytes (a long one ends in a hash of itself), is empty only for a text of nothing
// but space, and the key of a key is the key.
func CardKey(back string) string {
	key := Fold(back)
	inner := strings.TrimFunc(key, func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) || unicode.IsSpace(r) })
	if inner != "" {
		key = inner
	}
	if len(key) <= keyMost {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	end := keyMost - 2*len(sum)
	for !utf8.RuneStart(key[end]) {
		end--
	}
	return key[:end] + hex.EncodeToString(sum[:])
}

// Fold writes a text in the form in which texts are compared: valid UTF-8 in Unicode's
// form C, small letters, single spaces, and nothing that cannot be seen.
func Fold(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '\ufffd'
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return unicode.ToLower(unicode.ToUpper(r)) // ſ and s, ς and σ
	}, norm.NFC.String(s))
	return norm.NFC.String(strings.Join(strings.Fields(s), " "))
}
