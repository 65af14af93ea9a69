package verify

import "time"

// oneWriterAnEpoch is I4. In the database the epochs of a conversation's messages never
// fall with rising number, nor are they above the conversation's own. In the histories no
// two nodes have the same epoch, and nobody's write succeeds that began after somebody
// else has taken a higher epoch.
func oneWriterAnEpoch(f *caseFile, id Invariant) {
	f.storedEpochs(id)
	owner := map[int64]string{}
	type taken struct {
		epoch int64
		at    time.Time
	}
	var highest taken
	for i, rec := range f.records {
		epoch, began := int64(0), time.Time{}
		switch fact := rec.Fact.(type) {
		case TookOver:
			epoch, began = fact.Epoch, rec.At
		case Committed:
			epoch, began = fact.Epoch, rec.At.Add(-time.Duration(fact.TookUS)*time.Microsecond)
			if epoch < highest.epoch && began.After(highest.at.Add(f.evidence.Skew)) {
				f.violated(id, i, "%s wrote in epoch %d, begun %v after epoch %d was taken",
					rec.By, epoch, began.Sub(highest.at), highest.epoch)
			}
		default:
			continue
		}
		switch by, ok := owner[epoch]; {
		case !ok:
			owner[epoch] = rec.By
		case by != rec.By:
			f.violated(id, i, "%s and %s both have epoch %d", by, rec.By, epoch)
		}
		if epoch > highest.epoch {
			highest = taken{epoch, rec.At}
		}
	}
}

func (f *caseFile) storedEpochs(id Invariant) {
	if f.stored == nil {
		return
	}
	last := int64(0)
	for _, m := range f.stored.Messages {
		if m.Epoch < last {
			f.violated(id, f.lastCommit(m.UtteranceID), "message %d is of epoch %d, one before it of epoch %d", m.Seq, m.Epoch, last)
		}
		last = max(last, m.Epoch)
	}
	if own := f.stored.Conversation.Epoch; last > own {
		f.violated(id, -1, "the conversation is in epoch %d and has a message of epoch %d", own, last)
	}
}
