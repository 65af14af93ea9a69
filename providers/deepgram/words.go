package deepgram

import (
	"math"
	"strings"

	"kalami/providers"
)

// words reads the "words" array that both endpoints send. Its scratch is reused
// from message to message; it is owned by one reader goroutine.
type words struct {
	scratch []rawWord
}

// rawWord is one word as it stands in the message, strings with their quotes.
type rawWord struct {
	text, language         []byte
	start, end, confidence float64
}

// scan takes the array that follows in s.
func (w *words) scan(s *scanner) {
	w.scratch = w.scratch[:0]
	for ok := s.enter('['); ok; ok = s.more(']') {
		var r rawWord
		punctuated := false
		for ok := s.enter('{'); ok; ok = s.more('}') {
			switch string(s.key()) {
			case "word":
				if q := s.raw(); !punctuated {
					r.text = q
				}
			case "punctuated_word":
				if q := s.raw(); len(q) > 2 {
					r.text, punctuated = q, true
				}
			case "language":
				r.language = s.raw()
			case "start":
				r.start = s.number()
			case "end":
				r.end = s.number()
			case "confidence":
				r.confidence = s.number()
			default:
				s.skip()
			}
		}
		if len(r.text) > 2 {
			w.scratch = append(w.scratch, r)
		}
	}
}

// build appends what was scanned to dst. The words of a transcript stand in it in
// order, so their texts are slices of it and cost nothing.
func (w *words) build(transcript string, dst []providers.Word) []providers.Word {
	for _, r := range w.scratch {
		bare := r.text[1 : len(r.text)-1]
		var text string
		at := index(transcript, bare)
		if at >= 0 {
			text, transcript = transcript[at:at+len(bare)], transcript[at+len(bare):]
		} else {
			text = unquote(r.text)
		}
		dst = append(dst, providers.Word{
			Text: text, StartMS: millis(r.start), EndMS: millis(r.end),
			Confidence: r.confidence, Language: primary(r.language),
		})
	}
	return dst
}

// index finds word near the head of text, where the next word must be; -1 when
// it is not there (escapes, another spelling).
func index(text string, word []byte) int {
	const near = 4 // a space, perhaps punctuation
	for at := range min(near, len(text)) {
		if strings.HasPrefix(text[at:], string(word)) {
			return at
		}
	}
	return -1
}

// primary returns the primary subtag of a quoted language tag: "es-419" gives "es".
func primary(q []byte) string {
	if len(q) <= 2 {
		return ""
	}
	tag := q[1 : len(q)-1]
	switch string(tag) { // the common ones without an allocation
	case "en":
		return "en"
	case "es":
		return "es"
	case "fr":
		return "fr"
	case "de":
		return "de"
	}
	base, _, _ := strings.Cut(unquote(q), "-")
	return strings.ToLower(base)
}

// firstLanguage takes an array of language tags and returns the first one's primary subtag.
func firstLanguage(s *scanner) string {
	language := ""
	for ok := s.enter('['); ok; ok = s.more(']') {
		if q := s.raw(); language == "" {
			language = primary(q)
		}
	}
	return language
}

// millis turns the vendor's seconds into milliseconds, within 0 and 24 days.
func millis(seconds float64) int {
	return int(math.Round(min(max(seconds, 0), math.MaxInt32/1000) * 1000))
}
