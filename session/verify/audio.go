package verify

import (
	"slices"
	"strings"

	"kalami/session/learn"
)

// audioIsWhole is I8, in both directions. Of the tutor's audio each client has received the
// frames of each stream from the first on without a hole. Of the learner's, acknowledgements
// rise while one node has the session, and do not reach beyond what was sent; every frame that was sent and acknowledged
// reached a session, where nodes say what they took and no server has said later that it
// had it; and where it is known what the learner
// has said, the stored messages are those words, none lost and none doubled.
func audioIsWhole(f *caseFile, id Invariant) {
	names, places := f.writers()
	taken := f.taken()
	for _, name := range names {
		a := clientAudio{file: f, id: id, tutor: map[uint16]uint32{}, sent: map[uint16]*spans{}, acked: map[uint16]uint32{}, asked: map[uint16]uint32{}}
		for _, i := range places[name] {
			a.see(i)
		}
		a.wasTaken(taken)
	}
	f.wordsAreStored(id)
}

// taken returns the frames that reached a session, by stream; nil when no node says.
func (f *caseFile) taken() map[uint16]*spans {
	var m map[uint16]*spans
	for _, rec := range f.records {
		if t, ok := rec.Fact.(MicTaken); ok {
			if m == nil {
				m = map[uint16]*spans{}
			}
			if m[t.Stream] == nil {
				m[t.Stream] = &spans{}
			}
			m[t.Stream].add(t.From, t.Next)
		}
	}
	return m
}

// clientAudio follows one client's frames.
type clientAudio struct {
	file  *caseFile
	id    Invariant
	tutor map[uint16]uint32 // the frame expected next, by stream
	sent  map[uint16]*spans
	acked map[uint16]uint32 // the frame after the last that was acknowledged
	told  MicAcked          // the last acknowledgement on this socket
	cold  bool              // the session was begun by another node
	ackAt int               // its place
	// asked is what a server wanted to have next: what comes before it had reached a
	// session, whose node may have been killed before it could write that down.
	asked map[uint16]uint32
}

func (a *clientAudio) see(i int) {
	switch fact := a.file.records[i].Fact.(type) {
	case Connected:
		if fact.How == "created" {
			a.tutor = map[uint16]uint32{}
		}
		// Another node may be behind with acknowledging.
		a.told, a.cold = MicAcked{}, fact.How != "created" && !fact.Warm
		a.asked[fact.Stream] = max(a.asked[fact.Stream], fact.Next)
		if next := a.next(fact.Stream); fact.Next > next {
			a.file.violated(a.id, i, "the server wants stream %d from frame %d on, and %d were sent", fact.Stream, fact.Next, next)
		}
	case MicSent:
		if a.sent[fact.Stream] == nil {
			a.sent[fact.Stream] = &spans{}
		}
		a.sent[fact.Stream].add(fact.From, fact.Next)
	case MicAcked:
		a.ack(i, fact)
	case AudioReceived:
		if expected := a.tutor[fact.Stream]; fact.From > expected {
			a.file.violated(a.id, i, "of the tutor's stream %d frame %d follows, and %d is missing", fact.Stream, fact.From, expected)
		}
		a.tutor[fact.Stream] = max(a.tutor[fact.Stream], fact.Next)
	}
}

// next is the frame after the last that was sent.
func (a *clientAudio) next(stream uint16) uint32 {
	if s := a.sent[stream]; s != nil {
		return s.end()
	}
	return 0
}

func (a *clientAudio) ack(i int, fact MicAcked) {
	next := fact.Seq + 1
	switch {
	case fact.Stream == a.told.Stream && fact.Seq < a.told.Seq && !a.cold:
		a.file.violated(a.id, i, "frame %d of stream %d is acknowledged after frame %d", fact.Seq, fact.Stream, a.told.Seq)
	case next > a.next(fact.Stream):
		a.file.violated(a.id, i, "frame %d of stream %d is acknowledged, and %d were sent", fact.Seq, fact.Stream, a.next(fact.Stream))
	}
	a.acked[fact.Stream] = max(a.acked[fact.Stream], next)
	a.told, a.ackAt = fact, i
}

// wasTaken compares what was acknowledged with what reached a session.
func (a *clientAudio) wasTaken(taken map[uint16]*spans) {
	if taken == nil {
		return
	}
	for stream, acked := range a.acked {
		sent := a.sent[stream]
		if sent == nil {
			continue // it was violated already
		}
		for _, s := range sent.list {
			if missing, ok := taken[stream].hole(max(s.from, a.asked[stream]), min(s.next, acked)); ok {
				a.file.violated(a.id, a.ackAt, "frame %d of stream %d was sent and acknowledged, and reached no session", missing, stream)
			}
		}
	}
}

// wordsAreStored compares what the learner has said with the stored messages: each message
// is one or more of the things said, in order, and nothing that was said in audio that is
// acknowledged is missing.
func (f *caseFile) wordsAreStored(id Invariant) {
	if f.stored == nil {
		return
	}
	var said []Said
	var at []int
	acked := map[uint16]uint32{}
	for i, rec := range f.records {
		switch fact := rec.Fact.(type) {
		case Said:
			said, at = append(said, fact), append(at, i)
		case MicAcked:
			acked[fact.Stream] = max(acked[fact.Stream], fact.Seq+1)
		}
	}
	if len(said) == 0 {
		return
	}
	lost := func(n int) {
		for k := range n {
			if said[k].Next <= acked[said[k].Stream] {
				f.violated(id, at[k], "%d words were said in frames %d to %d of stream %d, which are acknowledged, and they are not stored",
					said[k].Words, said[k].From, said[k].Next, said[k].Stream)
			}
		}
		said, at = said[n:], at[n:]
	}
	for _, m := range f.stored.Messages {
		if m.Speaker != learn.SpeakerLearner || m.Source == "text" {
			continue
		}
		words := strings.Fields(understood(m.Message))
		for len(words) > 0 {
			k := slices.IndexFunc(said, func(s Said) bool {
				return s.Words > 0 && s.Words <= len(words) && HashWords(words[:s.Words]) == s.Hash
			})
			if k < 0 {
				f.violated(id, f.lastCommit(m.UtteranceID), "message %d holds %d words that were not said, or not there, or that are stored before", m.Seq, len(words))
				break
			}
			words = words[said[k].Words:]
			lost(k)
			said, at = said[1:], at[1:]
		}
	}
	lost(len(said))
}
