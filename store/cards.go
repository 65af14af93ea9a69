package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// chunk is how many rows or ids one statement is for.
const chunk = 500

// cardRow is a row of the table user_vocabulary.
type cardRow struct {
	ID                 string
	TenantID           string
	UserID             string
	LearningProfileID  string
	Kind               string
	Front              string
	Back               string
	Context            string
	CardKey            string
	SearchText         string
	Tags               string // JSON
	Origin             string
	Level              *string
	SourceMessageID    *string
	SourceCorrectionID *string
	State              string
	Stability          float64
	Difficulty         float64
	DueAt              *time.Time
	LastReviewedAt     *time.Time
	Reps               int
	Lapses             int
	ScheduledDays      int
	Leech              bool
	SuspendedAt        *time.Time
	TimesEncountered   int
	TimesUsedCorrectly int
	LastUsedAt         *time.Time
	FieldVersions      string    // JSON of fieldVersions
	CreatedAt          time.Time `gorm:"autoCreateTime:false"`
	UpdatedAt          time.Time `gorm:"autoUpdateTime:false"`
	DeletedAt          *time.Time
}

// TableName implements gorm's Tabler.
func (cardRow) TableName() string { return "user_vocabulary" }

// cardView is a card with what its profile knows of it.
type cardView struct {
	Row            cardRow `gorm:"embedded"`
	TargetLanguage string
}

// newCard returns the row of a card; Invalid when a field is missing or out of range.
func newCard(tenantID, userID string, c learn.Card, now time.Time) (cardRow, error) {
	c = c.Tidy()
	if f := c.Check(); len(f) > 0 {
		return cardRow{}, &learn.Error{Kind: learn.Invalid, Msg: "Invalid card", Fields: f}
	}
	id, err := newID(clean(c.ID))
	if err != nil {
		return cardRow{}, err
	}
	row := cardRow{
		ID: id, TenantID: tenantID, UserID: userID, LearningProfileID: clean(c.ProfileID),
		Kind: string(c.Kind), Context: clean(c.Context), Origin: string(c.Origin), Level: nullable(string(c.Level)),
		SourceMessageID: nullable(clean(c.MessageID)), SourceCorrectionID: nullable(clean(c.CorrectionID)),
		State: string(learn.CardNew), FieldVersions: "{}", UpdatedAt: now,
		CreatedAt: createdAt(c.CreatedAt, now),
	}
	row.setTexts(clean(c.Front), clean(c.Back))
	return row, row.setTags(c.Tags)
}

// createdAt is when a card was made: as a device says that was offline then, but not in the
// future, nor before there was anybody who could have made it.
func createdAt(said, now time.Time) time.Time {
	if said.IsZero() || said.After(now) || said.Year() < 2020 {
		return now
	}
	return stamp(said)
}

// setTexts sets front and back with what follows from them.
func (r *cardRow) setTexts(front, back string) {
	r.Front, r.Back = front, back
	r.CardKey, r.SearchText = learn.CardKey(back), learn.Fold(front)+"\n"+learn.Fold(back)
}

func (r *cardRow) setTags(tags []string) error {
	b, err := json.Marshal(append([]string{}, tags...)) // [] and never null
	r.Tags = clean(string(b))
	return err
}

// key is what the cards of a learner are told apart by.
func (r *cardRow) key() [3]string { return [3]string{r.LearningProfileID, r.Kind, r.CardKey} }

func (r *cardRow) memory() learn.Memory {
	return learn.Memory{State: learn.CardState(r.State), Stability: r.Stability, Difficulty: r.Difficulty,
		DueAt: timeOf(r.DueAt), LastReviewedAt: timeOf(r.LastReviewedAt), Reps: r.Reps, Lapses: r.Lapses, ScheduledDays: r.ScheduledDays}
}

func (r *cardRow) card(language string) (learn.Card, error) {
	c := learn.Card{
		ID: r.ID, TenantID: r.TenantID, UserID: r.UserID, ProfileID: r.LearningProfileID, Language: language,
		Kind: learn.CardKind(r.Kind), Front: r.Front, Back: r.Back, Context: r.Context, Key: r.CardKey,
		Origin: learn.CardOrigin(r.Origin), Level: learn.Level(valueOr(r.Level, "")),
		MessageID: valueOr(r.SourceMessageID, ""), CorrectionID: valueOr(r.SourceCorrectionID, ""),
		Memory: r.memory(), Leech: r.Leech, SuspendedAt: timeOf(r.SuspendedAt),
		Encountered: r.TimesEncountered, UsedCorrectly: r.TimesUsedCorrectly, LastUsedAt: timeOf(r.LastUsedAt),
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(), DeletedAt: timeOf(r.DeletedAt),
	}
	var tags []string
	if err := json.Unmarshal([]byte(r.Tags), &tags); err != nil {
		return c, err
	}
	if len(tags) > 0 {
		c.Tags = tags
	}
	return c, nil
}

// timeOf is a time that may be null, which is zero.
func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// timeOrNull is the same the other way.
func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = stamp(t)
	return &t
}

// cardsOf begins every query for cards: those of a user's profiles that are not deleted.
const cardsOf = `SELECT v.*, p.target_language FROM user_vocabulary v CROSS JOIN learning_profiles p
WHERE v.tenant_id = ? AND v.user_id = ? AND p.tenant_id = v.tenant_id AND p.user_id = v.user_id
	AND p.id = v.learning_profile_id AND p.deleted_at IS NULL `

// findCards runs a query that begins as cardsOf does.
func findCards(tx *gorm.DB, tenantID, userID, narrow string, args ...any) ([]learn.Card, error) {
	var found []cardView
	err := tx.Raw(cardsOf+narrow, append([]any{tenantID, userID}, args...)...).Scan(&found).Error
	if err != nil {
		return nil, err
	}
	cards := make([]learn.Card, len(found))
	for i := range found {
		if cards[i], err = found[i].Row.card(found[i].TargetLanguage); err != nil {
			return nil, err
		}
	}
	return cards, nil
}

// Card returns one of the user's cards; NotFound when it is not theirs, was deleted, or is
// of a profile that was.
func (db *DB) Card(ctx context.Context, tenantID, userID, id string) (learn.Card, error) {
	var c learn.Card
	err := db.reading(ctx, func(tx *gorm.DB) (err error) {
		c, err = loadCard(tx, clean(tenantID), clean(userID), clean(id))
		return err
	})
	return c, fail("store.Card", err)
}

func loadCard(tx *gorm.DB, tenantID, userID, id string) (learn.Card, error) {
	found, err := findCards(tx, tenantID, userID, "AND v.id = ? AND v.deleted_at IS NULL", id)
	if err == nil && len(found) == 0 {
		err = notFound("Card not found")
	}
	if err != nil {
		return learn.Card{}, err
	}
	return found[0], nil
}

// ListCards returns one page of the user's cards that a filter lets through, newest first:
// at most limit of them after the first offset.
func (db *DB) ListCards(ctx context.Context, tenantID, userID string, f learn.CardFilter, limit, offset int) ([]learn.Card, error) {
	narrow, args := narrowCards(f, db.clock())
	args = append(args, max(limit, 0), max(offset, 0))
	var cards []learn.Card
	err := db.reading(ctx, func(tx *gorm.DB) (err error) {
		cards, err = findCards(tx, clean(tenantID), clean(userID), narrow+"ORDER BY v.created_at DESC, v.id DESC LIMIT ? OFFSET ?", args...)
		return err
	})
	return cards, fail("store.ListCards", err)
}

// narrowCards is the part of a query that a filter stands for.
func narrowCards(f learn.CardFilter, now time.Time) (narrow string, args []any) {
	var b strings.Builder
	b.WriteString("AND v.deleted_at IS NULL ")
	where := func(condition string, arg ...any) {
		b.WriteString("AND " + condition + " ")
		args = append(args, arg...)
	}
	equal := func(column, value string) {
		if value != "" {
			where("v."+column+" = ?", clean(value))
		}
	}
	equal("learning_profile_id", f.ProfileID)
	equal("kind", string(f.Kind))
	equal("state", string(f.State))
	equal("origin", string(f.Origin))
	equal("level", string(f.Level))
	if f.Tag != "" {
		tag, _ := json.Marshal(clean(f.Tag)) // a string always can be
		where(`CAST(v.tags AS TEXT) LIKE ? ESCAPE '!'`, "%"+escapeLike(string(tag))+"%")
	}
	if text := learn.Fold(f.Text); text != "" {
		where(`v.search_text LIKE ? ESCAPE '!'`, "%"+escapeLike(clean(text))+"%")
	}
	yesOrNo := func(ask *bool, yes, no string, arg ...any) {
		switch {
		case ask == nil:
		case *ask:
			where(yes, arg...)
		default:
			where(no, arg...)
		}
	}
	yesOrNo(f.Suspended, "v.suspended_at IS NOT NULL", "v.suspended_at IS NULL")
	yesOrNo(f.Leech, "v.leech", "NOT v.leech")
	if f.Due != nil && *f.Due {
		where("v.suspended_at IS NULL")
	}
	yesOrNo(f.Due, "COALESCE(v.due_at, v.created_at) <= ?", "COALESCE(v.due_at, v.created_at) > ?", now)
	return b.String(), args
}

// escapeLike makes text of what has a meaning in a pattern.
func escapeLike(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}

// lockCards reads those of the user's cards that have one of the ids, also deleted ones, and
// locks their rows to the end of tx, in the order of their ids, in which all writers of
// cards do.
func lockCards(tx *gorm.DB, tenantID, userID string, ids []string) (rows []*cardRow, err error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for part := range slices.Chunk(ids, chunk) {
		var some []*cardRow
		err := tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
			Where("tenant_id = ? AND user_id = ? AND id IN ?", tenantID, userID, part).Order("id").Find(&some).Error
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	return rows, nil
}

// lockCard is lockCards for one that is there; NotFound when it is not.
func lockCard(tx *gorm.DB, tenantID, userID, id string) (*cardRow, error) {
	rows, err := lockCards(tx, tenantID, userID, []string{id})
	if err == nil && len(rows) == 0 {
		err = notFound("Card not found")
	}
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// profileLanguages are the languages of the user's profiles that are not deleted, by id.
func profileLanguages(tx *gorm.DB, tenantID, userID string) (map[string]string, error) {
	var rows []profileRow
	err := tx.Select("id", "target_language").
		Where("tenant_id = ? AND user_id = ? AND deleted_at IS NULL", tenantID, userID).Find(&rows).Error
	languages := make(map[string]string, len(rows))
	for _, r := range rows {
		languages[r.ID] = r.TargetLanguage
	}
	return languages, err
}

// changedCard is the entry of the feed for a card.
func changedCard(r *cardRow, device string) learn.Change {
	return learn.Change{Entity: learn.EntityCard, ID: r.ID, Deleted: r.DeletedAt != nil, Device: device}
}
