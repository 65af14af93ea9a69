package main

import (
	"slices"
	"testing"

	"kalami/gateway/learner"
	"kalami/session"
	"kalami/session/verify"
)

// facts is a history in memory.
type facts []verify.Fact

func (f *facts) Record(_ string, fact verify.Fact) { *f = append(*f, fact) }

// What a client sees becomes the facts that the checker reads: frames one after another
// are one fact, and stand before the event that came after them.
func TestNotes(t *testing.T) {
	var got facts
	n := newNotes(&got)
	n.event(session.Head{Seq: 1}, session.Created{Session: session.Config{ID: "vs_1", ConversationID: "c_1"}, Resume: session.Resume{Token: "kr_1"}})
	for seq := range uint32(3) {
		n.sent(session.Frame{Stream: 1, Seq: seq})
	}
	n.sent(session.Frame{Stream: 1, Seq: 3, Flags: session.FlagRetransmission})
	n.event(session.Head{Seq: 2}, session.InputAck{Input: session.InputPos{Stream: 1, Seq: 2}})
	n.event(session.Head{Seq: 3}, session.ItemDone{Item: session.Item{ID: "it_1", Role: "user", Content: []session.ItemContent{{Text: "Hello there."}}}})
	n.lost(nil)
	n.back(learner.Return{Warm: true})
	want := facts{
		verify.Connected{How: "created", Session: "vs_1", Seq: 1},
		verify.MicSent{Stream: 1, From: 0, Next: 3},
		verify.MicSent{Stream: 1, From: 3, Next: 4, Again: true},
		verify.EventReceived{Seq: 2, Type: "input_audio_buffer.ack"},
		verify.MicAcked{Stream: 1, Seq: 2},
		verify.EventReceived{Seq: 3, Type: "conversation.item.done", Item: "it_1"},
		verify.Acknowledged{Item: "it_1", Text: verify.TextOf("Hello there.")},
		verify.Closed{ByClient: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if n.acks != 1 || len(n.returns) != 1 || !slices.Equal(n.tokens, []string{"kr_1"}) {
		t.Errorf("noted %d acknowledgements, %v, %v", n.acks, n.returns, n.tokens)
	}
}

// Of a reply that is respoken, each sentence counts once: the words of what is void are
// forgotten, and the one at the break may be heard again.
func TestNotesOfARespokenReply(t *testing.T) {
	var got facts
	n := newNotes(&got)
	seq := uint64(0)
	say := func(ev session.Event) {
		seq++
		n.event(session.Head{Seq: seq}, ev)
	}
	begin := func(stream uint16) {
		say(session.ResponseCreated{Response: session.ResponseInfo{ID: "r_1", ItemID: "it_2"}, Stream: stream})
	}
	sentence := func(name, text string, from, to int64) {
		say(session.CaptionDelta{ResponseID: "r_1", ItemID: "it_2", Delta: text, AudioStartMS: from})
		say(session.Mark{ResponseID: "r_1", Name: name, AtMS: to})
	}
	begin(1)
	sentence("s1", "One.", 0, 1000)
	sentence("s2", " Two.", 1000, 2000)
	n.report(session.PlaybackMark{Name: "s1", ResponseID: "r_1", PlayedMS: 1000})
	n.event(session.Head{Seq: seq}, session.Resumed{Response: &session.ResumedResponse{ID: "r_1", Action: session.ActionRespeak, AudioEndMS: 1000, Repeat: true}})
	begin(2)
	sentence("s2", " Two, once more.", 1000, 2500)
	say(session.CaptionDone{ResponseID: "r_1", Transcript: "One. Two, once more."})
	n.report(session.PlaybackMark{Name: "s2", ResponseID: "r_1", PlayedMS: 2500})
	n.report(session.PlaybackStopped{ResponseID: "r_1", PlayedMS: 2500})
	got = slices.DeleteFunc(got, func(f verify.Fact) bool { _, event := f.(verify.EventReceived); return event })
	want := facts{
		verify.SentenceHeard{Response: "r_1", Item: "it_2", Mark: "s1", Text: verify.TextOf("One.")},
		verify.Connected{How: "resumed", Seq: 5, LastSeq: 5, Response: "r_1", Action: "respeak", Repeat: true},
		verify.SentenceHeard{Response: "r_1", Item: "it_2", Mark: "s2", Text: verify.TextOf("One. Two, once more."), Again: true},
		verify.PlaybackOver{Response: "r_1", Item: "it_2", PlayedMS: 2500, Text: verify.TextOf("One. Two, once more.")},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
