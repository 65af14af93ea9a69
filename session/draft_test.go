package session

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/drafts"
	"kalami/session/learn"
	"kalami/session/turntaking"
)

// newDrafting prepares a session at B1 whose answers may be begun early.
func newDrafting(t *testing.T) *talk {
	k := newTalk(t)
	k.host.Drafts = drafts.New(drafts.Options{})
	return k
}

// calls is how often the tutor was asked.
func (k *talk) calls() int {
	k.tutor.mu.Lock()
	defer k.tutor.mu.Unlock()
	n := 0
	for _, p := range k.tutor.prompts {
		if len(p.Avoid) == 0 { // else it goes on with a reply that broke off
			n++
		}
	}
	return n
}

// asked is the learner's last line of the tutor's call i.
func (k *talk) asked(i int) string {
	lines := k.tutor.prompt(i).Lines
	return lines[len(lines)-1].Text
}

// drafted runs until the tutor has been asked so many times, and then for as long as an
// answer takes.
func (k *talk) drafted(calls int) {
	k.t.Helper()
	k.until("a draft is begun", func() bool { return k.calls() == calls })
	if n := len(eventsOf[ResponseCreated](k.conn)); n != calls-1 {
		k.t.Fatalf("%d answers announced while one is drafted, want %d\n%s", n, calls-1, k.story())
	}
}

// replied runs until so many replies are over, the greeting among them.
func (k *talk) replied(n int) {
	k.t.Helper()
	k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == n })
}

// summary ends the session and returns what it says of its drafts.
func (k *talk) summary() DraftSummary {
	k.t.Helper()
	k.finish()
	ended := eventsOf[Ended](k.conn)
	if len(ended) != 1 {
		k.t.Fatalf("the session ended %d times", len(ended))
	}
	return ended[0].Summary.Drafts
}

// committedAt is when the last turn of the learner ended, and spokenAt when the first
// frame of the reply to it was written.
func (k *talk) committedAt() (ended, spoken time.Time) {
	k.t.Helper()
	for _, w := range k.conn.all() {
		if _, ok := w.event.(Committed); ok {
			ended, spoken = w.at, time.Time{}
		}
		if w.event == nil && spoken.IsZero() {
			spoken = w.at
		}
	}
	return ended, spoken
}

// When patience is longer than the answer takes, the answer is there when the turn
// ends: its first frame is written at that moment. It is one call, and the learner hears
// and sees of it only then.
func TestDraftIsReadyWhenTheTurnEnds(t *testing.T) {
	for _, level := range []string{"A1", "B1", "C1"} {
		t.Run(level, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newDrafting(t)
				k.params.Config.Level = level
				k.tutor.replies = []string{"Hola. ¿Qué tal?", "Muy bien. ¿Y qué más?"}
				k.start()
				k.greeted()
				k.say("Ayer fui al mercado.")
				before := len(k.conn.all())
				k.drafted(2)
				k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) == 1 })
				for _, w := range k.conn.all()[before:] {
					if _, ok := w.event.(Committed); ok {
						break
					}
					switch w.event.(type) {
					case SpeechStopped, Ping, InputAck:
					default:
						t.Errorf("written before the turn ended: %+v", w.event)
					}
				}
				if stored := contents(k.journal.stored()); len(stored) > 2 {
					t.Errorf("stored at the turn's end: %q", stored)
				}
				ended, spoken := k.committedAt()
				if wait := spoken.Sub(ended); spoken.IsZero() || wait != 0 {
					t.Errorf("the answer began %v after the turn's end\n%s", wait, k.story())
				}
				k.replied(2)
				sum := k.summary()
				if want := (DraftSummary{Started: 1, Released: 1, WonMS: sum.WonMS}); sum != want || sum.WonMS == 0 {
					t.Errorf("drafts %+v, want %+v", sum, want)
				}
				want := []string{"assistant: Hola. ¿Qué tal?", "user: Ayer fui al mercado.", "assistant: Muy bien. ¿Y qué más?"}
				if got := contents(k.journal.stored()); !slices.Equal(got, want) {
					t.Errorf("stored %q, want %q", got, want)
				}
				done := eventsOf[ResponseDone](k.conn)[1]
				if l := done.Latency; l.DraftMS == 0 || int64(l.DraftMS) != sum.WonMS || l.EgressMS != 0 || l.LLMFirstMS == 0 || l.FirstAudioMS != l.EndpointMS {
					t.Errorf("latency %+v", l)
				}
				if k.calls() != 2 || done.Response.Status != "completed" {
					t.Errorf("%d calls, response %+v", k.calls(), done.Response)
				}
			})
		})
	}
}

// What is understood in the end decides: the same meaning releases the draft, and
// every difference drops it, so that the answer is to what was said.
func TestDraftAnswersWhatWasSaid(t *testing.T) {
	const heard = "Ayer fui al mercado"
	for name, c := range map[string]struct {
		play    func(k *talk)
		said    string // committed, and answered
		started int
		kept    bool // the first draft becomes the answer
	}{
		"as it was": {func(k *talk) { k.hear(providers.HeardEnd, heard) }, heard, 1, true},
		"with a full stop and capitals": {func(k *talk) { k.hear(providers.HeardEnd, "ayer fui al Mercado.") },
			"ayer fui al Mercado.", 1, true},
		"with a sound of hesitation": {func(k *talk) { k.hear(providers.HeardEnd, heard+", ehm") }, heard + ", ehm", 1, true},
		"rewritten and back": {func(k *talk) {
			k.hear(providers.HeardUpdate, "Ayer fue al mercado")
			k.mic(100, false)
			k.hear(providers.HeardUpdate, heard)
		}, heard, 1, true},
		"rewritten for good":      {func(k *talk) { k.hear(providers.HeardUpdate, "Ayer fue al mercado") }, "Ayer fue al mercado", 2, false},
		"rewritten in the end":    {func(k *talk) { k.hear(providers.HeardEnd, "Ayer fue el mercado") }, "Ayer fue el mercado", 2, false},
		"shorter in the end":      {func(k *talk) { k.hear(providers.HeardEnd, "Ayer fui") }, "Ayer fui", 2, false},
		"the learner goes on":     {func(k *talk) { k.hear(providers.HeardUpdate, heard+" con Ana") }, heard + " con Ana", 2, false},
		"goes on in a new one":    {func(k *talk) { k.hear(providers.HeardEnd, heard); k.hear(providers.HeardUpdate, "con Ana") }, heard + " con Ana", 2, false},
		"the recogniser resumes":  {func(k *talk) { k.hear(providers.HeardResumed, heard) }, heard, 2, false},
		"a final twice":           {func(k *talk) { k.hear(providers.HeardEnd, heard); k.said--; k.hear(providers.HeardEnd, heard) }, heard, 1, true},
		"a final twice, another":  {func(k *talk) { k.hear(providers.HeardEnd, heard); k.said--; k.hear(providers.HeardEnd, heard+"s") }, "", 0, false},
		"a voice without words":   {func(k *talk) { k.mic(200, true) }, heard, 1, true},
		"the client's own commit": {func(k *talk) { k.send(CommitInput{}) }, heard, 1, true},
		"committed, and rewritten": {func(k *talk) {
			k.send(CommitInput{})
			k.hear(providers.HeardEnd, "Ayer fue al mercado")
		}, "Ayer fue al mercado", 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newDrafting(t)
				const slow = "Qué bien que me lo cuentes todo con calma hoy." // 200 ms
				k.tutor.replies = []string{slow, slow, slow}
				k.start()
				k.greeted()
				k.mic(600, true)
				k.hear(providers.HeardUpdate, heard)
				k.drafted(2)
				k.mic(240, false)
				c.play(k)
				k.replied(2)
				k.mic(3000, false)
				sum := k.summary()
				done := eventsOf[TranscriptCompleted](k.conn)
				if len(done) != 1 || len(eventsOf[ResponseDone](k.conn)) != 2 {
					t.Fatalf("turns %+v\n%s", done, k.story())
				}
				said := done[0].Transcript
				if last := k.asked(k.calls() - 1); !turntaking.SameMeaning(last, said) || c.said != "" && said != c.said {
					t.Errorf("said %q, and %q was answered; want %q", said, last, c.said)
				}
				if c.said == "" {
					return // what the recogniser means by it is not for here
				}
				if sum.Started != c.started || (sum.Dropped == 0) != c.kept || sum.Released+sum.Dropped != sum.Started {
					t.Errorf("drafts %+v, want %d started, the first kept: %v\n%s", sum, c.started, c.kept, k.story())
				}
				if sum.Dropped > 0 && (sum.Tokens == 0 || sum.Characters == 0) {
					t.Errorf("dropped at no cost: %+v", sum)
				}
				// What answers took is the session's usage, and what was dropped is told apart from it.
				if u := eventsOf[Ended](k.conn)[0].Summary.Usage; u.OutputTokens != 2*fakeTokens {
					t.Errorf("used %+v for the greeting and an answer", u)
				}
				for _, w := range k.conn.all() {
					if w.event == nil && sum.Dropped > 0 && w.frame.Stream == 2 {
						t.Errorf("audio of a dropped draft")
						break
					}
				}
			})
		})
	}
}

// A pause that leaves time enough costs nothing: the draft begins as late as it may.
func TestShortPauseCostsNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newDrafting(t)
		k.params.Config.Level = "A1"
		k.start()
		k.greeted()
		k.say("Ayer fui al mercado.")
		k.mic(800, false)
		if n := k.calls(); n != 1 {
			t.Errorf("%d calls after a pause of 0.8 s, want the greeting's alone", n)
		}
		k.say("Compré pan.")
		k.replied(2)
		if sum := k.summary(); sum.Started != 1 || sum.Released != 1 {
			t.Errorf("drafts %+v", sum)
		}
		if said := k.asked(1); said != "Ayer fui al mercado. Compré pan." {
			t.Errorf("answered %q", said)
		}
	})
}

// How a learner's drafts fared is remembered with their other habits, and a learner who
// cannot be foreseen is left alone from the first turn on.
func TestDraftsAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newDrafting(t)
		k.params.Profile.Habits = learn.TurnHabits{Drafts: 7, Released: 1}
		k.start()
		k.greeted()
		k.say("Ayer fui al mercado.")
		k.replied(2)
		k.say("Compré pan.")
		k.replied(3)
		k.say("Y queso.") // the first try
		k.replied(4)
		if sum := k.summary(); sum.Withheld != 2 || sum.Released != 1 || sum.Started != 1 {
			t.Errorf("drafts %+v", sum)
		}
		kept := k.journal.habits
		if len(kept) != 1 || kept[0].Drafts < 7 || kept[0].Drafts > 8 || kept[0].Released < 1.8 || kept[0].Released > 2 {
			t.Errorf("remembered %+v", kept)
		}
	})
}

// A school that wants no drafts gets none.
func TestSchoolWithoutDrafts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newDrafting(t)
		k.params.Tenant.Drafts.Enabled = new(false)
		k.start()
		k.greeted()
		k.say("Ayer fui al mercado.")
		k.replied(2)
		if sum := k.summary(); sum != (DraftSummary{}) {
			t.Errorf("drafts %+v", sum)
		}
	})
}

// Where the recogniser's ends are the turn's, its eager end begins the draft at once.
func TestEagerEndBeginsTheDraft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newDrafting(t)
		k.params.Config.Audio.Input.TurnDetection.Type = TurnsEndpoint
		k.tutor.replies = []string{"Hola.", "Bien. ¿Y qué más hiciste allí?"}
		k.start()
		k.greeted()
		k.mic(600, true)
		k.hear(providers.HeardUpdate, "Ayer fui al mercado.")
		k.mic(140, false)
		k.hear(providers.HeardEagerEnd, "Ayer fui al mercado.")
		if k.calls() != 2 {
			t.Errorf("the eager end began no draft")
		}
		k.mic(200, false)
		k.hear(providers.HeardEnd, "Ayer fui al mercado.")
		if ended, spoken := k.committedAt(); ended.IsZero() || !spoken.Equal(ended) {
			t.Errorf("the answer began %v after the turn's end\n%s", spoken.Sub(ended), k.story())
		}
		k.replied(2)
		if sum := k.summary(); sum.Released != 1 || sum.Dropped != 0 {
			t.Errorf("drafts %+v", sum)
		}
	})
}

// A draft's voice is given its first clause alone; the rest follows the release, and
// the whole answer is spoken.
func TestDraftSpeaksItsFirstClauseOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newDrafting(t)
		const answer = "Qué bien suena eso. " // one clause
		whole := strings.Repeat(answer, 8)
		k.tutor.replies = []string{"Hola.", whole, whole}
		k.start()
		k.greeted()
		k.mic(600, true)
		k.hear(providers.HeardUpdate, "Ayer fui al mercado")
		k.drafted(2)
		k.mic(400, false)
		k.hear(providers.HeardUpdate, "Ayer fui al mercado con Ana")
		k.replied(2)
		sum := k.summary()
		if sum.Dropped != 1 || sum.Characters == 0 || sum.Characters > len([]rune(answer)) {
			t.Errorf("wasted %+v, want no more than %d characters", sum, len([]rune(answer)))
		}
		if got := contents(k.journal.stored()); len(got) != 3 || strings.TrimSpace(got[2]) != "assistant: "+strings.TrimSpace(whole) {
			t.Errorf("stored %q", got)
		}
	})
}
