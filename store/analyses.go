package store

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// analysisRow is what this package writes of the table turn_analyses.
type analysisRow struct {
	ID            string
	TenantID      string
	MessageID     string
	SchemaVersion int
	Status        string
	Model         string
	Raw           *string   // JSON of a keptAnalysis
	CreatedAt     time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (analysisRow) TableName() string { return "turn_analyses" }

// keptAnalysis is what an analysis found and no table of its own holds.
type keptAnalysis struct {
	Understood bool `json:"understood"`
	// NewWords wait here until the learner takes one as a card: nobody gets cards
	// unasked, and the catalogue of words is shared between learners.
	NewWords []learn.NewWord `json:"new_words"`
}

// correctionRow is what this package writes of the table corrections.
type correctionRow struct {
	ID               string
	TenantID         string
	UserID           string
	SessionID        string
	MessageID        string
	Original         string
	Corrected        string
	StartPos         int
	EndPos           int
	Category         string
	Severity         string
	Explanation      string
	ExplanationLang  string
	Confidence       float64
	ASRConfidenceMin *float64 `gorm:"column:asr_confidence_min"`
	Source           string
	Status           string // shown or withheld, until somebody disputes or confirms
	AnalysisVersion  int
	CreatedAt        time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (correctionRow) TableName() string { return "corrections" }

// SaveAnalysis keeps what was found out about a learner's message, and adds the
// corrections that may be shown to the conversation's count. It is done once for a
// message: saving again changes nothing and succeeds, whatever it says, so that it
// needs no epoch and may come after the conversation went on elsewhere or has ended.
// NotFound when the learner has no such message in the conversation.
func (db *DB) SaveAnalysis(ctx context.Context, a learn.TurnAnalysis) error {
	const op = "store.SaveAnalysis"
	now := db.clock()
	row, found, err := newAnalysis(a, now)
	if err != nil {
		return fail(op, err)
	}
	sessionID, userID := clean(a.ConversationID), clean(a.UserID)
	err = db.transact(ctx, func(tx *gorm.DB) error {
		mine := tx.Model(&conversationRow{}).
			Where("tenant_id = ? AND id = ? AND user_id = ?", row.TenantID, sessionID, userID).
			Session(&gorm.Session{})
		var c conversationRow
		// The conversation's row is locked first, in the order of every other writer.
		if err := mine.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).Select("id").Take(&c).Error; err != nil {
			return isMissing(err, "Session not found")
		}
		var m messageRow
		err := tx.Select("id").Where("tenant_id = ? AND session_id = ? AND id = ?", row.TenantID, sessionID, row.MessageID).
			Where("role = ?", learn.SpeakerLearner).Take(&m).Error
		if err != nil {
			return isMissing(err, "Message not found")
		}
		res := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if res.Error != nil || res.RowsAffected == 0 || len(found) == 0 {
			return res.Error
		}
		if err := tx.Create(&found).Error; err != nil {
			return err
		}
		return mine.Update("corrections_made", gorm.Expr("corrections_made + ?", shownOf(found))).Error
	})
	return fail(op, err)
}

// newAnalysis returns the rows of an analysis.
func newAnalysis(a learn.TurnAnalysis, now time.Time) (row analysisRow, found []correctionRow, err error) {
	row = analysisRow{
		TenantID: clean(a.TenantID), MessageID: clean(a.MessageID), SchemaVersion: learn.AnalysisVersion,
		Status: "done", Model: clean(a.Provider), CreatedAt: now,
	}
	if row.MessageID == "" {
		return row, nil, invalid("message_id", "missing")
	}
	kept, err := json.Marshal(keptAnalysis{Understood: a.Understood, NewWords: a.NewWords})
	if err != nil {
		return row, nil, err
	}
	raw := clean(string(kept))
	row.Raw = &raw
	if row.ID, err = newID(""); err != nil {
		return row, nil, err
	}
	for _, c := range a.Corrections {
		r := correctionRow{
			TenantID: row.TenantID, UserID: clean(a.UserID), SessionID: clean(a.ConversationID), MessageID: row.MessageID,
			Original: clean(c.Original), Corrected: clean(c.Corrected), StartPos: c.Start, EndPos: c.End,
			Category: string(c.Category), Severity: string(c.Severity),
			Explanation: clean(c.Explanation), ExplanationLang: clean(c.ExplanationLanguage), Confidence: c.Confidence,
			ASRConfidenceMin: nullable(c.HeardConfidence), Source: "llm", Status: "shown",
			AnalysisVersion: learn.AnalysisVersion, CreatedAt: now,
		}
		if c.Withheld {
			r.Status = "withheld"
		}
		if r.ID, err = newID(c.ID); err != nil {
			return row, nil, err
		}
		found = append(found, r)
	}
	return row, found, nil
}

// shownOf counts the corrections that may be shown.
func shownOf(found []correctionRow) (n int) {
	for _, r := range found {
		if r.Status == "shown" {
			n++
		}
	}
	return n
}
