package deck

import (
	"bufio"
	"errors"
	"fmt"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"

	"kalami/session/learn"
)

// ankiColumns are those that EncodeAnki writes. The first begins no comment, since ids have
// no #.
const ankiColumns = "Guid\tDeck\tFront\tBack\tContext\tKind\tLevel\tTags"

// NoteType is what Anki calls the kind of our notes: their fields are named as the columns.
const NoteType = "Kalami"

// EncodeAnki writes cards as a text that Anki imports: plain, with tabs, and with a line for
// each card.
func EncodeAnki(w io.Writer, cards Cards) error {
	b := bufio.NewWriterSize(w, 32<<10)
	fmt.Fprintf(b, "#separator:tab\n#html:false\n#notetype:%s\n#guid column:1\n#deck column:2\n#tags column:8\n#columns:%s\n", NoteType, ankiColumns)
	for c, err := range cards {
		if err != nil {
			return err
		}
		row := []string{c.ID, Name(c.Language), c.Front, c.Back, c.Context, string(c.Kind), string(c.Level), strings.Join(c.Tags, " ")}
		for i, field := range row {
			row[i] = ankiField(field)
		}
		b.WriteString(strings.Join(row, "\t") + "\n") // a failure comes again with Flush
	}
	return b.Flush()
}

// ankiField puts quotation marks around what needs them.
func ankiField(s string) string {
	if !strings.ContainsAny(s, "\"\t\r\n") {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// DecodeAnki reads cards from a text as Anki exports it, with or without its first lines.
// Those that name separator, columns, special columns and tags are followed; note types,
// decks and identities are not looked at. Fields are found by the names Front, Back, Context,
// Kind, Level and Tags, else by their order: question, answer, context. With #html:true the
// marks are taken out. Line ends within a field become spaces. The error is a [*LineError].
func DecodeAnki(file []byte) ([]learn.Card, error) {
	s, err := text(file)
	if err != nil {
		return nil, err
	}
	h, r, err := ankiHead(s)
	if err != nil {
		return nil, err
	}
	read := func(s string) string { return s }
	if h.html {
		read = plain
	}
	var at *places
	var cards []learn.Card
	for {
		record, line, err := r.next()
		if errors.Is(err, io.EOF) {
			return cards, nil
		}
		if err == nil && at == nil {
			at, err = h.places(len(record), line)
		}
		var c learn.Card
		if err == nil {
			c, err = at.card(record, line, read)
		}
		if err == nil {
			c.Tags = append(c.Tags, h.tags...)
			c, err = checked(c, line)
		}
		if err == nil && len(cards) == Most {
			err = broken(line, "is one card more than the %d that a file may have", Most)
		}
		if err != nil {
			return nil, err
		}
		cards = append(cards, c)
	}
}

// head is what the first lines of a file say.
type head struct {
	html    bool
	tags    []string // of every card
	columns []string // their names; empty when they have none
	line    int      // on which columns stand
	// special are columns, from 0, that are no fields, and the one with tags; -1 for none.
	special    []int
	tagsColumn int
}

// ankiHead reads the lines at the beginning that have a # before them, and returns what is
// left to read.
func ankiHead(s string) (h head, r *records, err error) {
	h.tagsColumn = -1
	r = &records{rest: s, line: 1, comments: true}
	var columns string
	for strings.HasPrefix(r.rest, "#") {
		said, line := r.rest[1:], r.line
		if i := strings.IndexAny(said, "\r\n"); i >= 0 {
			said = said[:i]
		}
		name, value, _ := strings.Cut(said, ":")
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "separator":
			if r.separator, err = separator(value, line); err != nil {
				return h, r, err
			}
		case "html":
			h.html = strings.EqualFold(strings.TrimSpace(value), "true")
		case "tags":
			h.tags = strings.Fields(value)
		case "columns":
			columns, h.line = value, line
		case "guid column", "deck column", "notetype column", "tags column":
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil || n < 1 || n > columnsMost {
				return h, r, broken(line, "names no column")
			}
			h.special = append(h.special, n-1)
			if name == "tags column" {
				h.tagsColumn = n - 1
			}
		}
		r.skip()
	}
	if r.separator == 0 {
		r.separator = guess(columns + firstLine(r.rest))
	}
	if columns != "" {
		named := &records{rest: columns, line: h.line, separator: r.separator}
		h.columns, err = named.record()
	}
	return h, r, err
}

// separator reads the name of one, or the character itself.
func separator(value string, line int) (byte, error) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "tab", `\t`:
		return '\t', nil
	case "comma":
		return ',', nil
	case "semicolon":
		return ';', nil
	case "pipe":
		return '|', nil
	case "colon":
		return ':', nil
	case "space":
		return ' ', nil
	}
	if len(value) != 1 || !strings.Contains("\t,;|: ", value) {
		return 0, broken(line, "names no separator; it must be tab, comma, semicolon, pipe, colon or space")
	}
	return value[0], nil
}

// guess takes the first of some separators that is there, and else the tab.
func guess(line string) byte {
	for _, s := range "\t;,|" {
		if strings.ContainsRune(line, s) {
			return byte(s)
		}
	}
	return '\t'
}

func firstLine(s string) string {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		return s[:i]
	}
	return s
}

// places says where the parts of a card stand in records like the first, which has a width.
func (h head) places(width, line int) (*places, error) {
	if len(h.columns) > 0 && len(h.columns) != width {
		return nil, broken(line, "has %d columns, and line %d names %d", width, h.line, len(h.columns))
	}
	for _, special := range h.special {
		if special >= width {
			return nil, broken(line, "has %d columns, and the first lines speak of number %d", width, special+1)
		}
	}
	p, ok := named(h.columns)
	if !ok {
		p = nowhere()
		order := []*int{&p.front, &p.back, &p.context}
		for i := range width {
			if len(order) > 0 && !slices.Contains(h.special, i) {
				*order[0], order = i, order[1:]
			}
		}
	}
	p.width = width
	if h.tagsColumn >= 0 {
		p.tags = h.tagsColumn
	}
	if p.back < 0 {
		return nil, broken(line, "must have a column for the question and one for the answer")
	}
	return &p, nil
}

// plain is the text of a field in HTML: what begins a new line is a space, other marks and
// references to sounds are nothing.
func plain(s string) string {
	var b strings.Builder
	for s != "" {
		i := strings.IndexAny(s, "<[")
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		switch end := strings.IndexByte(s, '>'); {
		case strings.HasPrefix(s, "[sound:") && strings.Contains(s, "]"):
			s = s[strings.IndexByte(s, ']')+1:]
		case s[0] == '<' && end > 1 && isMark(s[1]):
			if breaks(s[1:end]) {
				b.WriteByte(' ')
			}
			s = s[end+1:]
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	b.WriteString(s)
	return html.UnescapeString(b.String())
}

// isMark says whether a mark may begin with c behind its bracket.
func isMark(c byte) bool {
	return c == '/' || c == '!' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// breaks says whether a mark begins or ends a line.
func breaks(mark string) bool {
	name := strings.ToLower(strings.Trim(mark, "/ "))
	if i := strings.IndexAny(name, " /\t\r\n"); i >= 0 {
		name = name[:i]
	}
	return slices.Contains([]string{"br", "div", "p", "li", "ul", "ol", "tr", "td", "hr"}, name)
}
