package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

const (
	// summaryWait is for how long a report waits for the analyses of its conversation.
	summaryWait = time.Minute
	// summaryMessages is how many messages of a conversation a report looks at, the latest.
	summaryMessages = 1000
)

// dueSummaries claims as dueAnalyses does.
const dueSummaries = `WITH due AS MATERIALIZED (SELECT s.id FROM conversation_sessions s
	WHERE s.summary_status = 'queued' AND s.summary_lease_until <= ? AND (s.ended_at <= ? OR NOT EXISTS (
		SELECT 1 FROM conversation_messages m, turn_analyses a WHERE m.tenant_id = s.tenant_id AND m.session_id = s.id
		AND a.tenant_id = m.tenant_id AND a.message_id = m.id AND a.status = 'queued'))
	ORDER BY s.summary_lease_until LIMIT ?%s)
	UPDATE conversation_sessions SET summary_attempts = summary_attempts + 1, summary_lease_until = ? WHERE id IN (SELECT id FROM due)
	RETURNING id, tenant_id, user_id, summary_attempts`

// spentSummaries gives up what was claimed too often.
const spentSummaries = `UPDATE conversation_sessions SET summary_status = 'failed', summary_lease_until = NULL
	WHERE summary_status = 'queued' AND summary_lease_until <= ? AND summary_attempts >= ?`

// ClaimSummaries takes up to n conversations that have ended, whose turns are analysed (or
// were to be for a minute) and that nobody else is summing up, for as long as the lease. Any
// number of nodes may call it at once.
func (db *DB) ClaimSummaries(ctx context.Context, n int, lease time.Duration) ([]learn.SummaryClaim, error) {
	const op = "store.ClaimSummaries"
	var rows []struct {
		ID, TenantID, UserID string
		SummaryAttempts      int
	}
	err := db.transact(ctx, func(tx *gorm.DB) error {
		tx = acrossTenants(tx)
		if err := tx.Exec(spentSummaries, db.later(0), learn.SummaryAttempts).Error; err != nil {
			return err
		}
		skip := ""
		if db.migrator.dialect == postgresDialect {
			skip = " FOR UPDATE OF s SKIP LOCKED"
		}
		return tx.Raw(fmt.Sprintf(dueSummaries, skip), db.later(0), db.later(-summaryWait), max(n, 0), db.later(lease)).Scan(&rows).Error
	})
	if err != nil {
		return nil, fail(op, err)
	}
	claims := make([]learn.SummaryClaim, 0, len(rows))
	for _, r := range rows {
		l, _, err := db.lesson(ctx, r.TenantID, r.UserID, r.ID)
		if learn.KindOf(err) == learn.NotFound && err != nil {
			continue // it was deleted meanwhile
		}
		if err != nil {
			return nil, fail(op, err)
		}
		claims = append(claims, learn.SummaryClaim{Lesson: l, Attempt: r.SummaryAttempts})
	}
	return claims, nil
}

// HoldSummaries makes the leases of claims last from now on again: of those that nobody else
// has taken meanwhile, and that were not given back to wait longer.
func (db *DB) HoldSummaries(ctx context.Context, claims []learn.SummaryClaim, lease time.Duration) error {
	err := db.transact(ctx, func(tx *gorm.DB) error {
		for _, c := range claims {
			until, of := db.later(lease), c.Lesson.Conversation
			err := tx.Model(&conversationRow{}).Where("tenant_id = ? AND id = ?", of.TenantID, of.ID).
				Where("summary_status = ? AND summary_attempts = ? AND summary_lease_until < ?", "queued", c.Attempt, until).
				Update("summary_lease_until", until).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
	return fail("store.HoldSummaries", err)
}

// MissSummary gives a claim back that came to nothing, or has failed when it was the last
// attempt. It changes nothing when somebody else has the claim by now.
func (db *DB) MissSummary(ctx context.Context, c learn.SummaryClaim, again time.Duration) error {
	status := "queued"
	if c.Attempt >= learn.SummaryAttempts {
		status = "failed"
	}
	err := db.writing(ctx, func(tx *gorm.DB) error {
		return tx.Model(&conversationRow{}).Where("tenant_id = ? AND id = ?", c.Lesson.Conversation.TenantID, c.Lesson.Conversation.ID).
			Where("summary_status = ? AND summary_attempts = ?", "queued", c.Attempt).
			Updates(map[string]any{"summary_status": status, "summary_lease_until": db.later(again)}).Error
	})
	return fail("store.MissSummary", err)
}

// SaveSummary keeps the report on a conversation that has ended, once: saving again changes
// nothing and succeeds. What is worth remembering of the learner becomes theirs to see, but
// for what they had once and have deleted, and their level is estimated anew.
func (db *DB) SaveSummary(ctx context.Context, c learn.Conversation, s learn.Summary) error {
	const op = "store.SaveSummary"
	raw, err := json.Marshal(s)
	if err != nil {
		return fail(op, err)
	}
	now := db.clock()
	err = db.transact(ctx, func(tx *gorm.DB) error {
		res := tx.Model(&conversationRow{}).Where("tenant_id = ? AND user_id = ? AND id = ?", clean(c.TenantID), clean(c.UserID), clean(c.ID)).
			Where("summary_status = ?", "queued").
			Updates(map[string]any{"summary": clean(string(raw)), "summary_status": "done", "summary_lease_until": nil})
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		changes, err := rememberFacts(tx, c, s.Told.Facts, now)
		if err != nil {
			return err
		}
		if err := estimateLevel(tx, clean(c.TenantID), clean(c.UserID), clean(c.ID), now); err != nil {
			return err
		}
		return feed(tx, clean(c.TenantID), clean(c.UserID), now, changes...)
	})
	return fail(op, err)
}

// Summary returns the report on a conversation of the user's, counted from what is stored by
// now, with the model's part if there is one; pending says that one is still to come.
// NotFound when it is not theirs.
func (db *DB) Summary(ctx context.Context, tenantID, userID, id string) (s learn.Summary, pending bool, err error) {
	const op = "store.Summary"
	l, told, err := db.lesson(ctx, clean(tenantID), clean(userID), clean(id))
	if err != nil {
		return s, false, fail(op, err)
	}
	s = l.Counted()
	if told.Summary != nil {
		var kept learn.Summary
		if err := json.Unmarshal([]byte(*told.Summary), &kept); err != nil {
			return s, false, fail(op, err)
		}
		s.Told = kept.Told
	}
	return s, told.SummaryStatus == "queued" || l.Conversation.EndedAt == nil, nil
}

// toldRow is what a conversation's row says of its report.
type toldRow struct {
	Summary        *string
	SummaryStatus  string
	NativeLanguage string
}

// lesson reads what a report is made from.
func (db *DB) lesson(ctx context.Context, tenantID, userID, id string) (l learn.Lesson, told toldRow, err error) {
	err = db.reading(ctx, func(tx *gorm.DB) error {
		if l.Conversation, err = loadConversation(tx, tenantID, userID, id); err != nil {
			return err
		}
		err := tx.Raw(`SELECT CAST(s.summary AS TEXT) AS summary, s.summary_status, u.native_language
			FROM conversation_sessions s, users u WHERE s.tenant_id = ? AND s.id = ? AND u.id = s.user_id`, tenantID, id).Scan(&told).Error
		if err != nil {
			return err
		}
		l.NativeLanguage = told.NativeLanguage
		var rows []messageRow
		err = tx.Omit("words", "timings").Where("tenant_id = ? AND session_id = ?", tenantID, id).Order("seq DESC").Limit(summaryMessages).Find(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		slices.Reverse(rows)
		if l.Said, err = messagesOf(rows); err != nil {
			return err
		}
		if l.Corrections, err = shownCorrections(tx, tenantID, id, rows[0].Seq, rows[len(rows)-1].Seq); err != nil {
			return err
		}
		l.Analyses, l.Waiting, err = analysesOf(tx, tenantID, id)
		return err
	})
	return l, told, err
}

// analysesOf reads what was found out about the turns of a conversation beside corrections,
// by message, and how many are still to be analysed.
func analysesOf(tx *gorm.DB, tenantID, sessionID string) (found map[string]learn.TurnAnalysis, waiting int, err error) {
	var rows []analysisRow
	err = tx.Raw(`SELECT a.message_id, a.status, CAST(a.raw AS TEXT) AS raw FROM conversation_messages m, turn_analyses a
		WHERE m.tenant_id = ? AND m.session_id = ? AND a.tenant_id = m.tenant_id AND a.message_id = m.id`, tenantID, sessionID).Scan(&rows).Error
	if err != nil {
		return nil, 0, err
	}
	found = map[string]learn.TurnAnalysis{}
	for _, r := range rows {
		if r.Status == "queued" {
			waiting++
		}
		if r.Raw == nil || r.Status != "done" {
			continue
		}
		var k keptAnalysis
		if err := json.Unmarshal([]byte(*r.Raw), &k); err != nil {
			return nil, 0, err
		}
		found[r.MessageID] = learn.TurnAnalysis{MessageID: r.MessageID, Understood: k.Understood, NewWords: k.NewWords, L1Words: k.L1Words,
			UsedDueWords: k.UsedDueWords, Goals: k.Goals, Comprehension: k.Comprehension, WantsToLead: k.WantsToLead}
	}
	return found, waiting, nil
}
