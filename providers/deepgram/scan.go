package deepgram

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// errJSON is what a message that is not JSON gives.
var errJSON = errors.New("message is not JSON")

// maxDepth bounds nesting, so that a hostile message cannot cost more than its length.
const maxDepth = 32

// scanner walks one JSON text in place, naming only the fields that are wanted.
// A value of another kind than asked for is stepped over and reads as zero, which
// is what makes the field "channel" harmless: it is an object in some of Nova's
// messages and an array in others.
//
// Walk an object as
//
//	for ok := s.enter('{'); ok; ok = s.more('}') {
//		switch string(s.key()) {
//		case "start":
//			start = s.number()
//		default:
//			s.skip()
//		}
//	}
//
// and look at err afterwards. Exactly one value must be taken per key or element.
type scanner struct {
	b     []byte
	i     int
	depth int
	err   error
}

func (s *scanner) fail() { s.err, s.i = errJSON, len(s.b) }

// peek returns the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
		default:
			return s.b[s.i]
		}
	}
	return 0
}

// enter goes into the object or array that follows and says whether it has a
// first element. Another kind of value is skipped.
func (s *scanner) enter(open byte) bool {
	if s.err != nil {
		return false
	}
	if s.peek() != open {
		s.skip()
		return false
	}
	s.i++
	if s.peek() == open+2 { // '{'+2 is '}', '['+2 is ']'
		s.i++
		return false
	}
	if s.depth++; s.depth > maxDepth {
		s.fail()
		return false
	}
	return true
}

// more moves on to the next element and says whether there is one.
func (s *scanner) more(end byte) bool {
	if s.err != nil {
		return false
	}
	switch s.peek() {
	case ',':
		s.i++
		return true
	case end:
		s.i++
		s.depth--
		return false
	}
	s.fail()
	return false
}

// key returns the name of the field that follows, as it stands in the text.
func (s *scanner) key() []byte {
	if s.peek() != '"' {
		s.fail()
		return nil
	}
	k := s.quoted()
	if s.peek() != ':' {
		s.fail()
		return nil
	}
	s.i++
	return k[1 : len(k)-1]
}

// quoted takes a string with its quotes; s.i is at the first. It returns at
// least two bytes.
func (s *scanner) quoted() []byte {
	from := s.i
	for i := s.i + 1; i < len(s.b); {
		n := bytes.IndexByte(s.b[i:], '"')
		if n < 0 {
			break
		}
		i += n + 1
		// A quote behind an odd number of backslashes is part of the string.
		slashes := i - 2
		for slashes > from && s.b[slashes] == '\\' {
			slashes--
		}
		if (i-2-slashes)%2 == 0 {
			s.i = i
			return s.b[from:i]
		}
	}
	s.fail()
	return []byte(`""`)
}

// raw takes a string with its quotes, nil for another kind of value.
func (s *scanner) raw() []byte {
	if s.peek() != '"' {
		s.skip()
		return nil
	}
	return s.quoted()
}

// text takes a string.
func (s *scanner) text() string { return unquote(s.raw()) }

// unquote decodes a string that still has its quotes.
func unquote(q []byte) string {
	if len(q) < 2 {
		return ""
	}
	in := q[1 : len(q)-1]
	if bytes.IndexByte(in, '\\') < 0 {
		if utf8.Valid(in) {
			return string(in)
		}
		return strings.ToValidUTF8(string(in), "\uFFFD")
	}
	var out string
	if json.Unmarshal(q, &out) != nil {
		return ""
	}
	return out
}

// known returns the one of names that q, with its quotes, spells; else "". It
// does not allocate.
func known(q []byte, names ...string) string {
	for _, n := range names {
		if len(q) == len(n)+2 && string(q[1:len(q)-1]) == n {
			return n
		}
	}
	return ""
}

// number takes a number, 0 for another kind of value or one out of range.
func (s *scanner) number() float64 {
	c := s.peek()
	if c != '-' && (c < '0' || c > '9') {
		s.skip()
		return 0
	}
	f, err := strconv.ParseFloat(string(s.literal()), 64)
	if err != nil {
		return 0
	}
	return f
}

// boolean takes true or false, false for another kind of value.
func (s *scanner) boolean() bool {
	if s.peek() != 't' {
		s.skip()
		return false
	}
	return string(s.literal()) == "true"
}

// literal takes a run of bytes that is no string, object or array.
func (s *scanner) literal() []byte {
	from := s.i
	for ; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case ',', '}', ']', ':', ' ', '\t', '\n', '\r', '"', '{', '[':
			return s.b[from:s.i]
		}
	}
	return s.b[from:]
}

// skip steps over one value of any kind.
func (s *scanner) skip() {
	depth := 0
	for s.err == nil {
		switch c := s.peek(); c {
		case '"':
			s.quoted()
		case '{', '[':
			depth++
			s.i++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				s.fail()
				return
			}
			s.i++
		case ',', ':':
			if depth == 0 {
				s.fail()
				return
			}
			s.i++
			continue
		default:
			if len(s.literal()) == 0 {
				s.fail()
				return
			}
		}
		if depth == 0 {
			return
		}
	}
}

// end fails unless everything has been read.
func (s *scanner) end() error {
	if s.peek(); s.err == nil && s.i < len(s.b) {
		s.fail()
	}
	return s.err
}
