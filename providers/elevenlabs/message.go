package elevenlabs

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"unicode"

	"kalami/providers"
)

// message is what the vendor sent. Its slices point into the buffer that it was
// read from.
type message struct {
	context []byte // id, or empty
	audio   []byte // base64, or empty
	final   bool
	// code and text explain a failure; detail is its form over HTTP.
	code, text []byte
	detail     []byte
	align      alignment // of the text as it was written
	normal     alignment // of the text as it was normalised
}

// alignment is where characters are spoken, still as JSON.
type alignment struct {
	chars, starts []byte
	lengths, ends []byte // one of the two
	scale         float64
}

var errNotAMessage = errors.New("not a message of this service")

// parseMessage finds the fields of a message of the sockets or of HTTP, in every
// spelling that is known; it ignores what it does not know.
func parseMessage(b []byte, m *message) error {
	*m = message{}
	s := scan{b: b}
	if !s.take('{') {
		return errNotAMessage
	}
	for first := true; s.more('}', &first); {
		name, value := s.member()
		if len(value) == 0 {
			s.bad = true
			break
		}
		switch string(name) {
		case "audio", "audio_base64":
			m.audio = inner(value)
		case "isFinal", "is_final":
			m.final = m.final || string(value) == "true"
		case "contextId", "context_id":
			m.context = inner(value)
		case "error":
			m.code = inner(value)
		case "message":
			m.text = inner(value)
		case "detail":
			m.detail = value
		case "alignment":
			m.align.parse(value)
		case "normalizedAlignment", "normalized_alignment":
			m.normal.parse(value)
		}
	}
	if s.bad || s.space() != 0 {
		return errNotAMessage
	}
	return nil
}

// inner returns what stands between a string's quotes; nil for other values.
func inner(value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return nil
	}
	if bytes.IndexByte(value, '\\') >= 0 {
		return []byte(unquote(value))
	}
	return value[1 : len(value)-1]
}

// parse finds the lists of an alignment; null leaves it empty.
func (a *alignment) parse(value []byte) {
	if value[0] != '{' {
		return
	}
	a.scale = 1
	s := scan{b: value, i: 1}
	for first := true; s.more('}', &first); {
		name, value := s.member()
		switch string(name) {
		case "chars", "characters":
			a.chars = value
		case "charStartTimesMs":
			a.starts = value
		case "charDurationsMs", "charsDurationsMs":
			a.lengths = value
		case "character_start_times_seconds":
			a.starts, a.scale = value, 1000
		case "character_end_times_seconds":
			a.ends = value
		}
	}
	if s.bad {
		*a = alignment{}
	}
}

// decodeAudio appends the bytes of base64 text, padded or not.
func decodeAudio(dst, text []byte) ([]byte, error) {
	return base64.RawStdEncoding.AppendDecode(dst, bytes.TrimRight(text, "="))
}

// marks lists the characters with their times in milliseconds as they stand, and
// counts the letters and digits among them. Lists of different lengths are read
// as far as the shortest goes.
func (a *alignment) marks() (marks []providers.CharMark, letters int) {
	if len(a.chars) == 0 || a.chars[0] != '[' || len(a.starts) == 0 || a.starts[0] != '[' {
		return nil, 0
	}
	second, lengths := a.lengths, true
	if len(second) == 0 {
		second, lengths = a.ends, false
	}
	if len(second) == 0 || second[0] != '[' {
		return nil, 0
	}
	marks = make([]providers.CharMark, 0, bytes.Count(a.starts, []byte{','})+1)
	text := string(a.chars) // the characters' strings share it
	cs, ss, es := scan{b: a.chars, i: 1}, scan{b: a.starts, i: 1}, scan{b: second, i: 1}
	f1, f2, f3 := true, true, true
	for cs.more(']', &f1) && ss.more(']', &f2) && es.more(']', &f3) {
		c, start, end := cs.value(), a.ms(ss.value()), a.ms(es.value())
		if cs.bad || ss.bad || es.bad {
			break
		}
		if lengths {
			end += start
		}
		char := charOf(text, c, cs.i)
		for _, r := range char {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				letters++
			}
		}
		marks = append(marks, providers.CharMark{Char: char, StartMS: start, EndMS: end})
	}
	return marks, letters
}

// charOf returns the string value c, which ends at end of text, without copying
// it when it has no escape.
func charOf(text string, c []byte, end int) string {
	if len(c) >= 2 && c[0] == '"' && bytes.IndexByte(c, '\\') < 0 {
		return text[end-len(c)+1 : end-1]
	}
	return unquote(c)
}

// ms reads a time, kept between nothing and a day.
func (a *alignment) ms(value []byte) int {
	return int(min(max(number(value)*a.scale+1e-6, 0), 24*3600*1000))
}

// The client's messages. opener is what the first of a context carries besides.

func appendOpen(b []byte, context string, opener []byte) []byte {
	b = append(b, `{"text":" ","context_id":"`...)
	b = append(b, context...)
	b = append(b, `",`...)
	return append(append(b, opener...), '}')
}

func appendText(b []byte, context, text string, flush bool) []byte {
	b = append(b, `{"text":`...)
	quoted, _ := json.Marshal(text) // a string always can be
	b = append(b, quoted...)
	b = append(b, `,"context_id":"`...)
	b = append(b, context...)
	if flush {
		return append(b, `","flush":true}`...)
	}
	return append(b, `"}`...)
}

func appendFlag(b []byte, context, flag string) []byte {
	b = append(b, `{"context_id":"`...)
	b = append(b, context...)
	b = append(b, `","`...)
	b = append(b, flag...)
	return append(b, `":true}`...)
}

// voiceSettings is the settings object.
func (m manner) voiceSettings() []byte {
	b := []byte(`{"stability":0.5,"similarity_boost":0.75`)
	if m.speed != 0 {
		b = append(b, `,"speed":`...)
		b = strconv.AppendFloat(b, m.speed, 'g', -1, 64)
	}
	return append(b, '}')
}

// openerOf is what the first message of each context carries. The schedule begins
// with the least there is: a clause that is not flushed is spoken as soon as may be.
func (m manner) openerOf() []byte {
	return append(append([]byte(`"voice_settings":`), m.voiceSettings()...), `,"generation_config":{"chunk_length_schedule":[50,80,120,160]}`...)
}
