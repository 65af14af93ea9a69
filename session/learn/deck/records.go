package deck

import (
	"io"
	"strings"
)

// columnsMost bounds a record.
const columnsMost = 100

// records cuts a text into records, as RFC 4180 says: fields end at a separator, records at
// the end of a line, and a field in quotation marks may have either within it, and a
// quotation mark as two.
type records struct {
	rest      string
	line      int // on which rest begins, from 1
	separator byte
	comments  bool // a line that begins with # is no record
}

// next returns the next record that is not blank, and the line on which it begins: [io.EOF]
// when there is none.
func (r *records) next() (record []string, line int, err error) {
	for r.rest != "" {
		if r.comments && r.rest[0] == '#' {
			r.skip()
			continue
		}
		line := r.line
		record, err := r.record()
		if err != nil {
			return nil, line, err
		}
		if strings.TrimSpace(strings.Join(record, "")) != "" {
			return record, line, nil
		}
	}
	return nil, r.line, io.EOF
}

// skip drops what is left of a line.
func (r *records) skip() {
	if i := strings.IndexAny(r.rest, "\r\n"); i >= 0 {
		r.end(i)
		return
	}
	r.rest = ""
}

func (r *records) record() (record []string, err error) {
	for line, last := r.line, false; !last; {
		if len(record) == columnsMost {
			return nil, broken(line, "has more than %d columns", columnsMost)
		}
		var field string
		if field, last, err = r.field(); err != nil {
			return nil, err
		}
		record = append(record, field)
	}
	return record, nil
}

// field takes a field and what ends it; last is true when that is not a separator.
func (r *records) field() (field string, last bool, err error) {
	if strings.HasPrefix(r.rest, `"`) {
		return r.quoted()
	}
	i := strings.IndexAny(r.rest, string(rune(r.separator))+"\r\n")
	if i < 0 {
		i = len(r.rest)
	}
	field = r.rest[:i]
	return field, r.end(i), nil
}

// quoted takes a field in quotation marks and what ends it.
func (r *records) quoted() (field string, last bool, err error) {
	var b strings.Builder
	for opened := r.line; ; {
		i := strings.IndexByte(r.rest[1:], '"')
		if i < 0 {
			return "", false, broken(opened, "has a quotation mark that is not closed")
		}
		b.WriteString(r.rest[1 : 1+i])
		r.line += lineEnds(r.rest[1 : 1+i])
		if r.rest = r.rest[i+2:]; !strings.HasPrefix(r.rest, `"`) {
			break
		}
		b.WriteByte('"') // two of them are one
	}
	if r.rest != "" && r.rest[0] != r.separator && !strings.ContainsRune("\r\n", rune(r.rest[0])) {
		return "", false, broken(r.line, "has text behind a quotation mark that closes")
	}
	return b.String(), r.end(0), nil
}

// end drops what comes before i and the separator or the end of a line that stands there.
func (r *records) end(i int) (last bool) {
	r.rest = r.rest[i:]
	switch {
	case r.rest == "":
		return true
	case r.rest[0] == r.separator:
		r.rest = r.rest[1:]
		return false
	case strings.HasPrefix(r.rest, "\r\n"):
		r.rest = r.rest[2:]
	default:
		r.rest = r.rest[1:]
	}
	r.line++
	return true
}

// lineEnds counts them: \n, \r, and the two together as one.
func lineEnds(s string) int {
	return strings.Count(s, "\n") + strings.Count(s, "\r") - strings.Count(s, "\r\n")
}
