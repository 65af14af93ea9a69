package store

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"kalami/session/learn"
)

// clean returns text that both databases take: Postgres refuses NUL and what is
// not UTF-8, and what a learner said must not fail to be kept for a stray byte
// in a vendor's transcript. U+FFFD stands in for either.
func clean(s string) string {
	const replacement = "\uFFFD"
	s = strings.ToValidUTF8(s, replacement)
	return strings.ReplaceAll(s, "\x00", replacement)
}

// cleanWords is clean for recognised words. A confidence that is no number, which
// JSON cannot hold, is kept as 0.
func cleanWords(words []learn.SpokenWord) []learn.SpokenWord {
	out := slices.Clone(words)
	for i := range out {
		w := &out[i]
		w.Text, w.Language = clean(w.Text), clean(w.Language)
		if math.IsNaN(w.Confidence) || math.IsInf(w.Confidence, 0) {
			w.Confidence = 0
		}
	}
	return out
}

// encode returns v as JSON text.
func encode(v any) (*string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	text := string(b)
	return &text, nil
}

// decode reads JSON text that encode wrote; null leaves v as it is.
func decode(text *string, v any) error {
	if text == nil {
		return nil
	}
	return json.Unmarshal([]byte(*text), v)
}
