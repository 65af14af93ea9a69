package store

import (
	"context"
	"database/sql"
	"slices"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// Inspected is a conversation with all that is stored of it, for whoever checks that it is
// whole.
type Inspected struct {
	Conversation learn.Conversation
	// Messages are in the order of their numbers.
	Messages []InspectedMessage
	// Analysed holds the id of the message for each analysis that was made.
	Analysed []string
}

// InspectedMessage is a message with the epoch of the writer that stored it.
type InspectedMessage struct {
	learn.Message
	Epoch int64
}

// inspectPage is how many conversations are listed at a time.
const inspectPage = 200

// Inspect calls each with the conversations of these ids that exist, whoever's they are, or
// with all of them for nil. Each is read at one moment; a database that is written to
// meanwhile may be read. It returns the first error of each. It is for tools that check a
// database, not for requests: it sees every tenant.
func (db *DB) Inspect(ctx context.Context, ids []string, each func(Inspected) error) error {
	const op = "store.Inspect"
	var tenants []string
	if err := db.read.WithContext(ctx).Raw(`SELECT id FROM tenants ORDER BY id`).Scan(&tenants).Error; err != nil {
		return fail(op, err)
	}
	for _, tenant := range tenants {
		for page, err := range db.inspectPages(ctx, tenant, ids) {
			if err != nil {
				return fail(op, err)
			}
			for _, id := range page {
				a, err := db.inspect(ctx, tenant, id)
				if learn.KindOf(err) == learn.NotFound {
					continue // it was deleted meanwhile
				}
				if err != nil {
					return fail(op, err)
				}
				if err := each(a); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// inspectPages lists the ids of a tenant's conversations, all or those among ids, page by page.
func (db *DB) inspectPages(ctx context.Context, tenant string, ids []string) func(func([]string, error) bool) {
	return func(yield func([]string, error) bool) {
		rows := db.read.WithContext(ctx).Model(&conversationRow{}).Where("tenant_id = ?", tenant).Session(&gorm.Session{})
		if ids != nil {
			for chunk := range slices.Chunk(ids, inspectPage) {
				var page []string
				err := rows.Where("id IN ?", chunk).Order("id").Pluck("id", &page).Error
				if !yield(page, err) || err != nil {
					return
				}
			}
			return
		}
		last := ""
		for {
			var page []string
			err := rows.Where("id > ?", last).Order("id").Limit(inspectPage).Pluck("id", &page).Error
			if !yield(page, err) || err != nil || len(page) < inspectPage {
				return
			}
			last = page[len(page)-1]
		}
	}
}

// inspect reads one conversation at one moment.
func (db *DB) inspect(ctx context.Context, tenant, id string) (a Inspected, err error) {
	moment := &sql.TxOptions{ReadOnly: true} // what SQLite reads in a transaction is of one moment
	if db.migrator.dialect == postgresDialect {
		moment.Isolation = sql.LevelRepeatableRead
	}
	err = db.read.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if a.Conversation, err = findConversation(tx, tenant, "AND s.id = ?", id); err != nil {
			return err
		}
		var rows []messageRow
		err := tx.Where("tenant_id = ? AND session_id = ?", tenant, id).Order("seq").Find(&rows).Error
		if err != nil {
			return err
		}
		for _, r := range rows {
			m, err := r.message()
			if err != nil {
				return err
			}
			a.Messages = append(a.Messages, InspectedMessage{m, r.Epoch})
		}
		return tx.Raw(`SELECT a.message_id FROM conversation_messages m JOIN turn_analyses a
			ON a.tenant_id = m.tenant_id AND a.message_id = m.id
			WHERE m.tenant_id = ? AND m.session_id = ? AND a.status = 'done' ORDER BY m.seq`, tenant, id).Scan(&a.Analysed).Error
	}, moment)
	return a, err
}
