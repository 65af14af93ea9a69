package session

import (
	"testing"
	"testing/synctest"

	"kalami/providers"
	"kalami/session/learn"
)

// "That is not what I said": the message is stored anew and acknowledged, and the tutor's next
// prompt has what was said.
func TestEditTranscript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		k.say("Fui a la plaza.")
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.until("all is stored", func() bool { return len(eventsOf[ItemDone](k.conn)) == 3 })
		said, tutors := eventsOf[ItemDone](k.conn)[1].Item, eventsOf[ItemDone](k.conn)[2].Item
		k.ask(EditTranscript{ItemID: said.ID, Text: "Fui a la playa."}, "e1")
		k.until("it is acknowledged", func() bool { return len(eventsOf[ItemDone](k.conn)) == 4 })
		want := said
		want.Content = []ItemContent{{Type: "input_audio", Text: "Fui a la playa."}}
		if got := eventsOf[ItemDone](k.conn)[3].Item; got.ID != want.ID || len(got.Content) != 1 || got.Content[0] != want.Content[0] {
			t.Errorf("acknowledged as %+v, want %+v", got, want)
		}
		k.ask(EditTranscript{ItemID: tutors.ID, Text: "x"}, "e2")
		k.ask(EditTranscript{ItemID: "it_nothing", Text: "x"}, "e3")
		if f := k.failures(); len(f) != 2 || f[0] != "invalid_event item_id e2" || f[1] != "item_not_found item_id e3" {
			t.Errorf("errors %q", f)
		}
		k.say("Y nadé.")
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 3 })
		if line := k.tutor.prompt(2).Lines[1]; line != (providers.Line{Role: providers.RoleLearner, Text: "Fui a la playa."}) {
			t.Errorf("the tutor was told %+v", line)
		}
		k.finish()
		if m := k.journal.stored()[1]; m.Content != "Fui a la playa." {
			t.Errorf("stored is %q", m.Content)
		}
	})
}

// An edit that was made elsewhere reaches the tutor and the client; one of a message that is
// unknown here changes nothing.
func TestEditedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		edits := make(chan learn.TranscriptEdit, 2)
		k.params.Edits = edits
		k.start()
		k.greeted()
		k.send(CreateItem{ID: "it_a", Text: "Fui a la plaza."})
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		before := len(eventsOf[ItemDone](k.conn))
		edits <- learn.TranscriptEdit{UtteranceID: "it_a", Text: "Fui a la playa."}
		edits <- learn.TranscriptEdit{UtteranceID: "it_b", Text: "x"}
		k.until("the client knows", func() bool { return len(eventsOf[ItemDone](k.conn)) > before })
		k.send(CreateItem{Text: "Y nadé."})
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 3 })
		if got := k.tutor.prompt(2).Lines[1].Text; got != "Fui a la playa." {
			t.Errorf("the tutor was told %q", got)
		}
		k.finish()
	})
}

// Somebody else has taken the conversation over: an edit is refused like any write, and the
// session ends.
func TestEditIsFenced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		k.send(CreateItem{ID: "it_a", Text: "Hola."})
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.until("all is stored", func() bool { return len(eventsOf[ItemDone](k.conn)) == 3 })
		k.journal.mu.Lock()
		k.journal.fail = &learn.Error{Kind: learn.Conflict, Err: learn.ErrFenced}
		k.journal.mu.Unlock()
		k.send(EditTranscript{ItemID: "it_a", Text: "Adiós."})
		if end := <-k.result; end.Reason != EndSuperseded {
			t.Errorf("it ended as %v", end)
		}
	})
}
