package deck

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kalami/session/learn"
)

// csvColumns are those that EncodeCSV writes.
func csvColumns() []string {
	return []string{"id", "language", "kind", "front", "back", "context", "tags", "level", "origin", "state", "due_at", "last_reviewed_at",
		"stability", "difficulty", "reps", "lapses", "scheduled_days", "suspended_at", "created_at"}
}

// EncodeCSV writes cards for spreadsheets: comma-separated values in UTF-8, with a mark before
// them by which Excel knows that. A text that a spreadsheet would take for a formula has an
// apostrophe before it, which shows that it is none.
func EncodeCSV(w io.Writer, cards Cards) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(csvColumns()); err != nil {
		return err
	}
	for c, err := range cards {
		if err != nil {
			return err
		}
		m := c.Memory
		err := out.Write([]string{guarded(c.ID), c.Language, string(c.Kind), guarded(c.Front), guarded(c.Back), guarded(c.Context),
			guarded(strings.Join(c.Tags, " ")), string(c.Level), string(c.Origin), string(m.State), stamp(m.DueAt), stamp(m.LastReviewedAt),
			decimal(m.Stability), decimal(m.Difficulty), strconv.Itoa(m.Reps), strconv.Itoa(m.Lapses), strconv.Itoa(m.ScheduledDays),
			stamp(c.SuspendedAt), stamp(c.CreatedAt)})
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// stamp is a time; a zero one is empty.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 4, 64) }

// guarded is a text that no spreadsheet takes for a formula, and from which unguarded gets
// the text back: one with apostrophes before a formula has one more.
func guarded(s string) string {
	if formula(strings.TrimLeft(s, "'")) {
		return "'" + s
	}
	return s
}

// unguarded is what guarded was given.
func unguarded(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok && formula(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return s
}

// formula says whether a spreadsheet may take a text for a formula; some know the wide
// characters of East Asian scripts as well.
func formula(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first)
}

// DecodeCSV reads cards from comma-separated values in UTF-8; semicolons and tabs may stand
// for the commas. The first line names the columns: front and back, and if there are any
// context, kind, level and tags; others are passed over. The error is a [*LineError].
func DecodeCSV(file []byte) ([]learn.Card, error) {
	s, err := text(file)
	if err != nil {
		return nil, err
	}
	r := &records{rest: s, line: 1, separator: ','}
	r.separator = csvSeparator(firstLine(strings.TrimLeft(s, "\r\n")))
	columns, line, err := r.next()
	if errors.Is(err, io.EOF) {
		return nil, broken(1, "must name the columns, front and back among them")
	}
	if err != nil {
		return nil, err
	}
	at, ok := named(columns)
	if !ok {
		return nil, broken(line, "must name the columns, front and back among them")
	}
	var cards []learn.Card
	for {
		record, line, err := r.next()
		if errors.Is(err, io.EOF) {
			return cards, nil
		}
		var c learn.Card
		if err == nil {
			c, err = at.card(record, line, unguarded)
		}
		if err == nil {
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

// csvSeparator is the one that the first line has most of.
func csvSeparator(line string) byte {
	return slices.MaxFunc([]byte{'\t', ';', ','}, func(a, b byte) int {
		return strings.Count(line, string(rune(a))) - strings.Count(line, string(rune(b)))
	})
}
