package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Text is a text without its words: how many there are, and their hash.
type Text struct {
	Words int    `json:"words"`
	Hash  string `json:"hash,omitempty"` // empty for no words
}

// TextOf returns the Text of s.
func TextOf(s string) Text {
	words := strings.Fields(s)
	return Text{Words: len(words), Hash: HashWords(words)}
}

// HashWords returns the hash of a text in its normal form: its words, which is what stands
// between white space, joined by single spaces. It is 16 hexadecimal digits, or empty for
// no words.
func HashWords(words []string) string {
	if len(words) == 0 {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join(words, " ")))
	return hex.EncodeToString(sum[:8])
}
