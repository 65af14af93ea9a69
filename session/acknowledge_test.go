package session

import (
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// What a place in the audio is in the client's frames, over a gap and a new stream.
func TestPlacesOfFrames(t *testing.T) {
	var p places
	at := int64(0)
	add := func(stream uint16, seq uint32, ms int64) {
		p.add(stream, seq, at, at+ms)
		at += ms
	}
	if _, known := p.before(0); known {
		t.Error("a place is known before the first frame")
	}
	for seq := range uint32(150) { // 3 s, 20 ms each
		add(1, seq, 20)
	}
	at += 400 // lost on the way
	for seq := range uint32(25) {
		add(1, 170+seq, 20)
	}
	for seq := range uint32(10) { // another microphone, 40 ms
		add(2, seq, 40)
	}
	for _, tt := range []struct {
		ms             int64
		before, behind learn.InputMark
	}{
		{-500, learn.InputMark{Stream: 1}, learn.InputMark{Stream: 1}},
		{0, learn.InputMark{Stream: 1}, learn.InputMark{Stream: 1, Next: 1}},
		{1010, learn.InputMark{Stream: 1, Next: 50}, learn.InputMark{Stream: 1, Next: 51}},
		{2999, learn.InputMark{Stream: 1, Next: 149}, learn.InputMark{Stream: 1, Next: 150}},
		{3200, learn.InputMark{Stream: 1, Next: 150}, learn.InputMark{Stream: 1, Next: 150}}, // in the gap
		{3410, learn.InputMark{Stream: 1, Next: 170}, learn.InputMark{Stream: 1, Next: 171}},
		{3950, learn.InputMark{Stream: 2, Next: 1}, learn.InputMark{Stream: 2, Next: 2}},
		{9000, learn.InputMark{Stream: 2, Next: 10}, learn.InputMark{Stream: 2, Next: 10}}, // all that has come
	} {
		before, _ := p.before(tt.ms)
		behind, _ := p.behind(tt.ms)
		if before != tt.before || behind != tt.behind {
			t.Errorf("%d ms: before %v and behind %v, want %v and %v", tt.ms, before, behind, tt.before, tt.behind)
		}
	}
	for range 2 * placesMost {
		add(2, 9, 20) // a client that counts wrongly
	}
	if _, known := p.before(0); known || len(p.runs) != placesMost {
		t.Errorf("known %v with %d runs, want what is long ago to be forgotten", known, len(p.runs))
	}
}

// An utterance is acknowledged when it is stored and not before, and its message says
// where in the client's frames it ends.
func TestUtteranceIsAcknowledgedWhenItIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.journal.takes = commitTimeout - time.Millisecond
		k.start()
		k.greeted()
		k.mic(3000, false)
		began := uint32(k.sentMS / 20)
		k.mic(1000, true)
		h := k.hears.last()
		said := k.sentMS
		h.events <- providers.Heard{Kind: providers.HeardEnd, Text: "Ayer fui.", StartMS: said - 1000, EndMS: said,
			Words: []providers.Word{{Text: "Ayer", StartMS: said - 1000, EndMS: said - 600}, {Text: "fui.", StartMS: said - 500, EndMS: said}}}
		k.said++
		k.until("the turn is over", func() bool { return len(eventsOf[Committed](k.conn)) == 1 })
		k.mic(2000, false)
		highest := func() (n uint32) {
			for _, a := range eventsOf[InputAck](k.conn) {
				if a.Input.Seq+1 != a.Input.NextSeq || a.Input.NextSeq < n {
					t.Errorf("acknowledged %+v after %d", a.Input, n)
				}
				n = a.Input.NextSeq
			}
			return n
		}
		if n := highest(); n > began || n < began-100 {
			t.Errorf("acknowledged up to %d while the utterance from %d on is not stored", n, began)
		}
		k.until("it is stored", func() bool { return len(k.journal.stored()) == 2 })
		k.mic(4000, false)
		if n, all := highest(), uint32(k.sentMS/20); n < all-200 || n > all {
			t.Errorf("acknowledged up to %d of %d when it was stored", n, all)
		}
		k.finish()
		m := k.journal.stored()[1]
		if want := uint32(said/20 + afterWords/20); m.Input.Stream != 1 || m.Input.Next < want || m.Input.Next > want+1 {
			t.Errorf("the utterance ends at %+v, want its last word's frame and a moment more, %d", m.Input, want)
		}
		if tutor := k.journal.stored()[0]; tutor.Input != (learn.InputMark{}) {
			t.Errorf("the tutor's message has the place %+v in the microphone's frames", tutor.Input)
		}
	})
}
