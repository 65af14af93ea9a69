package store

import (
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// creditWords credits due words that a message of a talk used, within the transaction that
// keeps what the message shows, and returns what to tell the feed. A message whose text the
// learner has put right credits nothing: those words were written, and not heard.
func creditWords(tx *gorm.DB, userID string, m messageRow, words []learn.UsedWord, now time.Time) ([]learn.Change, error) {
	if len(words) == 0 || m.EditedAt != nil {
		return nil, nil
	}
	question, err := saidBefore(tx, m)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(words))
	for i, w := range words {
		ids[i] = clean(w.ID)
	}
	rows, err := lockCards(tx, m.TenantID, userID, ids)
	if err != nil {
		return nil, err
	}
	asked := map[string]string{} // what the cards ask for
	for _, r := range rows {
		asked[r.ID] = r.Front
	}
	uses := make([]learn.CardUse, len(words))
	for i, w := range words {
		uses[i] = learn.CardUse{CardID: ids[i], MessageID: m.ID, At: m.CreatedAt.UTC(), Used: true, Echoed: w.Prompted,
			Prompted: learn.AsksFor(question, asked[ids[i]])}
	}
	_, changes, err := creditUses(tx, m.TenantID, userID, uses, now)
	return changes, err
}

// saidBefore is what the tutor had said before a message of the learner's, as far as it was
// heard.
func saidBefore(tx *gorm.DB, m messageRow) (string, error) {
	var before []messageRow
	err := tx.Select("content", "heard_text", "role").Where("tenant_id = ? AND session_id = ? AND seq < ?", m.TenantID, m.SessionID, m.Seq).
		Order("seq DESC").Limit(1).Find(&before).Error
	if err != nil || len(before) == 0 || before[0].Role != string(learn.SpeakerTutor) {
		return "", err
	}
	return valueOr(before[0].HeardText, before[0].Content), nil
}

// creditedIn are the reviews that the words of a message were credited as and that still
// count, in the order of their cards.
func creditedIn(tx *gorm.DB, userID string, m messageRow) (credited []*reviewRow, err error) {
	var then []*reviewRow
	err = tx.Where("tenant_id = ? AND user_id = ? AND mode = ? AND reviewed_at = ?", m.TenantID, userID, string(learn.ReviewInConversation), m.CreatedAt).
		Where("undone_at IS NULL").Order("card_id").Find(&then).Error
	for _, r := range then {
		if r.ID == creditID(learn.CardUse{MessageID: m.ID, CardID: r.CardID}) {
			credited = append(credited, r)
		}
	}
	return credited, err
}

// discredit takes back what the words of a message were credited, because they were not said,
// and returns what to tell the feed. That the cards were met stays counted.
func discredit(tx *gorm.DB, userID string, m messageRow, now time.Time) ([]learn.Change, error) {
	credited, err := creditedIn(tx, userID, m)
	if err != nil {
		return nil, err
	}
	var changes []learn.Change
	for _, r := range credited {
		_, _, undone, err := undoReview(tx, m.TenantID, userID, r.ID, "", now)
		if err != nil {
			return nil, err
		}
		changes = append(changes, undone...)
	}
	return changes, nil
}
