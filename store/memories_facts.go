package store

import (
	"strings"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// forgottenMost is how many deleted memories of a profile are known again, the latest.
const forgottenMost = 500

// rememberFacts keeps the facts of a conversation, and returns what to tell the feed. Left out
// is what is remembered already, what the learner has deleted in the same words, and what
// comes from a message of which they have deleted or changed a memory. When there are more
// than [learn.RememberedMost] the oldest go that the learner has not written.
func rememberFacts(tx *gorm.DB, c learn.Conversation, facts []learn.MemoryFact, now time.Time) (changes []learn.Change, err error) {
	if len(facts) == 0 {
		return nil, nil
	}
	tenantID, userID := clean(c.TenantID), clean(c.UserID)
	var profiles []string
	err = tx.Raw(`SELECT s.learning_profile_id FROM conversation_sessions s WHERE s.tenant_id = ? AND s.user_id = ? AND s.id = ?`,
		tenantID, userID, clean(c.ID)).Scan(&profiles).Error
	if err != nil || len(profiles) == 0 {
		return nil, err
	}
	for _, f := range facts {
		f.Text = clean(f.Text)
		if len(learn.CheckFact(f.Text)) > 0 {
			continue
		}
		id, err := remember(tx, memoryRow{TenantID: tenantID, UserID: userID, LearningProfileID: profiles[0], Kind: clean(f.Kind), Text: f.Text,
			SourceMessageID: nullable(clean(f.MessageID)), FactKey: learn.FactKey(f.Text), ExpiresAt: timeOrNull(f.Expires(now)), CreatedAt: now})
		if err != nil {
			return nil, err
		}
		if id != "" {
			changes = append(changes, learn.Change{Entity: learn.EntityMemory, ID: id})
		}
	}
	gone, err := tidyMemories(tx, tenantID, userID, profiles[0], now)
	return append(changes, gone...), err
}

// remember keeps a fact that there was none of before; its id is empty when there was.
func remember(tx *gorm.DB, r memoryRow) (id string, err error) {
	if id, err = newID(""); err != nil {
		return "", err
	}
	res := tx.Exec(`INSERT INTO memories (id, tenant_id, user_id, learning_profile_id, kind, text, source_message_id, fact_key, expires_at, created_at)
		SELECT ?, p.tenant_id, p.user_id, p.id, ?, ?, ?, ?, ?, ? FROM learning_profiles p
		WHERE p.tenant_id = ? AND p.user_id = ? AND p.id = ? AND p.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM memories y
			WHERE y.tenant_id = p.tenant_id AND y.user_id = p.user_id AND y.learning_profile_id = p.id AND (LOWER(y.text) = ?
				OR y.source_message_id = ? AND (y.deleted_at IS NOT NULL OR y.edited_at IS NOT NULL)))
		ON CONFLICT DO NOTHING`,
		id, r.Kind, r.Text, r.SourceMessageID, r.FactKey, r.ExpiresAt, r.CreatedAt,
		r.TenantID, r.UserID, r.LearningProfileID, strings.ToLower(r.Text), r.SourceMessageID)
	if res.Error != nil || res.RowsAffected == 0 {
		return "", res.Error
	}
	return id, nil
}

// tidyMemories deletes what has expired and what is too much of a profile's memories, and
// returns what to tell the feed.
func tidyMemories(tx *gorm.DB, tenantID, userID, profileID string, now time.Time) ([]learn.Change, error) {
	mine := func() *gorm.DB {
		return tx.Where("tenant_id = ? AND user_id = ? AND learning_profile_id = ?", tenantID, userID, profileID)
	}
	var rows []*memoryRow
	if err := mine().Where("deleted_at IS NULL").Order("edited_at IS NULL, created_at DESC, id DESC").Find(&rows).Error; err != nil {
		return nil, err
	}
	var over []*memoryRow
	kept := 0
	for _, r := range rows { // the learner's own first, then the newest
		expired := r.ExpiresAt != nil && !r.ExpiresAt.After(now)
		if expired || kept == learn.RememberedMost {
			over = append(over, r)
			continue
		}
		kept++
	}
	for _, r := range over { // it was not the learner who did not want it: it may come again
		if err := ownMemory(tx, r).Delete(&memoryRow{}).Error; err != nil {
			return nil, err
		}
	}
	var forgotten []string
	err := tx.Raw(`SELECT y.id FROM memories y WHERE y.tenant_id = ? AND y.user_id = ? AND y.learning_profile_id = ? AND y.deleted_at IS NOT NULL
		ORDER BY y.deleted_at DESC, y.id DESC LIMIT ? OFFSET ?`, tenantID, userID, profileID, forgottenMost, forgottenMost).Scan(&forgotten).Error
	if err != nil {
		return nil, err
	}
	if len(forgotten) > 0 {
		if err := mine().Where("id IN ?", forgotten).Delete(&memoryRow{}).Error; err != nil {
			return nil, err
		}
	}
	changes := make([]learn.Change, len(over))
	for i, r := range over {
		changes[i] = learn.Change{Entity: learn.EntityMemory, ID: r.ID, Deleted: true}
	}
	return changes, nil
}

// latestRemembered are the texts that the tutor is told with a conversation of the profile.
func latestRemembered(tx *gorm.DB, tenantID, userID, profileID string, now time.Time) ([]string, error) {
	found, err := findMemories(tx, tenantID, userID, now, "AND y.learning_profile_id = ? ORDER BY y.created_at DESC, y.id DESC LIMIT ?",
		profileID, 2*learn.RememberedTold)
	var texts []string
	for _, m := range found {
		texts = append(texts, m.Text)
	}
	return texts, err
}
