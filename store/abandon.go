package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// AbandonConversations ends up to limit conversations whose clients could last have come
// back with a token before the given time, as abandoned at their last sign of life, and
// returns how many it ended. Whoever still holds one is fenced. Any number of nodes may
// call it at once: each conversation is ended by one of them. Conversations of clients that
// never had a token are left alone.
func (db *DB) AbandonConversations(ctx context.Context, before time.Time, limit int) (ended int, err error) {
	const op = "store.AbandonConversations"
	before = stamp(before)
	var due []conversationRow
	err = db.reading(ctx, func(tx *gorm.DB) error {
		return acrossTenants(tx).Select("id", "tenant_id", "user_id").
			Where("status = ? AND resume_until < ?", statusActive, before).
			Order("resume_until").Limit(max(limit, 0)).Find(&due).Error
	})
	if err != nil {
		return 0, fail(op, err)
	}
	for _, d := range due {
		done, err := db.abandon(ctx, d, before)
		if err != nil {
			return ended, fail(op, err)
		}
		if done {
			ended++
		}
	}
	return ended, nil
}

// abandon ends one conversation, unless its client has come back or it was ended meanwhile.
func (db *DB) abandon(ctx context.Context, due conversationRow, before time.Time) (done bool, err error) {
	now := db.clock()
	err = db.transact(ctx, func(tx *gorm.DB) error {
		row, err := lockConversation(tx, due.TenantID, due.UserID, due.ID)
		switch {
		case learn.KindOf(err) == learn.NotFound && err != nil:
			return nil // it was deleted
		case err != nil:
			return err
		case row.Status != statusActive || row.ResumeUntil == nil || !row.ResumeUntil.Before(before):
			return nil
		}
		left := row.LastActivityAt
		done = true
		return db.wrest(tx, row, learn.Conversation{
			Status: statusAbandoned, EndReason: statusAbandoned, EndedAt: &left, Totals: row.totals(),
		}, now)
	})
	return done && err == nil, err
}
