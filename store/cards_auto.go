package store

import (
	"slices"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// autoCards adds the cards that an analysed message gives by itself, when the learner wants
// that, and returns what to tell the feed. A conversation gives [learn.SuggestedCards] at the
// most, and a day no more than the profile's new_cards_per_day, cards from conversations that
// were kept by hand among them. A card that the learner has deleted does not come back so.
func autoCards(tx *gorm.DB, a learn.TurnAnalysis, m messageRow, found []correctionRow, now time.Time) ([]learn.Change, error) {
	tenantID, userID, sessionID := clean(a.TenantID), clean(a.UserID), clean(a.ConversationID)
	var wish []struct {
		ID             string
		NewCardsPerDay *int
	}
	err := tx.Raw(`SELECT p.id, p.new_cards_per_day FROM conversation_sessions s, learning_profiles p
		WHERE s.tenant_id = ? AND s.user_id = ? AND s.id = ? AND p.tenant_id = s.tenant_id AND p.user_id = s.user_id AND p.id = s.learning_profile_id
			AND p.auto_cards AND p.deleted_at IS NULL`, tenantID, userID, sessionID).Scan(&wish).Error
	if err != nil || len(wish) == 0 {
		return nil, err
	}
	profileID := wish[0].ID
	source := learn.CardSource{ProfileID: profileID, L1Words: a.L1Words,
		Message: learn.Message{ID: m.ID, Content: m.Content, Speaker: learn.SpeakerLearner}}
	for _, c := range found {
		source.Corrections = append(source.Corrections, c.correction())
	}
	cards := source.AutoCards()
	if len(cards) == 0 {
		return nil, nil
	}
	room, err := autoRoom(tx, tenantID, userID, sessionID, profileID, valueOr(wish[0].NewCardsPerDay, usualNewCards), now)
	if err != nil {
		return nil, err
	}
	if cards, err = wanted(tx, tenantID, userID, profileID, cards); err != nil {
		return nil, err
	}
	if cards = cards[:min(len(cards), max(room, 0))]; len(cards) == 0 {
		return nil, nil
	}
	added, changes, err := addCards(tx, tenantID, userID, "", cards, now)
	if err != nil {
		return nil, err
	}
	var fresh []string
	for _, c := range added {
		if c.Outcome == learn.CardCreated {
			fresh = append(fresh, c.Card.ID)
		}
	}
	if len(fresh) == 0 {
		return changes, nil
	}
	err = tx.Model(&cardRow{}).Where("tenant_id = ? AND user_id = ? AND id IN ?", tenantID, userID, fresh).UpdateColumn("auto_added", true).Error
	return changes, err
}

// autoRoom is how many cards may still come by themselves, from the conversation and on the
// learner's day.
func autoRoom(tx *gorm.DB, tenantID, userID, sessionID, profileID string, perDay int, now time.Time) (int, error) {
	var lesson, today int // scanned apart: a second scan into one struct clears what the first has set
	err := tx.Raw(`SELECT COUNT(*) FROM user_vocabulary v, conversation_messages m
		WHERE v.tenant_id = ? AND v.user_id = ? AND v.auto_added AND m.tenant_id = v.tenant_id AND m.id = v.source_message_id AND m.session_id = ?`,
		tenantID, userID, sessionID).Scan(&lesson).Error
	if err != nil {
		return 0, err
	}
	loc, err := userZone(tx, userID)
	if err != nil {
		return 0, err
	}
	local := now.In(loc)
	dawn := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, loc)
	err = tx.Raw(`SELECT COUNT(*) FROM user_vocabulary v WHERE v.tenant_id = ? AND v.user_id = ? AND v.learning_profile_id = ?
		AND v.origin IN ('correction', 'message', 'l1_word') AND v.created_at >= ? AND v.deleted_at IS NULL`,
		tenantID, userID, profileID, stamp(dawn)).Scan(&today).Error
	return min(learn.SuggestedCards-lesson, perDay-today), err
}

// wanted leaves out cards that are there already, and those that the learner has deleted.
func wanted(tx *gorm.DB, tenantID, userID, profileID string, cards []learn.Card) ([]learn.Card, error) {
	keys := make([]string, len(cards))
	for i, c := range cards {
		keys[i] = learn.CardKey(clean(c.Back))
	}
	var there []struct{ Kind, CardKey string }
	err := tx.Raw(`SELECT v.kind, v.card_key FROM user_vocabulary v WHERE v.tenant_id = ? AND v.user_id = ? AND v.learning_profile_id = ? AND v.card_key IN ?`,
		tenantID, userID, profileID, keys).Scan(&there).Error
	var fresh []learn.Card
	for i, c := range cards {
		if !slices.Contains(there, struct{ Kind, CardKey string }{string(c.Kind), keys[i]}) {
			fresh = append(fresh, c)
		}
	}
	return fresh, err
}

// withdrawCards deletes cards that came by themselves and were never reviewed, because what
// they were made of is wrong: those of a correction, or of a message when correctionID is
// empty. It returns what to tell the feed.
func withdrawCards(tx *gorm.DB, tenantID, userID, messageID, correctionID string, now time.Time) ([]learn.Change, error) {
	q := tx.Model(&cardRow{}).Where("tenant_id = ? AND user_id = ? AND source_message_id = ?", tenantID, userID, messageID).
		Where("auto_added AND reps = 0 AND deleted_at IS NULL AND field_versions = '{}'")
	if correctionID != "" {
		q = q.Where("source_correction_id = ?", correctionID)
	}
	var ids []string
	if err := q.Order("id").Pluck("id", &ids).Error; err != nil {
		return nil, err
	}
	var changes []learn.Change
	for _, id := range ids { // one after the other: rows are locked in their order
		gone, err := deleteCard(tx, tenantID, userID, id, "", now)
		if err != nil {
			return nil, err
		}
		changes = append(changes, gone...)
	}
	return changes, nil
}
