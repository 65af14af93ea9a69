package elevenlabs

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// scan walks through JSON text without decoding it, so that a message's audio is
// found at the price of a search for its end. It checks no more than it needs:
// text that is not JSON ends in bad or in values that mean nothing.
type scan struct {
	b   []byte
	i   int
	bad bool
}

// space skips white space and returns the byte that follows, 0 at the end.
func (s *scan) space() byte {
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take skips c, which must follow.
func (s *scan) take(c byte) bool {
	if s.space() != c {
		s.bad = true
		return false
	}
	s.i++
	return true
}

// more is called before each element of an object or array that was entered; it
// skips the comma, or the closing byte and returns false.
func (s *scan) more(end byte, first *bool) bool {
	if s.bad {
		return false
	}
	if s.space() == end {
		s.i++
		return false
	}
	if !*first && !s.take(',') {
		return false
	}
	*first = false
	return true
}

// member returns the next member of an object: its name without quotes and its
// value as it stands. Names are compared as they stand; none that matters has an
// escape.
func (s *scan) member() (name, value []byte) {
	if s.space() != '"' {
		s.bad = true
		return nil, nil
	}
	name = s.value()
	if s.bad || !s.take(':') {
		return nil, nil
	}
	return name[1 : len(name)-1], s.value()
}

// value returns the next value as it stands.
func (s *scan) value() []byte {
	switch s.space() {
	case 0:
		s.bad = true
		return nil
	case '"':
		from := s.i
		s.string()
		return s.b[from:s.i]
	case '{', '[':
		return s.nested()
	}
	from := s.i
	for ; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case ',', '}', ']', ' ', '\t', '\n', '\r', ':', '"', '{', '[':
			if s.i == from {
				s.bad = true
			}
			return s.b[from:s.i]
		}
	}
	return s.b[from:]
}

// string skips a string, whose quote is the current byte.
func (s *scan) string() {
	s.i++
	for {
		n := bytes.IndexByte(s.b[s.i:], '"')
		if n < 0 {
			s.i, s.bad = len(s.b), true
			return
		}
		end := s.i + n
		escapes := 0
		for end-escapes > s.i && s.b[end-1-escapes] == '\\' {
			escapes++
		}
		s.i = end + 1
		if escapes%2 == 0 {
			return
		}
	}
}

// nested skips an object or array by counting brackets.
func (s *scan) nested() []byte {
	from, depth := s.i, 0
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case '"':
			s.string()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.i++
		if depth == 0 {
			return s.b[from:s.i]
		}
	}
	s.bad = true
	return nil
}

// unquote returns a string value's text; "" for any other value.
func unquote(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1])
	}
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}

// number returns a number value; 0 for any other.
func number(value []byte) float64 {
	n := 0
	for _, c := range value {
		if c < '0' || c > '9' || n > 1e9 {
			f, err := strconv.ParseFloat(string(value), 64)
			if err != nil || math.IsNaN(f) {
				return 0
			}
			return f
		}
		n = n*10 + int(c-'0')
	}
	return float64(n)
}
