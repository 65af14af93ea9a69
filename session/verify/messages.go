package verify

import (
	"cmp"
	"fmt"
	"strings"

	"kalami/session/learn"
)

// acknowledgedIsStored is I1: every item that a client saw acknowledged is stored, with the
// words that were acknowledged. Without a database the nodes' word for it is taken, if
// there is any.
func acknowledgedIsStored(f *caseFile, id Invariant) {
	kept, known := f.kept()
	seen := map[string]bool{}
	for i, rec := range f.records {
		ack, ok := rec.Fact.(Acknowledged)
		if !ok {
			continue
		}
		if !seen[ack.Item] {
			seen[ack.Item] = true
			f.report.Acknowledged++
		}
		if !known {
			continue
		}
		switch m, ok := kept[ack.Item]; {
		case !ok:
			f.report.Lost++
			f.violated(id, i, "item %s was acknowledged and is not stored", ack.Item)
		case m.speaker != learn.SpeakerLearner:
			f.violated(id, i, "item %s was acknowledged and is stored as the tutor's", ack.Item)
		case m.content != ack.Text && m.heard != ack.Text:
			f.report.Lost++
			f.violated(id, i, "item %s was acknowledged with %d words (%s) and is stored with %d (%s)",
				ack.Item, ack.Words, ack.Hash, m.content.Words, m.content.Hash)
		}
	}
}

// keptMessage is a stored message without its words, unless the database has them.
type keptMessage struct {
	speaker        learn.Speaker
	content, heard Text
	heardWords     []string // nil when only the nodes told of it
	interrupted    bool
}

// kept returns the messages that are stored, by utterance: those of the database, or else
// those that nodes say they have stored. known is false when neither can tell.
func (f *caseFile) kept() (byUtterance map[string]keptMessage, known bool) {
	byUtterance = map[string]keptMessage{}
	if f.evidence.Database != nil {
		if f.stored != nil {
			for _, m := range f.stored.Messages {
				content, heard := understood(m.Message), m.Heard
				if m.Original != "" {
					heard = content
				}
				byUtterance[m.UtteranceID] = keptMessage{speaker: m.Speaker, content: TextOf(content), heard: TextOf(heard),
					heardWords: strings.Fields(heard), interrupted: m.Interrupted}
			}
		}
		return byUtterance, true
	}
	for _, rec := range f.records {
		switch fact := rec.Fact.(type) {
		case TookOver:
			known = true
		case Committed:
			known = true
			if _, again := byUtterance[fact.Utterance]; !again {
				byUtterance[fact.Utterance] = keptMessage{speaker: learn.Speaker(fact.Speaker), content: fact.Text, heard: fact.Heard,
					interrupted: fact.Text != fact.Heard}
			}
		}
	}
	return byUtterance, known
}

// storedOnce is I2, on the database: ids, utterances and numbers are unique, the
// conversation's totals are the sums of its messages for as long as it is active, and it
// has an end exactly when it has ended.
func storedOnce(f *caseFile, id Invariant) {
	if f.stored == nil {
		return
	}
	utterances, ids, numbers := map[string]int{}, map[string]int{}, map[int]int{}
	for _, m := range f.stored.Messages {
		twice := ""
		if other, ok := utterances[m.UtteranceID]; ok {
			twice = sayTwice("utterance "+m.UtteranceID, other, m.Seq)
		} else if other, ok := ids[m.ID]; ok {
			twice = sayTwice("message "+m.ID, other, m.Seq)
		} else if other, ok := numbers[m.Seq]; ok {
			twice = sayTwice("a number", other, m.Seq)
		}
		utterances[m.UtteranceID], ids[m.ID], numbers[m.Seq] = m.Seq, m.Seq, m.Seq
		if twice != "" {
			f.report.Duplicated++
			f.violated(id, f.lastCommit(m.UtteranceID), "%s", twice)
		}
	}
	f.storedTotals(id)
}

func sayTwice(what string, first, second int) string {
	return fmt.Sprintf("%s is stored twice, as numbers %d and %d", what, first, second)
}

// lastCommit returns the place of the last commit of an utterance, or -1.
func (f *caseFile) lastCommit(utterance string) int {
	last := -1
	for i, rec := range f.records {
		if c, ok := rec.Fact.(Committed); ok && c.Utterance == utterance {
			last = i
		}
	}
	return last
}

// storedTotals compares a conversation's row with its messages.
func (f *caseFile) storedTotals(id Invariant) {
	c := f.stored.Conversation
	if ended := c.Status != "active"; ended != (c.EndedAt != nil) {
		f.violated(id, -1, "the conversation is %s and its end is %v", c.Status, c.EndedAt)
	}
	var sum learn.Totals
	for _, m := range f.stored.Messages {
		if m.Speaker == learn.SpeakerLearner {
			sum.Turns++
			sum.Learner += m.Audio
			sum.Words += wordsOf(m.Message)
			continue
		}
		sum.Tutor += m.Audio
		if m.Interrupted {
			sum.BargeIns++
		}
	}
	// The totals of one that has ended are those that its last session counted: it may
	// have counted what it could not store.
	if c.Status == "active" && c.Totals != sum {
		f.violated(id, -1, "the conversation counts %+v, its messages %+v", c.Totals, sum)
	}
}

// understood is what a message read as when it was acknowledged: learners may say later
// that they have said something else, and what they say then was never on the line.
func understood(m learn.Message) string { return cmp.Or(m.Original, m.Content) }

// wordsOf is how many words a learner's message counts for, for good.
func wordsOf(m learn.Message) int {
	if len(m.Words) > 0 {
		return len(m.Words)
	}
	return len(strings.Fields(understood(m)))
}
