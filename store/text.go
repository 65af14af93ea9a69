package store

import (
	"encoding/json"
	"strings"
)

// clean returns text that both databases take: Postgres refuses NUL and what is
// not UTF-8, and what a learner said must not fail to be kept for a stray byte
// in a vendor's transcript. U+FFFD stands in for either.
func clean(s string) string {
	const replacement = "\uFFFD"
	s = strings.ToValidUTF8(s, replacement)
	return strings.ReplaceAll(s, "\x00", replacement)
}

// encode returns v as JSON text. NUL, which jsonb refuses even when escaped, is
// replaced as in clean; invalid UTF-8 is replaced by the encoder.
func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(string(b), `\u0000`, `\ufffd`), nil
}

// decode reads JSON text that encode wrote; null leaves v as it is.
func decode(text *string, v any) error {
	if text == nil {
		return nil
	}
	return json.Unmarshal([]byte(*text), v)
}
