package session

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session/learn"
)

// captions is all text shown of the answers.
func (k *talk) captions() string {
	var b strings.Builder
	for _, e := range eventsOf[CaptionDelta](k.conn) {
		if !e.Filler {
			b.WriteString(e.Delta)
		}
	}
	return b.String()
}

// The voice breaks off in the middle of an answer: the rest comes as text, once, and
// the next answer is spoken again, which the learner is told.
func TestVoiceBreaks(t *testing.T) {
	for name, chunks := range map[string]int{"after a clause": 1, "after two": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.voice.breaks = chunks
				k.tutor.replies = []string{"Esta frase se oye. Esta otra se oye a medias. Y esta frase se lee.", "Ahora hablo."}
				k.start()
				k.until("the answer is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 1 })
				if got, want := k.captions(), "Esta frase se oye. Esta otra se oye a medias. Y esta frase se lee."; got != want {
					t.Errorf("captions %q, want %q", got, want)
				}
				if n := len(eventsOf[CaptionDone](k.conn)); n != 1 {
					t.Errorf("the captions ended %d times", n)
				}
				k.voice.mu.Lock()
				k.voice.breaks = 0
				k.voice.mu.Unlock()
				k.hears.last() // the stream of the voice is opened again because it is not alive
				k.send(UpdateSession{ConfigPatch{Audio: &AudioPatch{Output: &OutputPatch{Speed: new(1.25)}}}})
				k.send(CreateItem{Text: "¿Y ahora?"})
				k.until("the next answer is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
				k.finish()
				if f := eventsOf[Failure](k.conn); len(f) != 1 || f[0].Error.Code != TTSUnavailable {
					t.Errorf("failures %+v", f)
				}
				if w := eventsOf[Warning](k.conn); len(w) != 1 || w[0].Code != WarnUpstreamDegraded {
					t.Errorf("warnings %+v", w)
				}
			})
		})
	}
}

// A voice that is missing for many answers is told once.
func TestVoiceMissingIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.voice.refuse = 1000
		k.start()
		k.greeted()
		for range 3 {
			n := len(eventsOf[ResponseDone](k.conn))
			k.send(CreateItem{Text: "Hola"})
			k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == n+1 })
		}
		k.finish()
		if n := len(eventsOf[Failure](k.conn)); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

// A voice that speaks only when all text is there is given all of it, however many
// pieces it is.
func TestVoiceThatWaitsForTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.voice.late = true
		k.tutor.replies = []string{strings.Repeat("Una frase corta. ", 12)}
		k.start()
		k.greeted()
		k.finish()
		if m := k.journal.stored(); len(m) != 1 || m[0].Audio == 0 || m[0].Interrupted {
			t.Errorf("stored %+v", m)
		}
	})
}

// The audio ends before the text has: that is a broken voice, and nothing is lost.
func TestVoiceEndsEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.voice.early = true
		k.tutor.replies = []string{"Esta frase se oye. Y esta frase se lee."}
		k.start()
		k.until("the answer is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 1 })
		k.finish()
		if got := k.captions(); got != "Esta frase se oye. Y esta frase se lee." || len(eventsOf[CaptionDone](k.conn)) != 1 {
			t.Errorf("captions %q\n%s", got, k.story())
		}
	})
}

// A long answer takes longer to be spoken than a tutor may think: that is no fault.
func TestLongAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{strings.Repeat("Esta es una frase bastante larga que llena unos segundos. ", 45)} // two minutes
		k.start()
		k.mic(150_000, false)
		k.finish()
		if done := eventsOf[ResponseDone](k.conn)[0].Response; done.Status != "completed" {
			t.Errorf("ended as %+v", done)
		}
	})
}

// A tutor that says nothing, or nothing that can be spoken, apologises.
func TestNothingToSay(t *testing.T) {
	for _, reply := range []string{" ", "🙂 **"} {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t)
			k.tutor.replies = []string{reply}
			k.start()
			k.greeted()
			k.finish()
			if got := k.captions(); got != learn.Apology("es") {
				t.Errorf("after %q the learner hears %q", reply, got)
			}
		})
	}
}

// The learner changes the voice's rate after an answer was announced, before its first
// sound: the answer keeps the rate that the client was told, and its pace.
func TestRateOfAnAnnouncedAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{strings.Repeat("Una frase que se oye. ", 3)}
		go func() { // as the first thing, before the tutor's first word
			k.conn.inputs <- Input{Control: UpdateSession{ConfigPatch{Audio: &AudioPatch{Output: &OutputPatch{Format: &Format{Type: PCM, Rate: 16000}}}}}}
		}()
		k.start()
		k.greeted()
		k.send(CreateItem{Text: "Hola"})
		k.until("the next answer is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.finish()
		created, sent := eventsOf[ResponseCreated](k.conn), map[uint16]int{}
		for _, w := range k.conn.all() {
			sent[w.frame.Stream] += len(w.frame.Audio) / 2
		}
		for i, done := range eventsOf[AudioDone](k.conn) {
			rate := created[i].Audio.Format.Rate
			if got := sent[created[i].Stream] * 1000 / rate; int64(got) != done.AudioMS || got == 0 {
				t.Errorf("answer %d was announced at %d Hz: %d ms of samples, said to be %d ms", i, rate, got, done.AudioMS)
			}
		}
		if len(created) != 2 || created[0].Audio.Format.Rate != 24000 || created[1].Audio.Format.Rate != 16000 {
			t.Errorf("announced %+v", created)
		}
	})
}

// After 65,535 answers the number on the frames starts anew, and the old one's late
// audio is still told from the new one's.
func TestStreamNumberWraps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		s := k.host.assemble(k.params)
		c := s.conductor(k.host, k.params, k.host.Log).conductor
		d := s.downlink(k.conn, func(error) {})
		d.guard = time.AfterFunc(time.Hour, func() {})
		defer d.guard.Stop()
		c.ctx, c.turns = t.Context(), 1<<16-2
		c.beginReply("")
		old := c.reply.turn
		c.reply.sentMS = 10
		c.supersede("client_cancelled")
		c.beginReply("")
		if fresh := c.reply.turn; old.stream() != 65535 || fresh.stream() != 0 || fresh.id <= old.id {
			t.Errorf("streams %d and %d", old.stream(), fresh.stream())
		}
		_ = d.drain(t.Context())
		if d.floor != old.id {
			t.Errorf("audio up to answer %d is forgotten, want %d", d.floor, old.id)
		}
	})
}

// A voice without an alignment: captions are whole, and what was heard is estimated.
func TestVoiceWithoutMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.voice.plain = true
		k.tutor.replies = []string{"Hoy tenemos sopa. Y también hay pollo asado. Todo está muy rico."}
		id := k.speaking(1000)
		k.send(CancelResponse{ResponseID: id})
		k.send(PlaybackCleared{ResponseID: id, PlayedMS: 1200})
		k.finish()
		if cut := eventsOf[Truncated](k.conn); len(cut) != 1 || !strings.HasPrefix(cut[0].Transcript, "Hoy tenemos") || strings.Contains(cut[0].Transcript, "pollo") {
			t.Errorf("truncated %+v", cut)
		}
		if got := k.captions(); !strings.HasPrefix("Hoy tenemos sopa. Y también hay pollo asado. Todo está muy rico.", got) || got == "" {
			t.Errorf("captions %q", got)
		}
	})
}
