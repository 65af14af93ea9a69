package store

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// assessmentRow is a row of the table pronunciation_assessments. The vendor's raw answer,
// for which there is a column, is not kept.
type assessmentRow struct {
	ID              string
	TenantID        string
	UserID          string
	SessionID       *string
	MessageID       *string
	ReferenceText   string
	Mode            string
	Provider        string
	ProviderVersion string
	Basis           string
	Language        string
	OverallScore    *float64
	Capabilities    *string // JSON, as the four that follow
	Scores          *string // of a learn.Scores
	Fluency         *string // of a learn.Fluency
	ProblemAreas    *string
	Suggestions     *string
	CreatedAt       time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (assessmentRow) TableName() string { return "pronunciation_assessments" }

// assessedWordRow is a row of the table pronunciation_words.
type assessedWordRow struct {
	TenantID      string
	AssessmentID  string
	Idx           int // place in the list
	RefIdx        *int
	Word          string
	Heard         *string
	Status        *string
	Recognition   *float64
	Accuracy      *float64
	StartMS       *int      `gorm:"column:start_ms"`
	EndMS         *int      `gorm:"column:end_ms"`
	PauseBeforeMS *int      `gorm:"column:pause_before_ms"`
	Phonemes      *string   // JSON
	CreatedAt     time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (assessedWordRow) TableName() string { return "pronunciation_words" }

// SaveAssessment keeps an assessment with its words, and returns it with ID and CreatedAt
// filled in. A message of a talk is assessed once: for one that has an assessment nothing
// is stored, and the ID that comes back is empty. NotFound when the conversation, or the
// message in it, is not the user's.
func (db *DB) SaveAssessment(ctx context.Context, a learn.Assessment) (learn.Assessment, error) {
	const op = "store.SaveAssessment"
	var err error
	if a.ID, err = newID(a.ID); err != nil {
		return learn.Assessment{}, fail(op, err)
	}
	a.CreatedAt = stampOr(a.CreatedAt, db.clock())
	row, words, err := newAssessment(a)
	if err != nil {
		return learn.Assessment{}, fail(op, err)
	}
	err = db.transact(ctx, func(tx *gorm.DB) error {
		if err := ownsAssessed(tx, row); err != nil {
			return err
		}
		res := tx.Clauses(clause.OnConflict{
			Columns:     []clause.Column{{Name: "tenant_id"}, {Name: "message_id"}},
			TargetWhere: clause.Where{Exprs: []clause.Expression{gorm.Expr("message_id IS NOT NULL AND mode = 'spontaneous'")}},
			DoNothing:   true,
		}).Create(&row)
		if res.Error == nil && res.RowsAffected == 0 {
			a.ID = ""
		}
		if res.Error != nil || res.RowsAffected == 0 || len(words) == 0 {
			return res.Error
		}
		return tx.CreateInBatches(words, 500).Error
	})
	if isDangling(err) {
		err = notFound("User not found")
	}
	if err != nil {
		return learn.Assessment{}, fail(op, err)
	}
	return a, nil
}

// ownsAssessed checks that what an assessment points at is the user's.
func ownsAssessed(tx *gorm.DB, row assessmentRow) error {
	if row.SessionID == nil {
		if row.MessageID != nil {
			return invalid("message_id", "without its session")
		}
		return nil
	}
	var c conversationRow
	err := tx.Select("id").Where("tenant_id = ? AND user_id = ? AND id = ?", row.TenantID, row.UserID, *row.SessionID).Take(&c).Error
	if err != nil {
		return isMissing(err, "Session not found")
	}
	if row.MessageID == nil {
		return nil
	}
	var m messageRow
	err = tx.Select("id").Where("tenant_id = ? AND session_id = ? AND id = ?", row.TenantID, *row.SessionID, *row.MessageID).
		Where("role = ?", learn.SpeakerLearner).Take(&m).Error
	return isMissing(err, "Message not found")
}

// newAssessment returns the rows of an assessment.
func newAssessment(a learn.Assessment) (row assessmentRow, words []assessedWordRow, err error) {
	row = assessmentRow{
		ID: a.ID, TenantID: clean(a.TenantID), UserID: clean(a.UserID), SessionID: cleaned(a.ConversationID), MessageID: cleaned(a.MessageID),
		ReferenceText: clean(valueOr(a.Reference, "")), Mode: string(a.Mode), Provider: clean(a.Provider), ProviderVersion: clean(a.ProviderVersion),
		Basis: string(a.Basis), Language: clean(a.Language), OverallScore: a.Overall, CreatedAt: a.CreatedAt,
	}
	switch {
	case a.Mode != learn.Scripted && a.Mode != learn.Spontaneous:
		return row, nil, invalid("mode", "not one of scripted, spontaneous")
	case a.Basis != learn.RecognitionBasis && a.Basis != learn.AcousticBasis:
		return row, nil, invalid("basis", "not one of asr_recognition, acoustic_phoneme")
	}
	for _, column := range []struct {
		into **string
		from any
	}{{&row.Capabilities, listed(a.Capabilities)}, {&row.Scores, a.Scores}, {&row.Fluency, a.Fluency},
		{&row.ProblemAreas, listed(a.ProblemAreas)}, {&row.Suggestions, listed(a.Suggestions)}} {
		if *column.into, err = encodeClean(column.from); err != nil {
			return row, nil, err
		}
	}
	for i, w := range a.Words {
		r := assessedWordRow{
			TenantID: row.TenantID, AssessmentID: row.ID, Idx: i, RefIdx: w.RefIndex, Word: clean(w.Word), Heard: cleaned(w.Heard),
			Status: (*string)(w.Status), Recognition: w.Recognition, Accuracy: w.Accuracy,
			StartMS: w.StartMS, EndMS: w.EndMS, PauseBeforeMS: w.PauseBeforeMS, CreatedAt: row.CreatedAt,
		}
		if len(w.Phonemes) > 0 {
			if r.Phonemes, err = encodeClean(w.Phonemes); err != nil {
				return row, nil, err
			}
		}
		words = append(words, r)
	}
	return row, words, nil
}

// listed is a list that is never null in JSON.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// cleaned is clean for text that may be missing.
func cleaned(s *string) *string {
	if s == nil {
		return nil
	}
	return new(clean(*s))
}

// encodeClean is encode for values with text that may have come from anywhere: a NUL stands
// in JSON as an escape, which Postgres refuses as well.
func encodeClean(v any) (*string, error) {
	text, err := encode(v)
	if err != nil {
		return nil, err
	}
	return new(strings.ReplaceAll(clean(*text), `\u0000`, `\ufffd`)), nil
}

// assessment returns what the row holds. Its caveat follows from its basis and is not stored.
func (r assessmentRow) assessment() (learn.Assessment, error) {
	a := learn.Assessment{
		ID: r.ID, TenantID: r.TenantID, UserID: r.UserID, ConversationID: r.SessionID, MessageID: r.MessageID,
		Mode: learn.AssessmentMode(r.Mode), Language: r.Language, Reference: nullable(r.ReferenceText),
		Provider: r.Provider, ProviderVersion: r.ProviderVersion, Basis: learn.Basis(r.Basis), Overall: r.OverallScore,
		CreatedAt: r.CreatedAt.UTC(),
	}
	for _, column := range []struct {
		from *string
		into any
	}{{r.Capabilities, &a.Capabilities}, {r.Scores, &a.Scores}, {r.Fluency, &a.Fluency}, {r.ProblemAreas, &a.ProblemAreas}, {r.Suggestions, &a.Suggestions}} {
		if err := decode(column.from, column.into); err != nil {
			return a, err
		}
	}
	return a, nil
}

// Assessment returns one of the user's assessments with its words; its Caveat is empty.
// NotFound when it is not theirs.
func (db *DB) Assessment(ctx context.Context, tenantID, userID, id string) (learn.Assessment, error) {
	const op = "store.Assessment"
	tenantID, userID, id = clean(tenantID), clean(userID), clean(id)
	var row assessmentRow
	var words []assessedWordRow
	err := db.reading(ctx, func(tx *gorm.DB) error {
		err := tx.Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, id).Take(&row).Error
		if err != nil {
			return isMissing(err, "Assessment not found")
		}
		return tx.Where("tenant_id = ? AND assessment_id = ?", tenantID, id).Order("idx").Find(&words).Error
	})
	if err != nil {
		return learn.Assessment{}, fail(op, err)
	}
	a, err := row.assessment()
	if err == nil {
		a.Words, err = assessedWords(words)
	}
	if err != nil {
		return learn.Assessment{}, fail(op, err)
	}
	return a, nil
}

// assessedWords are the words of rows that are in order.
func assessedWords(rows []assessedWordRow) ([]learn.AssessedWord, error) {
	words := make([]learn.AssessedWord, len(rows))
	said := 0
	for i, r := range rows {
		words[i] = learn.AssessedWord{
			RefIndex: r.RefIdx, Word: r.Word, Heard: r.Heard, Status: (*learn.WordStatus)(r.Status), Recognition: r.Recognition,
			Accuracy: r.Accuracy, StartMS: r.StartMS, EndMS: r.EndMS, PauseBeforeMS: r.PauseBeforeMS,
		}
		if r.Heard != nil {
			words[i].Index = new(said)
			said++
		}
		if err := decode(r.Phonemes, &words[i].Phonemes); err != nil {
			return nil, err
		}
	}
	return words, nil
}

// ListAssessments returns one page of the user's assessments without their words, newest
// first: at most limit of them after the first offset. An empty language means all.
func (db *DB) ListAssessments(ctx context.Context, tenantID, userID, language string, limit, offset int) ([]learn.Assessment, error) {
	const op = "store.ListAssessments"
	var rows []assessmentRow
	err := db.reading(ctx, func(tx *gorm.DB) error {
		tx = tx.Where("tenant_id = ? AND user_id = ?", clean(tenantID), clean(userID))
		if language != "" {
			tx = tx.Where("language = ?", clean(language))
		}
		return tx.Order("created_at DESC, id DESC").Limit(max(limit, 0)).Offset(max(offset, 0)).Find(&rows).Error
	})
	out := make([]learn.Assessment, len(rows))
	for i, r := range rows {
		if err == nil {
			out[i], err = r.assessment()
		}
	}
	if err != nil {
		return nil, fail(op, err)
	}
	return out, nil
}
