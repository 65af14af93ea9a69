package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// OfferResume stores which tokens of a conversation are good, and for how long from now on
// it can be taken up, by the clock that all nodes share. Making the same offer again changes nothing but that time. Conflict with [learn.ErrFenced] in the
// chain when the epoch is not the conversation's, or it has ended; NotFound, also with it,
// when the tenant has no such conversation; Invalid without a hash.
func (db *DB) OfferResume(ctx context.Context, o learn.ResumeOffer) error {
	const op = "store.OfferResume"
	if o.Hash == "" {
		return fail(op, invalid("hash", "missing"))
	}
	set := map[string]any{
		"resume_token_hash": nullable(clean(o.Known)), "resume_next_hash": clean(o.Hash),
		"resume_until": db.later(o.Window), "resume_version": o.TokenVersion,
	}
	err := db.writing(lesson(ctx), func(tx *gorm.DB) error {
		held, err := holdConversation(tx, clean(o.TenantID), clean(o.ConversationID), o.Epoch, set)
		if err == nil && !held {
			err = fenced("The conversation has ended")
		}
		return err
	})
	return fail(op, err)
}

// takeUp is a resumption that is granted, in one statement. All that it returns of the
// conversation stands in the row that it changes: the row it returns is the one after
// whatever it waited for, which subqueries might not see.
const takeUp = `UPDATE conversation_sessions SET epoch = epoch + ?, resume_token_hash = ?, resume_next_hash = ?,
	resume_until = ?, last_activity_at = ?
WHERE id = ? AND status = 'active' AND (resume_token_hash = ? OR resume_next_hash = ?)
	AND resume_version = (SELECT u.token_version FROM users u WHERE u.id = conversation_sessions.user_id) AND `

const takeUpReturns = ` RETURNING *, (SELECT p.target_language FROM learning_profiles p
	WHERE p.tenant_id = conversation_sessions.tenant_id AND p.id = conversation_sessions.learning_profile_id) AS target_language`

// Resume takes a conversation up by one of its two tokens. Granted, that is one conditional
// update: the token that was shown is from then on the one that the client is known to
// have, and beside it the next one alone is good. Tokens end with the user's sessions. With epoch 0 the conversation's epoch
// rises, as with [DB.TakeOver]; with another it must be the conversation's, and the time of
// the token is not looked at: whoever has the conversation in memory knows that. An outcome
// is no error. The conversation is that of ResumeGranted; of ResumeForeign it has the ID,
// TenantID and UserID alone.
func (db *DB) Resume(ctx context.Context, r learn.Resumption) (learn.Conversation, learn.ResumeOutcome, error) {
	const op = "store.Resume"
	id, hash, now := clean(r.ConversationID), clean(r.Hash), db.later(0)
	if hash == "" || r.Next == "" {
		return learn.Conversation{}, 0, fail(op, invalid("hash", "missing"))
	}
	rise, condition, bound := 1, "resume_until > ?", any(now)
	if r.Epoch != 0 {
		rise, condition, bound = 0, "epoch = ?", r.Epoch
	}
	var granted []learn.Conversation
	err := db.writing(lesson(ctx), func(tx *gorm.DB) error {
		var rows []conversationView
		err := acrossTenants(tx).Raw(takeUp+condition+takeUpReturns,
			rise, hash, clean(r.Next), db.later(r.Window), now, id, hash, hash, bound).Scan(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		granted, err = conversations(tx, rows[0].Row.TenantID, rows) // its scenario never changes
		return err
	})
	if err != nil {
		return learn.Conversation{}, 0, fail(op, err)
	}
	if len(granted) == 1 {
		return granted[0], learn.ResumeGranted, nil
	}
	c, outcome, err := db.notResumed(ctx, id, hash, r)
	return c, outcome, fail(op, err)
}

// later is the time in d from now, as a statement reckons it. Nodes of one Postgres may have
// clocks that are hours apart, and a token that one of them offers is shown to another: the
// database's clock is the one for all. SQLite is of one machine, whose clock it is.
func (db *DB) later(d time.Duration) clause.Expr {
	if db.migrator.dialect == postgresDialect {
		return gorm.Expr("now() + make_interval(secs => ?)", d.Seconds())
	}
	return gorm.Expr("?", stamp(db.clock().Add(d)))
}

// notResumed says why a resumption was not granted.
func (db *DB) notResumed(ctx context.Context, id, hash string, r learn.Resumption) (learn.Conversation, learn.ResumeOutcome, error) {
	var found []struct {
		Row    conversationRow `gorm:"embedded"`
		InTime bool
	}
	err := db.reading(lesson(ctx), func(tx *gorm.DB) error {
		return acrossTenants(tx).Raw(`SELECT *, COALESCE(resume_until > ?, FALSE) AS in_time
			FROM conversation_sessions WHERE id = ? AND status = ?`, db.later(0), id, statusActive).Scan(&found).Error
	})
	if err != nil || len(found) == 0 {
		return learn.Conversation{}, learn.ResumeOver, err
	}
	row, over := found[0].Row, !found[0].InTime
	good := valueOr(row.ResumeTokenHash, "") == hash || valueOr(row.ResumeNextHash, "") == hash
	switch {
	case over && (!good || r.Epoch == 0):
		return learn.Conversation{}, learn.ResumeOver, nil
	case !good:
		return learn.Conversation{ID: row.ID, TenantID: row.TenantID, UserID: row.UserID}, learn.ResumeForeign, nil
	case r.Epoch != 0 && r.Epoch != row.Epoch:
		return learn.Conversation{}, learn.ResumeMoved, nil
	}
	return learn.Conversation{}, learn.ResumeRevoked, nil
}

// Epochs returns the epochs of those of the conversations that are active: for a node that
// wants to know whether what it holds is still its own.
func (db *DB) Epochs(ctx context.Context, ids []string) (map[string]int64, error) {
	epochs := make(map[string]int64, len(ids))
	if len(ids) == 0 {
		return epochs, nil
	}
	var rows []conversationRow
	err := db.reading(lesson(ctx), func(tx *gorm.DB) error {
		return acrossTenants(tx).Select("id", "epoch").Where("id IN ? AND status = ?", ids, statusActive).Find(&rows).Error
	})
	if err != nil {
		return nil, fail("store.Epochs", err)
	}
	for _, r := range rows {
		epochs[r.ID] = r.Epoch
	}
	return epochs, nil
}
