package session

import (
	"slices"

	"kalami/session/learn"
)

// untoldMost bounds how many messages a client is told again are stored.
const untoldMost = 8

// Reconciled is h brought up to date with what is stored: history holds the latest
// messages of the conversation, oldest first, read after its epoch was raised. What is
// stored is no longer pending, open or under way. When messages are stored of which h
// does not know, it is older than they are: what they overtook is void, and if the last of
// them is the learner's, an answer is owed. To reconcile again changes nothing.
//
// The zero Handover, reconciled, is the session as far as it is known without a mirror.
func (h Handover) Reconciled(history []learn.Message) Handover {
	stored := func(id string) bool {
		return id != "" && slices.ContainsFunc(history, func(m learn.Message) bool { return m.UtteranceID == id })
	}
	var pending []learn.Message
	for _, m := range h.Pending {
		if stored(m.UtteranceID) {
			h.untold = append(h.untold[:len(h.untold):len(h.untold)], m)
		} else {
			pending = append(pending, m)
		}
	}
	h.Pending = pending
	if h.Utterance != nil && stored(h.Utterance.ItemID) {
		h.Utterance = nil
	}
	if h.Reply != nil {
		sound := h.Reply.sound()
		h.Reply = &sound
		if i := slices.IndexFunc(history, func(m learn.Message) bool { return sound.ItemID != "" && m.UtteranceID == sound.ItemID }); i >= 0 {
			h.Reply, h.settled, h.as = nil, &sound, history[i]
		}
	}
	return h.overtaken(h.unknown(history))
}

// unknown are the messages that were stored after the last of which h knows.
func (h Handover) unknown(history []learn.Message) []learn.Message {
	if h.LastMessage == "" {
		return history
	}
	i := slices.IndexFunc(history, func(m learn.Message) bool { return m.UtteranceID == h.LastMessage })
	if i < 0 { // it is pending: nothing can be stored before it
		return nil
	}
	return history[i+1:]
}

// overtaken is h after messages of which it does not know.
func (h Handover) overtaken(by []learn.Message) Handover {
	if len(by) == 0 {
		return h
	}
	if h.SessionID != "" { // else all is unknown: the client has been told what is stored
		h.untold = append(h.untold[:len(h.untold):len(h.untold)], by...)
		h.untold = h.untold[max(0, len(h.untold)-untoldMost):]
		for _, m := range by {
			if m.Speaker == learn.SpeakerLearner {
				h.Turns++
			}
		}
	}
	last := by[len(by)-1]
	h.PrevItemID, h.LastMessage = last.UtteranceID, last.UtteranceID
	if slices.ContainsFunc(by, func(m learn.Message) bool { return m.Speaker == learn.SpeakerLearner }) {
		h.Reply = nil
	}
	if last.Speaker == learn.SpeakerLearner {
		h.Reply = &OpenReply{PrevItemID: last.UtteranceID}
	}
	return h
}
