package store

import (
	"slices"
	"time"

	"kalami/session/learn"
	"kalami/session/learn/srs"
)

// lockNamed locks the cards that new mutations name, in the order of all writers of cards.
// Those that the mutations bring with them are not there yet.
func (t *pushing) lockNamed(part []learn.Mutation, fresh map[string]bool) error {
	var ids, reviews []string
	for _, m := range part {
		switch {
		case !fresh[m.ID] || len(m.Faults) > 0:
		case m.Kind == learn.MutateReviewAdd:
			ids = append(ids, t.named(m.Review.CardID))
		case m.Kind == learn.MutateReviewUndo:
			reviews = append(reviews, clean(m.EntityID))
		case m.Kind.Entity() == learn.EntityCard:
			ids = append(ids, t.named(m.EntityID))
		}
	}
	if len(reviews) > 0 {
		var of []string
		err := t.tx.Model(&reviewRow{}).Where("tenant_id = ? AND user_id = ? AND id IN ?", t.tenantID, t.userID, reviews).Pluck("card_id", &of).Error
		if err != nil {
			return err
		}
		ids = append(ids, of...)
	}
	_, err := lockCards(t.tx, t.tenantID, t.userID, ids)
	return err
}

// named is the id by which a card is known here: a device may not yet have heard that its
// card was merged into another.
func (t *pushing) named(cardID string) string {
	cardID = clean(cardID)
	if stands, ok := t.renamed[cardID]; ok {
		return stands
	}
	return cardID
}

// applyAll answers the mutations in their order. Reviews that stand side by side are applied
// together, so that a card is replayed once for all of them.
func (t *pushing) applyAll(part []learn.Mutation) error {
	for len(part) > 0 {
		n := t.reviewsAhead(part)
		var err error
		if n > 1 {
			err = t.applyReviews(part[:n])
		} else {
			n, err = 1, t.applyOne(part[0])
		}
		if err != nil {
			return err
		}
		part = part[n:]
	}
	return nil
}

// reviewsAhead is how many mutations at the beginning add a review and have no result yet.
func (t *pushing) reviewsAhead(part []learn.Mutation) (n int) {
	seen := map[string]bool{}
	for _, m := range part {
		if _, done := t.results[m.ID]; done || seen[m.ID] || m.Kind != learn.MutateReviewAdd || len(m.Faults) > 0 {
			break
		}
		seen[m.ID] = true
		n++
	}
	return n
}

// applyOne answers one mutation.
func (t *pushing) applyOne(m learn.Mutation) error {
	if result, done := t.results[m.ID]; done {
		if result.Status == learn.MutationMerged {
			t.renamed[clean(m.EntityID)] = result.EntityID
			t.tell[learn.EntityRef{Entity: learn.EntityCard, ID: result.EntityID}] = true
		}
		t.answers = append(t.answers, result)
		return nil
	}
	switch {
	case len(m.Faults) > 0:
		t.answer(m, rejection(&learn.Error{Kind: learn.Invalid, Fields: m.Faults}))
		return nil
	case m.Kind == learn.MutateReviewAdd:
		return t.applyReviews([]learn.Mutation{m})
	}
	// What fails in the middle leaves nothing behind, and Postgres goes on.
	const here = "mutation"
	if err := t.tx.SavePoint(here).Error; err != nil {
		return err
	}
	result, changes, err := t.change(m)
	if err = fail("store.Sync", err); err != nil {
		result = rejection(err)
		if result.Code == "" {
			return err
		}
		if err := t.tx.RollbackTo(here).Error; err != nil {
			return err
		}
		changes = nil
		if m.Kind != learn.MutateCardAdd { // the device takes back what it has shown
			t.tell[learn.EntityRef{Entity: m.Kind.Entity(), ID: t.named(m.EntityID)}] = true
		}
	}
	t.changes = append(t.changes, changes...)
	t.answer(m, result)
	return nil
}

// rejection is the result for an error that is the mutation's own fault; its Code is empty
// for another.
func rejection(err error) learn.MutationResult {
	result := learn.MutationResult{Status: learn.MutationRejected}
	switch kind := learn.KindOf(err); kind {
	case learn.Invalid, learn.NotFound, learn.Conflict:
		result.Code = kind.String()
	default:
		return learn.MutationResult{}
	}
	if e, ok := err.(*learn.Error); ok {
		result.Fields = e.Fields
	}
	return result
}

// answer enters the result of a mutation.
func (t *pushing) answer(m learn.Mutation, result learn.MutationResult) {
	result.ID, result.Kind = m.ID, m.Kind
	if result.EntityID == "" {
		result.EntityID = t.named(m.EntityID)
	}
	if m.ID != "" {
		t.results[m.ID] = result
	}
	t.answers = append(t.answers, result)
}

// change applies one mutation that is no review.
func (t *pushing) change(m learn.Mutation) (result learn.MutationResult, changes []learn.Change, err error) {
	result.Status = learn.MutationApplied
	id, at := t.named(m.EntityID), srs.When(m.At, t.skew, time.Time{}, t.now)
	patch := learn.CardPatch{TenantID: t.tenantID, UserID: t.userID, ID: id, At: at, Device: t.device}
	switch m.Kind {
	case learn.MutateCardAdd:
		return t.addCard(m, at)
	case learn.MutateCardEdit:
		patch.Front, patch.Back, patch.Context, patch.Tags, patch.Level = m.Patch.Front, m.Patch.Back, m.Patch.Context, m.Patch.Tags, m.Patch.Level
		t.tellUntidy(patch)
		changes, err = patchCard(t.tx, patch, t.now)
	case learn.MutateCardSuspend:
		patch.Suspended = new(true)
		changes, err = patchCard(t.tx, patch, t.now)
	case learn.MutateCardUnsuspend:
		patch.Suspended = new(false)
		changes, err = patchCard(t.tx, patch, t.now)
	case learn.MutateCardDelete:
		changes, err = deleteCard(t.tx, t.tenantID, t.userID, id, t.device, t.now)
	case learn.MutateCardRestore: // with all that has come of its reviews meanwhile
		t.tell[learn.EntityRef{Entity: learn.EntityCard, ID: id}] = true
		changes, err = restoreCard(t.tx, t.tenantID, t.userID, id, t.device, t.now)
	case learn.MutateReviewUndo:
		_, _, changes, err = undoReview(t.tx, t.tenantID, t.userID, clean(m.EntityID), t.device, t.now)
	case learn.MutateProfileEdit:
		changes, err = editProfile(t.tx, t.tenantID, t.userID, id, t.device, m.Profile, at, t.now)
	default:
		err = invalid("type", "is not known")
	}
	return result, changes, err
}

// tellUntidy has the device told of a card whose texts are kept otherwise than it wrote them.
func (t *pushing) tellUntidy(p learn.CardPatch) {
	for _, text := range []*string{p.Front, p.Back, p.Context} {
		if text != nil && *text != clean(*trimmed(text)) {
			t.tell[learn.EntityRef{Entity: learn.EntityCard, ID: p.ID}] = true
		}
	}
	if p.Tags != nil && !slices.Equal(*p.Tags, learn.TidyTags(*p.Tags)) {
		t.tell[learn.EntityRef{Entity: learn.EntityCard, ID: p.ID}] = true
	}
}

// addCard adds one card, or merges it into the one that the learner has of that word.
func (t *pushing) addCard(m learn.Mutation, at time.Time) (learn.MutationResult, []learn.Change, error) {
	result := learn.MutationResult{Status: learn.MutationApplied}
	c := m.Card
	c.ID, c.CreatedAt = clean(m.EntityID), at
	added, changes, err := addCards(t.tx, t.tenantID, t.userID, t.device, []learn.Card{c}, t.now)
	if err != nil {
		if learn.KindOf(err) == learn.Conflict { // the id is another user's: that is all that is said
			err = notFound("Card not found")
		}
		return result, nil, err
	}
	stands := added[0].Card
	result.EntityID = stands.ID
	ref := learn.EntityRef{Entity: learn.EntityCard, ID: stands.ID}
	switch added[0].Outcome {
	case learn.CardMerged:
		result.Status = learn.MutationMerged
		t.renamed[c.ID] = stands.ID
		t.tell[ref] = true
	case learn.CardDeleted:
		return result, nil, notFound("The card was deleted")
	case learn.CardRepeated:
		t.tell[ref] = true
	case learn.CardCreated:
		same := stands.Front == m.Card.Front && stands.Back == m.Card.Back && stands.Context == m.Card.Context &&
			stands.Level == m.Card.Level && slices.Equal(stands.Tags, m.Card.Tags) && stands.CreatedAt.Equal(m.At) &&
			stands.MessageID == m.Card.MessageID && stands.CorrectionID == m.Card.CorrectionID
		if !same {
			t.tell[ref] = true
		}
	}
	return result, changes, nil
}

// applyReviews answers mutations that add reviews.
func (t *pushing) applyReviews(part []learn.Mutation) error {
	reviews := make([]learn.Review, len(part))
	for i, m := range part {
		r := m.Review
		r.ID, r.CardID, r.DeviceID = m.EntityID, t.named(r.CardID), t.device
		r.RawAt, r.At = m.At, m.At.Add(-t.skew)
		reviews[i] = r
	}
	outcomes, touched, changes, err := appendReviews(t.tx, t.tenantID, t.userID, reviews, t.now)
	if err != nil {
		return err
	}
	t.changes = append(t.changes, changes...)
	created := make(map[string]time.Time, len(touched))
	for _, c := range touched {
		created[c.ID] = c.CreatedAt
	}
	for i, m := range part {
		o := outcomes[i]
		if o.Outcome == learn.ReviewRejected {
			t.answer(m, rejection(&learn.Error{Kind: o.Kind, Fields: o.Faults}))
			continue
		}
		if at := srs.When(reviews[i].At, 0, created[o.CardID], t.now); !at.Equal(m.At) || o.Outcome == learn.ReviewRepeated {
			t.tell[learn.EntityRef{Entity: learn.EntityReview, ID: o.ID}] = true
		}
		t.answer(m, learn.MutationResult{Status: learn.MutationApplied, EntityID: o.ID})
	}
	return nil
}
