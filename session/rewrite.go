package session

import (
	"slices"

	"kalami/session/learn"
)

// "That is not what I said": a learner's message is given another text. It goes to JOURNAL
// behind the message itself and is acknowledged by a further [ItemDone] when it is durable; a
// store that knows a newer owner of the conversation refuses it like any write. The history
// has it at once, so that the next prompt does; an answer that is under way stays what it is.
// An edit that was not acknowledged when a node was lost is the client's to say again.
//
// What is edited elsewhere, by REST, comes from Params.Edits: it is stored already, and it
// needs no epoch, because a stored message is nothing that a session writes again.

// editTranscript changes what a message of the learner's is taken for.
func (c *conductor) editTranscript(m EditTranscript, eventID string) {
	i := c.place(m.ItemID)
	if i < 0 {
		c.noItem(eventID)
		return
	}
	said := c.history[i]
	if said.Speaker != learn.SpeakerLearner {
		c.invalid(eventID, "item_id", "Only what you have said yourself can be corrected.")
		return
	}
	if said.Content == m.Text {
		c.emit(ItemDone{Item: ItemOf(said)})
		return
	}
	c.rewritten(i, m.Text)
	c.write(record{
		edit:    learn.TranscriptEdit{TenantID: c.params.Conversation.TenantID, ConversationID: c.params.Conversation.ID, UtteranceID: m.ItemID, Text: m.Text},
		eventID: eventID, done: ItemDone{Item: ItemOf(c.history[i])},
	})
}

// onEdited takes note of an edit that was made elsewhere.
func (c *conductor) onEdited(e learn.TranscriptEdit) {
	if i := c.place(e.UtteranceID); i >= 0 && c.history[i].Speaker == learn.SpeakerLearner {
		c.rewritten(i, e.Text)
		c.emit(ItemDone{Item: ItemOf(c.history[i])})
	}
}

// rewritten gives a message of the history another text.
func (c *conductor) rewritten(i int, text string) {
	c.dropDraft(dropSuperseded) // it was made for what was not said
	m := &c.history[i]
	m.Content, m.Heard, m.Words = text, text, nil
	c.advice.held = slices.DeleteFunc(c.advice.held, func(h heldAdvice) bool { return h.itemID == m.UtteranceID })
	c.emit(FeedbackOn(m.UtteranceID, nil)) // what was shown of it is void
}

// onEditStored acknowledges an edit, or says that there is no such message.
func (c *conductor) onEditStored(s stored) {
	if s.refused {
		c.noItem(s.eventID)
		return
	}
	c.emit(s.done)
	c.offerAnalysis(s.done.Item.ID)
}

// amended makes an edit durable, as [journal.commit] does a message.
func (j *journal) amended(rec record, err error) {
	if err != nil {
		j.log.Error("transcript not edited", "conversation", rec.edit.ConversationID, "err", err)
	}
	j.answer(stored{done: rec.done, edited: true, refused: err != nil, eventID: rec.eventID})
}
