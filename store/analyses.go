package store

import (
	"context"
	"encoding/json"
	"slices"
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
	Raw           *string // JSON of a keptAnalysis
	LatencyMS     int64   `gorm:"column:latency_ms"`
	Attempts      int
	LeaseUntil    *time.Time // of a queued one: nobody else takes it before
	CreatedAt     time.Time  `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (analysisRow) TableName() string { return "turn_analyses" }

// keptAnalysis is what an analysis found and no table of its own holds.
type keptAnalysis struct {
	Understood bool `json:"understood"`
	// NewWords wait here until the learner takes one as a card: nobody gets cards of what
	// the tutor said unasked, and the catalogue of words is shared between learners.
	NewWords      []learn.NewWord      `json:"new_words"`
	L1Words       []learn.L1Word       `json:"l1_words,omitempty"`
	UsedDueWords  []learn.UsedWord     `json:"used_due_words,omitempty"`
	Goals         []learn.GoalProgress `json:"goals,omitempty"`
	Comprehension learn.Comprehension  `json:"comprehension,omitempty"`
	WantsToLead   bool                 `json:"wants_to_lead,omitempty"`
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
	Repair           string
	AnalysisVersion  int
	HiddenAt         *time.Time // by the learner
	DisputedAt       *time.Time // for the first time
	CreatedAt        time.Time  `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (correctionRow) TableName() string { return "corrections" }

// SaveAnalysis keeps what was found out about a learner's message, adds the
// corrections that may be shown and the words of the learner's own language to the
// conversation's counts, notes which earlier mistakes the message repairs and which goals of
// the conversation's scenario it reaches, each once, credits the due words that it used (see
// [learn.CardUse.Credits]), and adds cards for a learner who wants them to come by themselves.
// It is done once for a message: saving again changes nothing
// and succeeds, whatever it says, so that it needs no epoch and may come after the
// conversation went on elsewhere or has ended. NotFound when the learner has no such message
// in the conversation, Conflict when the
// message reads otherwise by now.
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
		if err := mine.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).Select("id", "tenant_id", "scenario_id").Take(&c).Error; err != nil {
			return isMissing(err, "Session not found")
		}
		m, err := analysedMessage(tx, a, sessionID)
		if err != nil {
			return err
		}
		first, err := settleAnalysis(tx, row)
		if err != nil || !first {
			return err
		}
		if len(found) > 0 {
			if err := tx.Create(&found).Error; err != nil {
				return err
			}
		}
		if err := keepGoals(tx, c, m.ID, a.Goals, now); err != nil {
			return err
		}
		if shown, l1 := shownOf(found), len(a.L1Words); shown+l1 > 0 {
			err := mine.Updates(map[string]any{
				"corrections_made": gorm.Expr("corrections_made + ?", shown), "l1_words": gorm.Expr("l1_words + ?", l1),
			}).Error
			if err != nil {
				return err
			}
		}
		changes, err := settleRepairs(tx, row.TenantID, sessionID, m.TurnNo)
		if err != nil {
			return err
		}
		for _, f := range found {
			changes = append(changes, learn.Change{Entity: learn.EntityCorrection, ID: f.ID})
		}
		cards, err := analysedCards(tx, a, m, found, now)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			if err := countCorrections(tx, row.TenantID, sessionID); err != nil {
				return err
			}
		}
		return feed(tx, row.TenantID, userID, now, onlyOnce(append(changes, cards...))...)
	})
	return fail(op, err)
}

// analysedCards does what an analysis does to the learner's cards, and returns what to tell the
// feed. It comes before the days are counted, whose rows are locked after those of cards.
func analysedCards(tx *gorm.DB, a learn.TurnAnalysis, m messageRow, found []correctionRow, now time.Time) ([]learn.Change, error) {
	credited, err := creditWords(tx, clean(a.UserID), m, a.UsedDueWords, now)
	if err != nil {
		return nil, err
	}
	added, err := autoCards(tx, a, m, found, now)
	return append(credited, added...), err
}

// analysedMessage finds the learner's message that an analysis is about.
func analysedMessage(tx *gorm.DB, a learn.TurnAnalysis, sessionID string) (messageRow, error) {
	var m messageRow
	err := tx.Select("id", "tenant_id", "session_id", "seq", "content", "turn_no", "created_at", "edited_at").Where("tenant_id = ? AND session_id = ? AND id = ?", clean(a.TenantID), sessionID, clean(a.MessageID)).
		Where("role = ?", learn.SpeakerLearner).Take(&m).Error
	if err != nil {
		return m, isMissing(err, "Message not found")
	}
	if a.Message != "" && clean(a.Message) != m.Content {
		return m, conflict("The message reads otherwise by now")
	}
	return m, nil
}

// settleAnalysis makes an analysis that of its message, unless the message has one, be it of
// another version.
func settleAnalysis(tx *gorm.DB, row analysisRow) (first bool, err error) {
	var there []analysisRow
	err = tx.Select("id", "schema_version", "status").Where("tenant_id = ? AND message_id = ?", row.TenantID, row.MessageID).Find(&there).Error
	if err != nil || slices.ContainsFunc(there, func(r analysisRow) bool { return r.Status == "done" }) {
		return false, err
	}
	i := slices.IndexFunc(there, func(r analysisRow) bool { return r.SchemaVersion == row.SchemaVersion })
	if i < 0 {
		return true, tx.Create(&row).Error
	}
	return true, tx.Model(&analysisRow{}).Where("tenant_id = ? AND id = ?", row.TenantID, there[i].ID).
		Updates(map[string]any{"status": row.Status, "model": row.Model, "raw": row.Raw, "latency_ms": row.LatencyMS, "lease_until": nil}).Error
}

// onlyOnce leaves out what stands among changes before.
func onlyOnce(changes []learn.Change) []learn.Change {
	var kept []learn.Change
	for _, c := range changes {
		if !slices.Contains(kept, c) {
			kept = append(kept, c)
		}
	}
	return kept
}

// newAnalysis returns the rows of an analysis.
func newAnalysis(a learn.TurnAnalysis, now time.Time) (row analysisRow, found []correctionRow, err error) {
	row = analysisRow{
		TenantID: clean(a.TenantID), MessageID: clean(a.MessageID), SchemaVersion: learn.AnalysisVersion,
		Status: "done", Model: clean(a.Provider), LatencyMS: a.Took.Milliseconds(), CreatedAt: now,
	}
	if row.MessageID == "" {
		return row, nil, invalid("message_id", "missing")
	}
	kept, err := json.Marshal(keptAnalysis{Understood: a.Understood, NewWords: a.NewWords, L1Words: a.L1Words, UsedDueWords: a.UsedDueWords,
		Goals: a.Goals, Comprehension: a.Comprehension, WantsToLead: a.WantsToLead})
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
			ASRConfidenceMin: nullable(c.HeardConfidence), Source: "llm", Status: "shown", Repair: string(learn.RepairNone),
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
