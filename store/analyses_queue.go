package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// analysisGrace is for how long after a learner's message was stored nobody but its own
// session analyses it: a reply, and then an analysis.
const analysisGrace = 45 * time.Second

// analysisHaste is the same, for what is left when the conversation has ended.
const analysisHaste = 15 * time.Second

// queueAnalysis has a learner's message that was just stored analysed, by its session or
// else by whoever claims it. What is said to answer cards is not looked at.
func (db *DB) queueAnalysis(tx *gorm.DB, m messageRow, now time.Time) error {
	if m.Role != string(learn.SpeakerLearner) {
		return nil
	}
	id, err := newID("")
	if err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO turn_analyses (id, tenant_id, message_id, schema_version, status, lease_until, created_at)
		SELECT ?, s.tenant_id, ?, ?, 'queued', ?, ? FROM conversation_sessions s WHERE s.tenant_id = ? AND s.id = ? AND s.mode <> 'review'`,
		id, m.ID, learn.AnalysisVersion, db.later(analysisGrace), now, m.TenantID, m.SessionID).Error
}

// requeueAnalysis has a message analysed again from the beginning, because it reads
// otherwise now. Whoever is at it will be refused.
func (db *DB) requeueAnalysis(tx *gorm.DB, m messageRow, now time.Time) error {
	err := tx.Where("tenant_id = ? AND message_id = ?", m.TenantID, m.ID).Delete(&analysisRow{}).Error
	if err != nil {
		return err
	}
	if err := db.queueAnalysis(tx, m, now); err != nil {
		return err
	}
	return tx.Model(&analysisRow{}).Where("tenant_id = ? AND message_id = ?", m.TenantID, m.ID).Update("lease_until", db.later(0)).Error
}

// hastenAnalyses lets go of what the session of a conversation that ends has not analysed.
func (db *DB) hastenAnalyses(tx *gorm.DB, tenantID, sessionID string) error {
	return tx.Exec(`UPDATE turn_analyses SET lease_until = ? WHERE tenant_id = ? AND status = 'queued' AND lease_until > ?
		AND message_id IN (SELECT m.id FROM conversation_messages m WHERE m.tenant_id = ? AND m.session_id = ?)`,
		db.later(analysisHaste), tenantID, db.later(analysisHaste), tenantID, sessionID).Error
}

// dueAnalyses claims; Postgres passes over what others are just claiming, and SQLite has one
// writer. It begins by giving up what was claimed too often.
const (
	spentAnalyses = `UPDATE turn_analyses SET status = 'failed', lease_until = NULL
		WHERE status = 'queued' AND lease_until <= ? AND attempts >= ?`
	dueAnalyses = `WITH due AS MATERIALIZED (SELECT id FROM turn_analyses WHERE status = 'queued' AND lease_until <= ?
		ORDER BY lease_until LIMIT ?%s)
		UPDATE turn_analyses SET attempts = attempts + 1, lease_until = ? WHERE id IN (SELECT id FROM due)
		RETURNING id, tenant_id, message_id, attempts`
)

// ClaimAnalyses takes up to n turns that wait to be analysed and that nobody else is at, and
// gives them to the caller for as long as the lease: then others may take them. Any number
// of nodes may call it at once. Turns that were claimed [learn.AnalysisAttempts] times have
// failed.
func (db *DB) ClaimAnalyses(ctx context.Context, n int, lease time.Duration) ([]learn.AnalysisClaim, error) {
	const op = "store.ClaimAnalyses"
	var rows []analysisRow
	err := db.transact(ctx, func(tx *gorm.DB) error {
		tx = acrossTenants(tx)
		if err := tx.Exec(spentAnalyses, db.later(0), learn.AnalysisAttempts).Error; err != nil {
			return err
		}
		return tx.Raw(db.skipping(dueAnalyses), db.later(0), max(n, 0), db.later(lease)).Scan(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return nil, fail(op, err)
	}
	claims := make([]learn.AnalysisClaim, 0, len(rows))
	err = db.reading(ctx, func(tx *gorm.DB) error {
		for _, r := range rows {
			c, err := claimedTurn(tx, r)
			if isAbsent(err) {
				continue // it was deleted meanwhile
			}
			if err != nil {
				return err
			}
			claims = append(claims, c)
		}
		return nil
	})
	if err != nil {
		return nil, fail(op, err)
	}
	return claims, nil
}

// HoldAnalyses makes the leases of claims last from now on again: of those that nobody else
// has taken meanwhile, and that were not given back to wait longer.
func (db *DB) HoldAnalyses(ctx context.Context, claims []learn.AnalysisClaim, lease time.Duration) error {
	err := db.transact(ctx, func(tx *gorm.DB) error {
		for _, c := range claims {
			until := db.later(lease)
			err := tx.Model(&analysisRow{}).Where("tenant_id = ? AND id = ?", clean(c.TenantID), clean(c.ID)).
				Where("status = ? AND attempts = ? AND lease_until < ?", "queued", c.Attempt, until).Update("lease_until", until).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
	return fail("store.HoldAnalyses", err)
}

// MissAnalysis gives a claim back that came to nothing: it may be claimed again after a
// while, or has failed when it was the last attempt. It changes nothing when somebody else
// has the claim by now, or the turn was analysed.
func (db *DB) MissAnalysis(ctx context.Context, c learn.AnalysisClaim, again time.Duration) error {
	status := "queued"
	if c.Attempt >= learn.AnalysisAttempts {
		status = "failed"
	}
	err := db.writing(ctx, func(tx *gorm.DB) error {
		return tx.Model(&analysisRow{}).Where("tenant_id = ? AND id = ?", clean(c.TenantID), clean(c.ID)).
			Where("status = ? AND attempts = ?", "queued", c.Attempt).
			Updates(map[string]any{"status": status, "lease_until": db.later(again)}).Error
	})
	return fail("store.MissAnalysis", err)
}

// skipping completes a statement that claims rows.
func (db *DB) skipping(statement string) string {
	skip := ""
	if db.migrator.dialect == postgresDialect {
		skip = " FOR UPDATE SKIP LOCKED"
	}
	return fmt.Sprintf(statement, skip)
}

// turnView is a learner's message beside who said it.
type turnView struct {
	Row            messageRow `gorm:"embedded"`
	UserID         string
	ProfileID      string
	Level          string
	TargetLanguage string
	NativeLanguage string
}

// turnOf finds a message; its parameters are the tenant and the message.
const turnOf = `SELECT m.*, s.user_id, s.learning_profile_id AS profile_id, s.cefr_at_start AS level, p.target_language, u.native_language
	FROM conversation_messages m, conversation_sessions s, learning_profiles p, users u
	WHERE m.tenant_id = ? AND m.id = ? AND s.tenant_id = m.tenant_id AND s.id = m.session_id
	AND p.tenant_id = s.tenant_id AND p.user_id = s.user_id AND p.id = s.learning_profile_id AND u.id = s.user_id`

// claimedTurn reads what is to be analysed of a row: the message, and what the tutor said
// before and after it.
func claimedTurn(tx *gorm.DB, r analysisRow) (learn.AnalysisClaim, error) {
	var found []turnView
	if err := tx.Raw(turnOf, r.TenantID, r.MessageID).Scan(&found).Error; err != nil {
		return learn.AnalysisClaim{}, err
	}
	if len(found) == 0 {
		return learn.AnalysisClaim{}, gorm.ErrRecordNotFound
	}
	v := found[0]
	m, err := v.Row.message()
	if err != nil {
		return learn.AnalysisClaim{}, err
	}
	c := learn.AnalysisClaim{ID: r.ID, TenantID: r.TenantID, UserID: v.UserID, ProfileID: v.ProfileID, ConversationID: v.Row.SessionID,
		Attempt: r.Attempts, Reviewed: learn.Reviewed{Language: v.TargetLanguage, NativeLanguage: v.NativeLanguage, Level: learn.Level(v.Level), Learner: m}}
	var around []messageRow
	err = tx.Where("tenant_id = ? AND session_id = ?", r.TenantID, v.Row.SessionID).Where("role = ?", learn.SpeakerTutor).
		Where("seq BETWEEN ? AND ?", m.Seq-1, m.Seq+1).Order("seq").Find(&around).Error
	if err != nil {
		return c, err
	}
	for _, t := range around {
		if t.Seq < m.Seq {
			c.Reviewed.Question = valueOr(t.HeardText, t.Content)
		} else {
			c.Reviewed.Answer = t.Content
		}
	}
	return c, nil
}
