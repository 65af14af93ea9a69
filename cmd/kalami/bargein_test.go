package main

import (
	"fmt"
	"strings"
	"testing"

	"kalami/gateway/learner"
	"kalami/providers"
	"kalami/providers/simulate"
	"kalami/session"
	"kalami/session/learn"
)

// A learner speaks over the tutor's long answer. The tutor falls silent in that order
// of events which lets nothing of the old answer be heard, and what was heard of it is
// the same in what the learner is told, in the database and in the next prompt: by the
// player's word, or by the server's estimate when the player says nothing.
func TestBargeIn(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		for name, mute := range map[string]bool{"client": false, "estimate": true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := openHouse(t, b, simulate.BenchLatency())
				p := join(t, h.url(), "en", "B2", func(l *learner.Handler) { l.Mute = mute })
				id := talkOver(p)
				cut := await[session.Truncated](p, 1)
				if cut.Source != name {
					t.Errorf("what was heard is the word of the %s, want the %s's", cut.Source, name)
				}
				checkSilence(t, p, id)
				checkHeard(t, p, id, cut, !mute)
				checkRemembered(t, h, p, cut)
			})
		}
	})
}

// talkOver has a conversation up to the middle of the tutor's second answer, and speaks
// over that. It returns the answer's id when the tutor has been told to be silent.
func talkOver(p *pupil) string {
	p.t.Helper()
	await[session.ResponseDone](p, 1)
	p.mic.Say(recording(p.t, "en-01-clean"))
	await[session.ResponseDone](p, 2)
	p.mic.Say(recording(p.t, "en-03-grammar-error"))
	id := await[session.ResponseCreated](p, 3).Response.ID
	p.until("half a second of the second answer", func() bool { return p.played(id) > 500 })
	p.mic.Say(recording(p.t, "en-04-bargein"))
	if clear := await[session.ClearAudio](p, 1); clear.ResponseID != id || clear.Reason != "turn_detected" {
		p.t.Errorf("silenced by %+v, want %s", clear, id)
	}
	return id
}

// played is how many milliseconds of a response the pupil's player has reported as played.
func (p *pupil) played(response string) float64 {
	ms := 0.0
	for _, a := range p.all() {
		switch r := a.report.(type) {
		case session.PlaybackPosition:
			if r.ResponseID == response {
				ms = r.PlayedMS
			}
		case session.PlaybackCleared:
			if r.ResponseID == response {
				ms = r.PlayedMS
			}
		}
	}
	return ms
}

// checkSilence checks the order of what arrived: nothing of the answer after the order
// to be silent, and the truth about it before its end.
func checkSilence(t *testing.T, p *pupil, id string) {
	t.Helper()
	await[session.ResponseDone](p, 4) // whatever was still on its way has arrived by then
	created := await[session.ResponseCreated](p, 3)
	var order []string
	frames := 0
	for _, a := range p.all() {
		switch e := a.event.(type) {
		case session.ClearAudio:
			order = append(order, "clear")
		case session.Truncated:
			order = append(order, "truncated")
		case session.ResponseDone:
			if e.Response.ID != id {
				continue
			}
			order = append(order, "done")
			if e.Response.Status != "cancelled" || e.Response.Details == nil || e.Response.Details.Reason != "turn_detected" {
				t.Errorf("the interrupted answer ended as %+v", e.Response)
			}
		case session.CaptionDelta:
			if e.ResponseID == id && len(order) > 0 {
				t.Errorf("caption %q after %v", e.Delta, order)
			}
		case nil:
			if a.report != nil || a.frame.Stream != created.Stream {
				continue
			}
			frames++
			if a.late || len(order) > 0 {
				t.Errorf("audio of the interrupted answer after %v (frame %d)", order, a.frame.Seq)
			}
		}
	}
	if got := strings.Join(order, " "); got != "clear truncated done" {
		t.Errorf("the order was %q", got)
	}
	if frames == 0 {
		t.Error("the tutor was interrupted before it spoke")
	}
}

// checkHeard compares the words that the server takes for heard with those whose sound
// the player had played, by the places that the captions give them. The truth of a
// client that does not report is known to the test alone; how near the server's
// estimate comes to it hangs on the machine, so that there only its bounds are checked.
func checkHeard(t *testing.T, p *pupil, id string, cut session.Truncated, reported bool) {
	t.Helper()
	var captions []session.CaptionDelta
	whole := ""
	for _, c := range told[session.CaptionDelta](p) {
		if c.ResponseID == id {
			captions = append(captions, c)
			whole += c.Delta
		}
	}
	if !strings.HasPrefix(whole, cut.Transcript) || cut.Transcript == "" {
		t.Errorf("heard %q, which does not begin the answer %q", cut.Transcript, whole)
	}
	// A slow machine may not have voiced, and so captioned, the answer's next clause by then.
	said := simulate.Scripts()["en"].Turns[1].Tutor
	if cut.AudioEndMS <= 0 || len(cut.Transcript) >= len(said) {
		t.Errorf("heard %q until %d ms of %q: not an interruption in its middle", cut.Transcript, cut.AudioEndMS, said)
	}
	if !reported {
		return
	}
	played := p.played(id)
	if d := float64(cut.AudioEndMS) - played; d < -1 || d > 1 {
		t.Errorf("cut at %d ms, the player had played %.1f", cut.AudioEndMS, played)
	}
	want := 0 // words that were over when the next one began
	for i := 1; i < len(captions) && float64(captions[i].AudioStartMS) <= played; i++ {
		want = i
	}
	if got := len(strings.Fields(cut.Transcript)); got < want-1 || got > want+1 {
		t.Errorf("%d words are taken for heard (%q), by the captions %d were, of %q", got, cut.Transcript, want, whole)
	}
}

// checkRemembered looks for what was heard in the database and in the next prompt.
func checkRemembered(t *testing.T, h *house, p *pupil, cut session.Truncated) {
	t.Helper()
	await[session.ItemDone](p, 7)
	script := simulate.Scripts()["en"]
	stored := checkStored(t, h, await[session.Created](p, 1).Session.ConversationID, 7)
	tutor, said := stored[4], script.Turns[1].Tutor
	if tutor.Speaker != learn.SpeakerTutor || !tutor.Interrupted || tutor.Heard != cut.Transcript {
		t.Errorf("stored %+v, want what was heard: %q", tutor, cut.Transcript)
	}
	if !strings.HasPrefix(said, tutor.Content) || !strings.HasPrefix(tutor.Content, tutor.Heard) {
		t.Errorf("stored %q as written and %q as heard of %q", tutor.Content, tutor.Heard, said)
	}
	if stored[5].Content != script.Turns[2].Learner || stored[6].Heard != script.Turns[2].Tutor {
		t.Errorf("after it %q was answered by %q", stored[5].Content, stored[6].Heard)
	}

	replies := h.asked.replies()
	asked := replies[len(replies)-1]
	if role, text := asked.line(2); role != string(providers.RoleTutor) || text != cut.Transcript {
		t.Errorf("the tutor is told that it said %q (%s), want what was heard: %q", text, role, cut.Transcript)
	}
	unheard := strings.TrimSpace(strings.TrimPrefix(tutor.Content, tutor.Heard))
	note := fmt.Sprintf("heard only %q; not heard: %q", tutor.Heard, unheard)
	if role, text := asked.line(1); role != string(providers.RoleLearner) || !strings.Contains(text, note) {
		t.Errorf("the last message to the tutor is %q (%s), want the note %s", text, role, note)
	}
}
