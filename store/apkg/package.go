package apkg

import (
	"archive/zip"
	"context"
	"crypto/sha1" //nolint:gosec // Anki's checksum of a field
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/serdes"

	"kalami/session/learn"
	"kalami/session/learn/deck"
)

// How much a package may hold: it is made in memory.
const (
	CardsMost   = 20_000
	ReviewsMost = 200_000
)

// errTooMany is for what does not go into a package.
func errTooMany() error {
	message := fmt.Sprintf("holds at most %d cards and %d reviews; ask for one profile, or for another format", CardsMost, ReviewsMost)
	return &learn.Error{Kind: learn.Invalid, Op: "apkg.Write", Msg: "A package " + message,
		Fields: []learn.FieldError{{Field: "format", Message: message}}}
}

// Write writes a package of cards, with those of the reviews that are of them and were not
// undone; at is when. Reviews come in the order of their times. Nothing is written before the
// package is whole. It ends with ctx. Invalid for more than [CardsMost] cards or [ReviewsMost]
// reviews, and whatever cards and reviews break off with.
func Write(ctx context.Context, w io.Writer, cards deck.Cards, reviews deck.Reviews, at time.Time) (err error) {
	db, err := sqlite3.OpenContext(ctx, ":memory:")
	if err != nil {
		return fmt.Errorf("apkg: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c := collection{db: db, at: at, day: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), ids: map[string]int64{}, intervals: map[int64]int{}, languages: map[string]bool{}}
	if err := c.fill(cards, reviews); err != nil {
		return fmt.Errorf("apkg: %w", err)
	}
	file, err := serdes.Serialize(db, "main")
	if err != nil {
		return fmt.Errorf("apkg: %w", err)
	}
	return pack(w, file, at)
}

// pack puts the database into a zip.
func pack(w io.Writer, file []byte, at time.Time) error {
	z := zip.NewWriter(w)
	for _, part := range []struct {
		name string
		data []byte
	}{{"collection.anki2", file}, {"media", []byte("{}")}} {
		f, err := z.CreateHeader(&zip.FileHeader{Name: part.name, Method: zip.Deflate, Modified: at.UTC()})
		if err != nil {
			return err
		}
		if _, err := f.Write(part.data); err != nil {
			return err
		}
	}
	return z.Close()
}

// collection is a database that is being filled.
type collection struct {
	db        *sqlite3.Conn
	at        time.Time
	day       time.Time        // from which days are counted: before any card of ours
	last      int64            // id of the last note and card
	logged    int64            // id of the last review
	ids       map[string]int64 // of cards, by ours
	intervals map[int64]int    // of the last review of a card, in days
	languages map[string]bool
}

// fill writes all of it, in one transaction.
func (c *collection) fill(cards deck.Cards, reviews deck.Reviews) error {
	if err := c.db.Exec(schema + "BEGIN"); err != nil {
		return err
	}
	notes, err := c.prepare("notes", 11)
	if err != nil {
		return err
	}
	rows, err := c.prepare("cards", 18)
	if err != nil {
		return err
	}
	log, err := c.prepare("revlog", 9)
	if err != nil {
		return err
	}
	defer func() { _, _, _ = notes.Close(), rows.Close(), log.Close() }() // closing repeats the error of the last step
	for card, err := range cards {
		if err != nil {
			return err
		}
		if len(c.ids) == CardsMost {
			return errTooMany()
		}
		if err := c.card(notes, rows, card); err != nil {
			return err
		}
	}
	n := 0
	for r, err := range reviews {
		if err != nil {
			return err
		}
		id, ok := c.ids[r.CardID]
		if !ok || !r.UndoneAt.IsZero() {
			continue
		}
		if n++; n > ReviewsMost {
			return errTooMany()
		}
		if err := c.review(log, id, r); err != nil {
			return err
		}
	}
	return c.finish()
}

// prepare returns the statement that inserts a row into a table.
func (c *collection) prepare(table string, columns int) (*sqlite3.Stmt, error) {
	s, _, err := c.db.Prepare("INSERT INTO " + table + " VALUES (?" + strings.Repeat(",?", columns-1) + ")")
	return s, err
}

// insert runs a prepared statement once.
func insert(s *sqlite3.Stmt, values ...any) error {
	for i, v := range values {
		var err error
		switch v := v.(type) {
		case int64:
			err = s.BindInt64(i+1, v)
		case int:
			err = s.BindInt(i+1, v)
		case string:
			err = s.BindText(i+1, v)
		}
		if err != nil {
			return err
		}
	}
	return s.Exec()
}

// card writes a card and its note.
func (c *collection) card(notes, rows *sqlite3.Stmt, card learn.Card) error {
	c.languages[card.Language] = true
	id := max(c.last+1, card.CreatedAt.UnixMilli()) // ids are times, and each is there once
	c.last, c.ids[card.ID] = id, id
	parts := []string{card.Front, card.Back, card.Context, string(card.Kind), string(card.Level)}
	for i, p := range parts {
		parts[i] = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(p)
	}
	tags := ""
	if len(card.Tags) > 0 {
		tags = " " + strings.Join(card.Tags, " ") + " "
	}
	changed := card.UpdatedAt.Unix()
	err := insert(notes, id, card.ID, int64(noteType), changed, unsynced, tags, strings.Join(parts, "\x1f"), card.Front, checksum(card.Front), 0, "")
	if err != nil {
		return err
	}
	p := c.placeOf(card)
	return insert(rows, id, id, deckID(card.Language), 0, changed, unsynced, p.kind, p.queue, p.due, p.interval, p.factor,
		card.Memory.Reps, card.Memory.Lapses, p.left, 0, 0, 0, p.data)
}

// checksum is by which Anki finds notes with the same first field.
func checksum(s string) int64 {
	sum := sha1.Sum([]byte(s)) //nolint:gosec // see there
	return int64(binary.BigEndian.Uint32(sum[:]))
}

// place is where a card is in Anki's scheduling.
type place struct {
	kind, queue, interval, factor, left int
	due                                 int64
	data                                string
}

// placeOf says where a card is. A new one is due by its place among the new ones, one that is
// being learned at a time in seconds, one in review on a day of the collection.
func (c *collection) placeOf(card learn.Card) place {
	const ease, oneStep = 2500, 1001 // in thousandths; one step left, and today
	m := card.Memory
	p := place{kind: deck.StateNumber(m.State), due: int64(len(c.ids)), data: "{}"}
	p.queue = p.kind
	switch m.State {
	case learn.CardLearning, learn.CardRelearning:
		p.queue, p.due, p.left, p.factor = 1, m.DueAt.Unix(), oneStep, ease
		if m.State == learn.CardRelearning {
			p.interval = 1
		}
	case learn.CardReview:
		p.due, p.interval, p.factor = int64(m.DueAt.Sub(c.day)/(24*time.Hour)), max(1, m.ScheduledDays), ease
	}
	if p.kind != 0 {
		p.data = encoded(object{"s": rounded(m.Stability), "d": rounded(m.Difficulty), "lrt": m.LastReviewedAt.Unix()})
	}
	if !card.SuspendedAt.IsZero() {
		p.queue = -1
	}
	return p
}

func rounded(f float64) float64 { return math.Round(f*10_000) / 10_000 }

// review writes a review of a card.
func (c *collection) review(log *sqlite3.Stmt, card int64, r learn.Review) error {
	const longest = 60_000 // ms; Anki counts no more of a review
	c.logged = max(c.logged+1, r.At.UnixMilli())
	// 0 is learning, of a new card as well; 1 review, 2 relearning.
	kind := max(0, deck.StateNumber(r.Before)-1)
	before := c.intervals[card]
	c.intervals[card] = r.ScheduledDays
	return insert(log, c.logged, card, unsynced, int(r.Rating), r.ScheduledDays, before, 2500, min(r.Duration.Milliseconds(), longest), kind)
}

// finish describes what was written, and commits.
func (c *collection) finish() error {
	languages := slices.Sorted(maps.Keys(c.languages))
	current := int64(1)
	if len(languages) > 0 {
		current = deckID(languages[0])
	}
	col, err := c.prepare("col", 13)
	if err != nil {
		return err
	}
	defer func() { _ = col.Close() }() // closing repeats the error of the last step
	changed := c.at.UnixMilli()
	err = insert(col, 1, c.day.Unix(), changed, changed, schemaVersion, 0, 0, 0,
		encoded(settings(current)), encoded(models(c.at)), encoded(decks(languages, c.at)), encoded(options()), "{}")
	if err != nil {
		return err
	}
	return c.db.Exec("COMMIT")
}
