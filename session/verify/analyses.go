package verify

import "kalami/session/learn"

// analysedOnce is I7, as far as there are analyses: those of turns, which nodes make when a
// learner's message is stored. Each is stored once and with a learner's message of its own
// conversation, and every one that a node has said to be stored is there, unless the message
// reads otherwise since: then it is analysed anew.
func analysedOnce(f *caseFile, id Invariant) {
	if f.stored == nil {
		return
	}
	learners, edited, analysed := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, m := range f.stored.Messages {
		learners[m.ID], edited[m.ID] = m.Speaker == learn.SpeakerLearner, m.Original != ""
	}
	for _, message := range f.stored.Analysed {
		switch {
		case !learners[message]:
			f.violated(id, -1, "an analysis is about %s, which is no learner's message of the conversation", message)
		case analysed[message]:
			f.violated(id, -1, "message %s has two analyses", message)
		}
		analysed[message] = true
	}
	for i, rec := range f.records {
		if a, ok := rec.Fact.(Analysed); ok && !analysed[a.Message] && !edited[a.Message] {
			f.violated(id, i, "message %s was analysed and the analysis is not stored", a.Message)
		}
	}
}
