package apkg_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"go.uber.org/goleak"

	"kalami/session/learn"
	"kalami/store/apkg"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func day(n int) time.Time { return time.Date(2026, 3, n, 10, 0, 0, 0, time.UTC) }

func sequence[T any](all []T, broken error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
		var none T
		if broken != nil {
			yield(none, broken)
		}
	}
}

// collected are cards in each state, two of them made at the same time, and their reviews.
func collected() ([]learn.Card, []learn.Review) {
	card := func(id, language, front, back string, m learn.Memory) learn.Card {
		return learn.Card{ID: id, Language: language, Kind: learn.CardProduce, Origin: learn.FromHand, Front: front, Back: back, Memory: m, CreatedAt: day(1), UpdatedAt: day(2)}
	}
	cards := []learn.Card{
		card("new", "es", "house & <home>", "la casa", learn.Memory{State: learn.CardNew}),
		card("learning", "es", "dog", "el perro", learn.Memory{State: learn.CardLearning, Stability: 0.4, Difficulty: 7, DueAt: day(4), LastReviewedAt: day(4), Reps: 1}),
		card("review", "de", "tree", "der Baum", learn.Memory{State: learn.CardReview, Stability: 15.69105, Difficulty: 3.22, DueAt: day(20), LastReviewedAt: day(4), Reps: 3, ScheduledDays: 16}),
		card("relearning", "de", "sea", "das Meer", learn.Memory{State: learn.CardRelearning, Stability: 1, Difficulty: 8, DueAt: day(5), LastReviewedAt: day(5), Reps: 9, Lapses: 2}),
	}
	cards[0].Context, cards[0].Tags, cards[0].Level = "La casa es azul.", []string{"home", "noun"}, learn.A1
	cards[2].SuspendedAt = day(6)
	reviews := []learn.Review{
		{ID: "1", CardID: "review", Rating: learn.Good, At: day(1), Before: learn.CardNew, ScheduledDays: 3, Duration: 3200 * time.Millisecond},
		{ID: "2", CardID: "learning", Rating: learn.Again, At: day(4), Before: learn.CardNew},
		{ID: "3", CardID: "review", Rating: learn.Easy, At: day(4), Before: learn.CardReview, ScheduledDays: 16, Duration: time.Hour},
		{ID: "4", CardID: "relearning", Rating: learn.Hard, At: day(4), Before: learn.CardRelearning},
		{ID: "5", CardID: "review", Rating: learn.Again, At: day(4), Before: learn.CardReview, UndoneAt: day(5)},
		{ID: "6", CardID: "deleted", Rating: learn.Good, At: day(4), Before: learn.CardReview},
	}
	return cards, reviews
}

// unpack writes the database of a package to a file and opens it.
func unpack(t *testing.T, packed []byte) *sqlite3.Conn {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if parts[f.Name], err = io.ReadAll(r); err != nil || r.Close() != nil {
			t.Fatal(err)
		}
	}
	if len(parts) != 2 || string(parts["media"]) != "{}" {
		t.Fatalf("the package has %d parts, and as media %q", len(parts), parts["media"])
	}
	path := filepath.Join(t.TempDir(), "collection.anki2")
	if err := os.WriteFile(path, parts["collection.anki2"], 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// rows are the answer to a query, as text.
func rows(t *testing.T, db *sqlite3.Conn, query string) (all []string) {
	t.Helper()
	s, _, err := db.Prepare(query)
	if err != nil {
		t.Fatal(err)
	}
	for s.Step() {
		var row []string
		for i := range s.ColumnCount() {
			row = append(row, s.ColumnText(i))
		}
		all = append(all, strings.Join(row, "|"))
	}
	if err := errors.Join(s.Err(), s.Close()); err != nil {
		t.Fatal(err)
	}
	return all
}

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The tables have the columns of version 11 of Anki's schema, in their order, and its indexes.
func TestSchema(t *testing.T) {
	var b bytes.Buffer
	if err := apkg.Write(t.Context(), &b, sequence[learn.Card](nil, nil), sequence[learn.Review](nil, nil), day(7)); err != nil {
		t.Fatal(err)
	}
	db := unpack(t, b.Bytes())
	for table, columns := range map[string]string{
		"col":    "id crt mod scm ver dty usn ls conf models decks dconf tags",
		"notes":  "id guid mid mod usn tags flds sfld csum flags data",
		"cards":  "id nid did ord mod usn type queue due ivl factor reps lapses left odue odid flags data",
		"revlog": "id cid usn ease ivl lastIvl factor time type",
		"graves": "usn oid type",
	} {
		want(t, table, rows(t, db, "SELECT name FROM pragma_table_info('"+table+"') ORDER BY cid"), strings.Fields(columns)...)
		for _, column := range rows(t, db, "SELECT name, lower(type), \"notnull\", pk FROM pragma_table_info('"+table+"')") {
			key := strings.HasPrefix(column, "id|") && table != "graves"
			if ok := strings.HasSuffix(column, "|integer|1|0") || strings.HasSuffix(column, "|text|1|0") || key && column == "id|integer|0|1"; !ok {
				t.Errorf("%s has the column %s", table, column)
			}
		}
	}
	want(t, "indexes", rows(t, db, "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name"),
		"ix_cards_nid", "ix_cards_sched", "ix_cards_usn", "ix_notes_csum", "ix_notes_usn", "ix_revlog_cid", "ix_revlog_usn")
	want(t, "integrity", rows(t, db, "PRAGMA integrity_check"), "ok")
	want(t, "collection", rows(t, db, "SELECT id, ver, crt, usn FROM col"), "1|11|1577836800|0")
}

func TestWrite(t *testing.T) {
	cards, reviews := collected()
	var b bytes.Buffer
	if err := apkg.Write(t.Context(), &b, sequence(cards, nil), sequence(reviews, nil), day(7)); err != nil {
		t.Fatal(err)
	}
	db := unpack(t, b.Bytes())
	const made = 1772359200000 // the first of March at ten
	// The checksum is the beginning of SHA-1 of the first field, which sorts.
	want(t, "notes", rows(t, db, "SELECT id - 1772359200000, guid, tags, replace(flds, char(31), '/'), sfld, csum, mod FROM notes ORDER BY id"),
		"0|new| home noun |house &amp; &lt;home&gt;/la casa/La casa es azul./produce/A1|house & <home>|"+checksum("house & <home>")+"|1772445600",
		"1|learning||dog/el perro//produce/|dog|"+checksum("dog")+"|1772445600",
		"2|review||tree/der Baum//produce/|tree|"+checksum("tree")+"|1772445600",
		"3|relearning||sea/das Meer//produce/|sea|"+checksum("sea")+"|1772445600")
	// New ones are due by their place, learned ones at a second, those in review on a day since 2020.
	want(t, "cards", rows(t, db, "SELECT nid - 1772359200000, ord, type, queue, due, ivl, factor, reps, lapses, left, odue, odid, data FROM cards ORDER BY id"),
		"0|0|0|0|1|0|0|0|0|0|0|0|{}",
		fmt.Sprintf(`1|0|1|1|%[1]d|0|2500|1|0|1001|0|0|{"d":7,"lrt":%[1]d,"s":0.4}`, day(4).Unix()),
		fmt.Sprintf(`2|0|2|-1|2270|16|2500|3|0|0|0|0|{"d":3.22,"lrt":%d,"s":15.6911}`, day(4).Unix()),
		fmt.Sprintf(`3|0|3|1|%[1]d|1|2500|9|2|1001|0|0|{"d":8,"lrt":%[1]d,"s":1}`, day(5).Unix()))
	want(t, "reviews", rows(t, db, fmt.Sprintf("SELECT id - %d, cid - %d, ease, ivl, lastIvl, factor, time, type FROM revlog ORDER BY id", day(4).UnixMilli(), made)),
		fmt.Sprint(day(1).UnixMilli()-day(4).UnixMilli())+"|2|3|3|0|2500|3200|0", "0|1|1|0|0|2500|0|0", "1|2|4|16|3|2500|60000|1", "2|3|2|0|0|2500|0|2")
	describes(t, db)
}

func checksum(s string) string {
	// python3 -c 'import hashlib; print(int(hashlib.sha1(b"dog").hexdigest()[:8], 16))'
	return map[string]string{"house & <home>": "1455358001", "dog": "3834974802", "tree": "2154126760", "sea": "1872830386"}[s]
}

// describes checks that the cards are in decks that there are, and the notes of the type that
// there is.
func describes(t *testing.T, db *sqlite3.Conn) {
	t.Helper()
	var models map[string]struct {
		Name  string
		Flds  []struct{ Name string }
		Tmpls []struct{ Qfmt, Afmt string }
	}
	var decks map[string]struct{ Name string }
	described := rows(t, db, "SELECT models FROM col")[0]
	if err := json.Unmarshal([]byte(described), &models); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(rows(t, db, "SELECT decks FROM col")[0]), &decks); err != nil {
		t.Fatal(err)
	}
	types := rows(t, db, "SELECT DISTINCT mid FROM notes")
	if len(types) != 1 || len(models) != 1 || len(models[types[0]].Flds) != 5 || len(models[types[0]].Tmpls) != 1 || models[types[0]].Name != "Kalami" {
		t.Errorf("the notes are of %v, described is %s", types, described)
	}
	var names []string
	for _, id := range rows(t, db, "SELECT did FROM cards ORDER BY id") {
		names = append(names, decks[id].Name)
	}
	if !reflect.DeepEqual(names, []string{"Kalami es", "Kalami es", "Kalami de", "Kalami de"}) || len(decks) != 3 {
		t.Errorf("the cards are in %q of %d decks", names, len(decks))
	}
}

// Nothing is written when there is too much, or when the cards break off.
func TestWriteFails(t *testing.T) {
	many := func(yield func(learn.Card, error) bool) {
		for i := range apkg.CardsMost + 1 {
			if !yield(learn.Card{ID: fmt.Sprint(i), Language: "es", Front: "a", Back: "b"}, nil) {
				return
			}
		}
	}
	gone := errors.New("gone")
	cards, reviews := collected()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx     context.Context
		cards   iter.Seq2[learn.Card, error]
		reviews iter.Seq2[learn.Review, error]
		ok      func(error) bool
	}{
		"too many":          {t.Context(), many, sequence(reviews, nil), func(err error) bool { return learn.KindOf(err) == learn.Invalid }},
		"cards break off":   {t.Context(), sequence(cards, gone), sequence(reviews, nil), func(err error) bool { return errors.Is(err, gone) }},
		"reviews break off": {t.Context(), sequence(cards, nil), sequence(reviews, gone), func(err error) bool { return errors.Is(err, gone) }},
		"nobody waits":      {ended, sequence(cards, nil), sequence(reviews, nil), func(err error) bool { return err != nil }},
	} {
		var b bytes.Buffer
		if err := apkg.Write(tt.ctx, &b, tt.cards, tt.reviews, day(7)); !tt.ok(err) || b.Len() > 0 {
			t.Errorf("%s: %v, and %d bytes", name, err, b.Len())
		}
	}
}
