package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"kalami/providers"
	"kalami/session/drafts"
	"kalami/session/turntaking"
)

// atDraft brings a session to a draft that has said its first clause.
func atDraft(t *testing.T) *talk {
	t.Helper()
	k := newDrafting(t)
	const slow = "Qué bien que me lo cuentes todo con calma hoy. ¿Y qué más hiciste?"
	k.tutor.replies = []string{slow, slow, slow, slow}
	k.start()
	k.greeted()
	k.mic(600, true)
	k.hear(providers.HeardUpdate, "Ayer fui al mercado")
	k.drafted(2)
	k.mic(260, false)
	return k
}

// Whatever a client may do while an answer is drafted: what becomes of the draft, and
// which words are answered in the end.
func TestControlsDuringADraft(t *testing.T) {
	const said = "Ayer fui al mercado"
	for name, c := range map[string]struct {
		play     func(k *talk)
		replies  int // with the greeting
		released int
		answered []string // the last lines of the calls after the draft's
	}{
		"nothing":           {func(*talk) {}, 2, 1, nil},
		"done":              {func(k *talk) { k.send(CommitInput{}) }, 2, 1, nil},
		"a typed message":   {func(k *talk) { k.send(CreateItem{Text: "Hola"}) }, 2, 0, []string{"Hola"}},
		"taken back":        {func(k *talk) { k.send(ClearInput{}) }, 1, 0, nil},
		"held":              {func(k *talk) { k.send(HoldTurn{MS: 5000}) }, 2, 1, []string{said}},
		"stop, but of what": {func(k *talk) { k.send(CancelResponse{}) }, 2, 1, nil},
		"another tutor":     {func(k *talk) { k.send(SetTutor{CorrectionMode: new("strict")}) }, 2, 1, []string{said}},
		"push-to-talk": {func(k *talk) {
			k.send(UpdateSession{ConfigPatch{Audio: &AudioPatch{Input: &InputPatch{TurnDetection: &TurnDetectionPatch{Off: true}}}}})
		}, 1, 0, nil},
		"asks for an answer": {func(k *talk) { k.send(CreateResponse{}) }, 2, 1, nil}, // and then what was said is answered
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := atDraft(t)
				c.play(k)
				k.mic(15_000, false)
				if n := len(eventsOf[ResponseDone](k.conn)); n < c.replies {
					t.Fatalf("%d replies, want %d\n%s", n, c.replies, k.story())
				}
				for i, want := range c.answered {
					if got := k.asked(2 + i); got != want {
						t.Errorf("call %d answers %q, want %q", 2+i, got, want)
					}
				}
				sum := k.summary()
				if sum.Released != c.released || sum.Started != sum.Released+sum.Dropped {
					t.Errorf("drafts %+v, want %d released\n%s", sum, c.released, k.story())
				}
			})
		})
	}
}

// A draft that was dropped because the learner went on is remembered as one that they did
// not need; one that was dropped for another reason says nothing of them.
func TestWhatIsHeldAgainstALearner(t *testing.T) {
	for name, c := range map[string]struct {
		play func(k *talk)
		held bool
	}{
		"goes on":       {func(k *talk) { k.hear(providers.HeardUpdate, "Ayer fui al mercado con Ana") }, true},
		"asks for time": {func(k *talk) { k.send(HoldTurn{MS: 5000}) }, true},
		"takes it back": {func(k *talk) { k.send(ClearInput{}); k.mic(600, false) }, false},
		"types":         {func(k *talk) { k.send(CreateItem{Text: "Hola"}) }, false},
		"leaves":        {func(*talk) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := atDraft(t)
				c.play(k)
				synctest.Wait()
				if sum := k.summary(); sum.Started != 1 || sum.Dropped != 1 {
					t.Fatalf("drafts %+v\n%s", sum, k.story())
				}
				held := 0.0
				for _, h := range k.journal.habits {
					held = h.Drafts
				}
				if (held > 0) != c.held {
					t.Errorf("%v drafts are remembered", held)
				}
			})
		})
	}
}

// A draft that fails is forgotten in silence, and its turn is answered anew; only what
// fails then is told.
func TestFailingDraftIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newDrafting(t)
		k.start()
		k.greeted()
		k.tutor.mu.Lock()
		k.tutor.fail = &providers.Error{Kind: providers.Overloaded}
		k.tutor.mu.Unlock()
		k.mic(600, true)
		k.hear(providers.HeardUpdate, "Ayer fui al mercado")
		k.drafted(2)
		k.tutor.mu.Lock()
		k.tutor.fail = nil
		k.tutor.mu.Unlock()
		k.replied(2)
		if f := eventsOf[Failure](k.conn); len(f) != 0 {
			t.Errorf("the learner was told %+v", f)
		}
		if sum := k.summary(); sum.Started != 1 || sum.Dropped != 1 || k.calls() != 3 {
			t.Errorf("drafts %+v, %d calls", sum, k.calls())
		}
	})
}

// The session ends at any moment of a draft's life: its goroutines are joined (the bubble
// would not end otherwise), what was said is stored, and nothing of the draft.
func TestSessionEndsAtAnyMomentOfADraft(t *testing.T) {
	for _, at := range []time.Duration{0, 1, 10, 20, 21, 40, 100, 200, 219, 220, 221, 240, 300, 400, 600} {
		for name, end := range map[string]func(k *talk){
			"over":      func(k *talk) { k.conn.inputs <- Input{Control: EndSession{}} },
			"gone":      func(k *talk) { k.conn.Abort() },
			"restart":   func(k *talk) { k.cancel(&End{Reason: EndRestart}) },
			"goes on":   func(k *talk) { k.hear(providers.HeardUpdate, "Ayer fui al mercado con Ana"); k.conn.Abort() },
			"cancelled": func(k *talk) { k.cancel(errBroken) },
		} {
			t.Run(fmt.Sprint(name, " after ", int(at), " ms"), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					k := newDrafting(t)
					k.tutor.replies = []string{"Hola, bienvenido a esta clase de hoy otra vez.", "Qué bien que me lo cuentes todo con calma hoy. Y más."}
					k.params.Config.Audio.Input.TurnDetection.PatienceMS = 1500
					k.start()
					k.greeted()
					k.mic(600, true)
					k.hear(providers.HeardUpdate, "Ayer fui al mercado")
					k.drafted(2)
					time.Sleep(at * time.Millisecond)
					committed := len(eventsOf[Committed](k.conn)) > 0
					end(k)
					<-k.result
					for i, m := range k.journal.stored() {
						if i > 1 && !committed || i == 1 && !strings.HasPrefix(m.Content, "Ayer fui al mercado") {
							t.Errorf("stored %q", contents(k.journal.stored()))
						}
					}
				})
			})
		}
	}
}

// An exhausted budget withholds drafts, and the turns are answered as without. The
// node's is shared by its sessions.
func TestBudgetIsSharedByTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := drafts.New(drafts.Options{Node: drafts.Waste{Calls: 1}})
		meter := &countingMeter{}
		var sums []DraftSummary
		for range 2 {
			k := newTalk(t)
			k.host.Drafts, k.host.Meter = node, meter
			k.start()
			k.greeted()
			k.mic(600, true)
			k.hear(providers.HeardUpdate, "Ayer fui al mercado")
			if len(sums) == 0 {
				k.drafted(2)
				k.hear(providers.HeardUpdate, "Ayer fui al mercado con Ana")
			}
			k.replied(2)
			sums = append(sums, k.summary())
		}
		if a, b := sums[0], sums[1]; a.Started != 1 || a.Dropped != 1 || a.Withheld != 1 || b.Started != 0 || b.Withheld != 1 {
			t.Errorf("drafts %+v", sums)
		}
		if meter.counted(DraftsWithheld) != 2 || meter.counted(DraftsStarted) != 1 || meter.counted(DraftsDropped) != 1 {
			t.Errorf("the node counted otherwise")
		}
	})
}

// A draft is not held for longer than a vendor's stream may stand still, and one in
// doubt not for long.
func TestDraftHasAnEnd(t *testing.T) {
	began := time.Unix(1_700_000_000, 0)
	for name, c := range map[string]struct {
		doubted, want time.Duration
	}{
		"trusted":               {0, draftLife},
		"in doubt":              {time.Second, time.Second + draftDoubt},
		"in doubt near the end": {draftLife - time.Millisecond, draftLife},
	} {
		d := draft{reply: &reply{timings: replyTimes{asked: began}}}
		if c.doubted > 0 {
			d.doubted = began.Add(c.doubted)
		}
		if got := d.endsBy().Sub(began); got != c.want {
			t.Errorf("%s: held for %v, want %v", name, got, c.want)
		}
	}
}

// Learners do what they like and recognisers understand what they like: each committed
// turn is answered once, and the words answered are the words committed.
func TestEveryTurnIsAnsweredOnce(t *testing.T) {
	words := []string{"Ayer", "fui", "al", "mercado", "con", "Ana", "y", "vi", "pan"}
	draw := func(rt *rapid.T) (steps []func(k *talk)) {
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			text := strings.Join(words[:rapid.IntRange(1, len(words)).Draw(rt, "words")], " ")
			kind := rapid.SampledFrom([]providers.HeardKind{providers.HeardStart, providers.HeardUpdate, providers.HeardUpdate,
				providers.HeardEagerEnd, providers.HeardResumed, providers.HeardEnd}).Draw(rt, "kind")
			ms := 20 * rapid.IntRange(1, 60).Draw(rt, "wait")
			loud := rapid.Bool().Draw(rt, "loud")
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				steps = append(steps, func(k *talk) { k.send(CommitInput{}) })
			case 1:
				steps = append(steps, func(k *talk) { k.send(HoldTurn{MS: ms}) })
			case 2, 3, 4:
				steps = append(steps, func(k *talk) { k.mic(ms, loud) })
			default:
				steps = append(steps, func(k *talk) { k.hear(kind, text); k.mic(ms, false) })
			}
		}
		return steps
	}
	rapid.Check(t, func(rt *rapid.T) {
		steps := draw(rt)
		synctest.Test(t, func(t *testing.T) {
			k := newDrafting(t)
			k.start()
			k.greeted()
			for _, step := range steps {
				step(k)
			}
			k.mic(25_000, false)
			sum := k.summary()
			var asked []string
			for i := range k.calls() {
				if lines := k.tutor.prompt(i).Lines; len(lines) > 0 && lines[len(lines)-1].Role == providers.RoleLearner {
					asked = append(asked, lines[len(lines)-1].Text)
				}
			}
			turns := eventsOf[TranscriptCompleted](k.conn)
			if created := len(eventsOf[ResponseCreated](k.conn)); created != len(turns)+1 {
				rt.Errorf("%d turns and %d replies with the greeting\n%s", len(turns), created, k.story())
			}
			if len(asked) != len(turns)+sum.Dropped || sum.Started != sum.Released+sum.Dropped {
				rt.Errorf("%d calls for %d turns, drafts %+v", len(asked), len(turns), sum)
			}
			for _, turn := range turns {
				i := slices.IndexFunc(asked, func(a string) bool { return turntaking.SameMeaning(a, turn.Transcript) })
				if i < 0 {
					rt.Errorf("%q was not answered, but %q\n%s", turn.Transcript, asked, k.story())
					return
				}
				asked = asked[i+1:]
			}
		})
	})
}
