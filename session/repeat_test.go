package session

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"kalami/providers"
	"kalami/session/learn"
)

// captioned is what a response's captions say.
func (k *talk) captioned(responseID string) string {
	var b strings.Builder
	for _, c := range eventsOf[CaptionDelta](k.conn) {
		if c.ResponseID == responseID {
			b.WriteString(c.Delta)
		}
	}
	return strings.TrimSpace(b.String())
}

// The tutor says its last reply again, slowly: no model is asked and nothing is stored, the
// client is told what it is, and the voice has its usual pace again before the next turn.
func TestRepeatSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{"¿Adónde fuiste ayer?", "Qué bien."}
		k.start()
		k.greeted()
		k.until("it is stored", func() bool { return len(eventsOf[ItemDone](k.conn)) == 1 })
		first := eventsOf[ResponseCreated](k.conn)[0].Response
		k.send(Repeat{Slow: true})
		k.until("it is said again", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		again := eventsOf[ResponseCreated](k.conn)[1].Response
		if again.Repeats != first.ItemID || again.ItemID == first.ItemID || again.ID == first.ID {
			t.Errorf("said again as %+v, first %+v", again, first)
		}
		if got := k.captioned(again.ID); got != "¿Adónde fuiste ayer?" {
			t.Errorf("captions %q", got)
		}
		k.voice.mu.Lock()
		speeds := slices.Clone(k.voice.speeds)
		k.voice.mu.Unlock()
		if want := []float64{0.9, 0.9 * 0.75, 0.9}; !slices.Equal(speeds, want) {
			t.Errorf("the voice was opened at %v, want %v", speeds, want)
		}
		k.say("Al mercado.")
		k.until("the turn is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 3 })
		p := k.tutor.prompt(1)
		if n := len(k.tutor.prompts); n != 2 || len(p.Lines) != 2 || p.Lines[0].Text != "¿Adónde fuiste ayer?" {
			t.Errorf("%d prompts, the last %+v", n, p.Lines)
		}
		k.finish()
		for _, m := range k.journal.stored() {
			if m.UtteranceID == again.ItemID {
				t.Errorf("stored %+v", m)
			}
		}
		if n := len(k.journal.stored()); n != 3 {
			t.Errorf("%d messages are stored, want 3", n)
		}
		for _, e := range eventsOf[ItemAdded](k.conn) {
			if e.Item.ID == again.ItemID {
				t.Errorf("added to the history: %+v", e)
			}
		}
	})
}

// A repetition is interrupted like any reply, and the turn that did so is answered.
func TestRepeatIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{longMenu}
		k.start()
		k.greeted()
		k.send(Repeat{})
		k.until("it sounds", func() bool {
			return len(eventsOf[CaptionDelta](k.conn)) > 1 && len(eventsOf[ResponseCreated](k.conn)) == 2
		})
		k.mic(2_000, false)
		k.say("Espere, otra pregunta.")
		k.until("the turn is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 3 })
		again := eventsOf[ResponseDone](k.conn)[1].Response
		if again.Status != "cancelled" || again.Details.Reason != "turn_detected" {
			t.Errorf("it ended as %+v", again)
		}
		if r := k.tutor.prompt(1).Reminder; strings.Contains(r, "interrupted") {
			t.Errorf("the tutor is told of an interruption of what was heard once: %q", r)
		}
		k.finish()
		if n := len(k.journal.stored()); n != 3 {
			t.Errorf("%d messages are stored, want 3", n)
		}
	})
}

// While the tutor speaks, the reply is begun anew as soon as all of it is known, and when it
// was heard to its end the tutor is not reminded of the break. While an answer is prepared it
// comes first.
func TestRepeatWhileTheTutorSpeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{"Hola.", longMenu}
		k.start()
		k.greeted()
		k.send(CreateItem{Text: "¿Qué hay hoy?"})
		k.ask(Repeat{}, "e1")
		if f := k.failures(); len(f) != 1 || f[0] != "response_not_active  e1" {
			t.Errorf("while it is prepared: %q", f)
		}
		k.until("it sounds", func() bool { return k.captioned(eventsOf[ResponseCreated](k.conn)[1].Response.ID) != "" })
		k.mic(500, false)
		k.send(Repeat{})
		k.until("it is said again", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 3 })
		created, done := eventsOf[ResponseCreated](k.conn), eventsOf[ResponseDone](k.conn)
		if len(created) != 3 || created[2].Response.Repeats != created[1].Response.ItemID || done[1].Response.Status != "cancelled" || done[2].Response.Status != "completed" {
			t.Fatalf("created %+v\ndone %+v", created, done)
		}
		if got := k.captioned(created[2].Response.ID); got != longMenu {
			t.Errorf("said again: %q", got)
		}
		k.send(CreateItem{Text: "Gracias."})
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 4 })
		if p := k.tutor.prompt(2); strings.Contains(p.Reminder, "interrupted") || p.Lines[len(p.Lines)-2].Text != longMenu {
			t.Errorf("the next prompt has %q and %q", p.Lines, p.Reminder)
		}
		k.finish()
	})
}

// A wish that waits for the end of the text is gone when the learner takes the turn, and
// there is nothing to say again before anything was said.
func TestRepeatGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{"Hola.", longMenu + " " + longMenu, "Claro."}
		k.start()
		k.ask(Repeat{}, "e1")
		if f := k.failures(); len(f) != 1 || f[0] != "response_not_active  e1" {
			t.Errorf("before the greeting: %q", f)
		}
		k.greeted()
		k.send(CreateItem{Text: "¿Qué hay hoy?"})
		k.until("it sounds", func() bool { return k.captioned(eventsOf[ResponseCreated](k.conn)[1].Response.ID) != "" })
		k.send(Repeat{})
		k.mic(600, true)
		k.hear(providers.HeardUpdate, "Espere, una pregunta")
		k.hear(providers.HeardEnd, "Espere, una pregunta")
		k.until("the turn is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 3 })
		k.mic(3_000, false)
		for _, r := range eventsOf[ResponseCreated](k.conn) {
			if r.Response.Repeats != "" {
				t.Errorf("said again after the learner took the turn: %+v\n%s", r, k.story())
			}
		}
		k.finish()
	})
}

// Another node goes on with a repetition: it knows all of the text, however little of it was
// thought of before, asks no model, keeps the pace, and stores nothing.
func TestRepeatMovesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &conductor{settings: &settings{}}
		r := &reply{line: newTimeline(), made: produced{complete: true}, turn: &turn{id: 7, responseID: "r_7", itemID: "it_7", repeats: "it_2",
			from: &resumption{text: longMenu, whole: true}, voice: providers.SpeakOptions{Speed: 0.675}}}
		r.line.write(longMenu[:20])
		open := c.openReply(r)
		if open.Repeats != "it_2" || open.Text != longMenu || !open.Complete || open.Speed != 0.675 {
			t.Fatalf("handed over as %+v", open)
		}

		k := newTalk(t)
		k.params.Config = k.params.Config.Completed(k.params.Profile)
		k.params.History = []learn.Message{{UtteranceID: "it_2", Speaker: learn.SpeakerTutor, Content: longMenu, Heard: longMenu}}
		k.params.Returning, k.params.Handover = true, &Handover{SessionID: "vs_1", Epoch: 1, Config: k.params.Config, Streams: 7, Reply: open, LastMessage: "it_2"}
		k.start()
		k.until("it is said again", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 1 })
		created := eventsOf[ResponseCreated](k.conn)
		if len(created) != 1 || created[0].Response.ID != "r_7" || created[0].Response.Repeats != "it_2" || k.captioned("r_7") != longMenu {
			t.Errorf("created %+v, said %q", created, k.captioned("r_7"))
		}
		k.voice.mu.Lock()
		if !slices.Contains(k.voice.speeds, 0.675) {
			t.Errorf("the voice was opened at %v", k.voice.speeds)
		}
		k.voice.mu.Unlock()
		k.finish()
		if len(k.tutor.prompts) != 0 || len(k.journal.stored()) != 0 {
			t.Errorf("%d prompts, stored %+v", len(k.tutor.prompts), k.journal.stored())
		}
	})
}
