package main

import (
	"strings"
	"testing"

	"kalami/providers/simulate"
	"kalami/session"
	"kalami/session/learn"
)

// A learner is greeted, speaks, is heard and answered; everything is stored. The same
// on every backend.
func TestConversation(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		h := openHouse(t, b, simulate.BenchLatency())
		p := join(t, h.url(), "en", "B2")
		created := await[session.Created](p, 1)
		if created.Session.Demo != nil || created.Session.Parts.LLM != "anthropic" {
			t.Errorf("parts %+v, demo %+v with keys for all", created.Session.Parts, created.Session.Demo)
		}
		await[session.ResponseDone](p, 1)
		p.mic.Say(recording(t, "en-01-clean"))
		heard := await[session.TranscriptCompleted](p, 1)
		if want := simulate.Scripts()["en"].Turns[0].Learner; heard.Transcript != want {
			t.Errorf("heard %q, want %q", heard.Transcript, want)
		}
		await[session.ResponseDone](p, 2)
		if caption := await[session.CaptionDone](p, 2); caption.Transcript != simulate.Scripts()["en"].Turns[0].Tutor {
			t.Errorf("answered %q", caption.Transcript)
		}
		await[session.ItemDone](p, 3)
		if err := p.call.Send(session.EndSession{}); err != nil {
			t.Fatal(err)
		}
		if err := <-p.ended; err != nil {
			t.Errorf("the call ended with %v", err)
		}
		checkStored(t, h, created.Session.ConversationID, 3)
	})
}

// checkStored reads a conversation back from the database.
func checkStored(t *testing.T, h *house, conversation string, messages int) []learn.Message {
	t.Helper()
	stored, err := h.db.RecentMessages(t.Context(), learn.PersonalTenant, conversation, 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) != messages {
		t.Errorf("%d messages are stored, want %d", len(stored), messages)
	}
	for i, m := range stored {
		if m.Seq != i+1 {
			t.Errorf("message %d has number %d", i, m.Seq)
		}
	}
	return stored
}

// With nothing configured there is a demo tutor, which says that it is one.
func TestDemo(t *testing.T) {
	t.Parallel()
	h := openDemo(t, backends()[0])
	p := join(t, h.url(), "es", "A2")
	created := await[session.Created](p, 1)
	demo := created.Session.Demo
	if demo == nil || len(demo.Missing) != 3 || len(demo.Script) == 0 {
		t.Fatalf("the demo says of itself %+v", demo)
	}
	await[session.ResponseDone](p, 1)
	p.mic.Say(recording(t, "es-01-clean"))
	if heard := await[session.TranscriptCompleted](p, 1); heard.Transcript != demo.Script[0] {
		t.Errorf("heard %q, the script says %q", heard.Transcript, demo.Script[0])
	}
	await[session.ResponseDone](p, 2)
	loud := 0
	for _, a := range p.all() {
		for _, b := range a.frame.Audio {
			if b != 0 {
				loud++
			}
		}
	}
	if loud < 100_000 {
		t.Errorf("only %d bytes of the tutor's audio are not silence", loud)
	}
}

// What a learner says and the keys never reach the log, at any level.
func TestNothingSaidIsLogged(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{})
	p := join(t, h.url(), "en", "C1")
	await[session.ResponseDone](p, 1)
	if err := p.call.Send(session.CreateItem{Text: "my secret is xylophone"}); err != nil {
		t.Fatal(err)
	}
	await[session.ResponseDone](p, 2)
	if err := h.end(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	log := h.log.String()
	for _, marker := range []string{"xylophone", "Good evening", "welcome!", "kt_", "kr_", "Bearer"} {
		if strings.Contains(log, marker) {
			t.Errorf("the log holds %q", marker)
		}
	}
	if !strings.Contains(log, "session ended") {
		t.Error("the log does not tell of the session at all")
	}
}
