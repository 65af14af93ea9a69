package session

import (
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/fillers"
)

// clips lists what clips said to the client, and when.
func (k *talk) clips() (texts []string, at []time.Time) {
	for _, w := range k.conn.all() {
		if e, ok := w.event.(CaptionDelta); ok && e.Filler {
			texts, at = append(texts, e.Delta), append(at, w.at)
		}
	}
	return texts, at
}

// deafClip is what a learner of Spanish is told whom nobody hears.
var deafClip = fillers.Say("es", fillers.Deaf).Text + " "

// No recogniser can be had. Who speaks is told so aloud, once, in the language that is
// learned; the client knows by an error. Speaking on is told of rarely, typing is answered,
// and of the clip nothing is stored.
func TestNobodyHearsTheLearner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.hears.refuse = 1 << 30
		k.start()
		k.greeted()
		k.mic(1200, true)
		ended := k.loudUntil
		k.mic(8000, false)
		if texts, at := k.clips(); len(texts) != 1 || texts[0] != deafClip || at[0].Sub(ended) > 2500*time.Millisecond {
			t.Fatalf("told %q\n%s", texts, k.story())
		}
		if f := eventsOf[Failure](k.conn); len(f) != 1 || f[0].Error.Code != STTUnavailable || f[0].Error.Fatal {
			t.Errorf("failures %+v", f)
		}
		if done := eventsOf[ResponseDone](k.conn); len(done) != 2 || done[1].Response.Status != "failed" {
			t.Errorf("ended as %+v", done)
		}
		k.mic(1200, true)
		k.mic(8000, false)
		k.send(CreateItem{Text: "¿Me oyes?"})
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 3 })
		if texts, _ := k.clips(); len(texts) != 1 {
			t.Errorf("told %q", texts)
		}
		k.mic(10_000, false)
		k.mic(1200, true)
		k.mic(4000, false)
		k.mic(15_000, true) // while it is told, and a minute has not passed
		k.mic(4000, false)
		if texts, _ := k.clips(); len(texts) != 2 {
			t.Errorf("told %q", texts)
		}
		k.finish()
		if m := k.journal.stored(); len(m) != 3 || m[2].Content != "Good." {
			t.Errorf("stored %+v", m)
		}
	})
}

// A learner who talks on is not left talking to nobody for long.
func TestNobodyHearsALearnerWhoTalksOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.hears.refuse = 1 << 30
		k.start()
		k.greeted()
		began := time.Now()
		k.mic(20_000, true)
		k.mic(3000, false)
		k.finish()
		if texts, at := k.clips(); len(texts) != 1 || at[0].Sub(began) < talksOn || at[0].Sub(began) > talksOn+1500*time.Millisecond {
			t.Errorf("told %q\n%s", texts, k.story())
		}
	})
}

// A recogniser that is lost when the voice has ended, and whose loss is noticed late, is
// told of as well; and after one that hears again the next loss is.
func TestEachLossIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		r := &survivors{fakeRecognizer: k.hears, absent: make(chan error, 1)}
		k.host.Recognizer = r
		k.start()
		k.greeted()
		for n := 1; n <= 2; n++ {
			k.mic(800, true)
			k.mic(2500, false)
			r.absent <- &providers.Error{Kind: providers.Unavailable}
			k.mic(5000, false)
			if texts, _ := k.clips(); len(texts) != n {
				t.Errorf("told %q", texts)
			}
			r.absent <- nil
			k.mic(100, false)
			k.say("Ahora sí.")
			k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 1+2*n })
		}
		k.finish()
	})
}

// A recogniser that says nothing to a voice is replaced when that is over, with what it was
// told; and only when nobody hears the second one either is the learner told. A recogniser
// that hears what the first had missed is taken for proof, other doubts become rare.
func TestSilentRecogniserIsDoubted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		r := &survivors{fakeRecognizer: k.hears, absent: make(chan error, 1)}
		k.host.Recognizer = r
		k.start()
		k.greeted()
		k.mic(1500, true)
		ended := k.loudUntil
		k.mic(1100, false)
		if len(r.renewed) != 1 || k.hears.opened != 1 {
			t.Fatalf("renewed for %v, %v after the voice", r.renewed, time.Since(ended))
		}
		k.hear(providers.HeardEnd, "Ayer fui al mercado.")
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		for range 2 { // noises
			k.mic(1300, true)
			k.mic(6000, false)
		}
		if len(r.renewed) != 2 {
			t.Errorf("renewed for %v", r.renewed)
		}
		if texts, _ := k.clips(); len(texts) != 1 || texts[0] != deafClip {
			t.Errorf("told %q", texts)
		}
		if w := eventsOf[Warning](k.conn); len(w) != 1 || w[0].Code != WarnUpstreamDegraded {
			t.Errorf("warned of %+v", w)
		}
		k.finish()
	})
}

// A node that takes over in the middle of such a clip has nothing to answer: it ends it.
func TestClipIsNotSpokenOnElsewhere(t *testing.T) {
	c := &conductor{reply: &reply{turn: &turn{responseID: "r_1"}, line: newTimeline(), notice: true, sentMS: 1200, made: produced{complete: true}}}
	if on := (Handover{Reply: c.openReply(c.reply)}).GoOn(nil); on == nil || on.Action != ActionTruncated {
		t.Errorf("it goes on as %+v", on)
	}
}
