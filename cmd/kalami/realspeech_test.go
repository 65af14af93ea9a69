package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kalami/deploy/bench/trial"
	"kalami/providers/simulate"
)

// speechFolder holds the shared recordings of learners.
var speechFolder = filepath.Join("..", "..", "deploy", "bench", "speech")

// enginesAtOnce is how many learners the engines hear at the same time: more would
// keep two cores busy with recognition alone.
const enginesAtOnce = 4

// realEngines returns the address of a server that recognises and speaks with real
// engines behind the vendors' protocols, or skips the test.
func realEngines(t *testing.T) string {
	t.Helper()
	if url := os.Getenv("REALSPEECH_URL"); url != "" {
		return strings.TrimSuffix(url, "/")
	}
	const missing = "REALSPEECH_URL is not set: it is the address of a server with real speech engines behind Deepgram's and ElevenLabs' protocols"
	if os.Getenv("CI") == "true" && !slices.Contains(strings.Fields(os.Getenv("KALAMI_TEST_WITHOUT")), "realspeech") {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// openRealHouse starts an app whose ears and voice are real engines'; its language
// model is the simulator's.
func openRealHouse(t *testing.T, engines string) *house {
	t.Helper()
	return openHouse(t, backends()[0], simulate.BenchLatency(),
		"DEEPGRAM_BASE_URL="+engines, "ELEVENLABS_BASE_URL="+engines, "KALAMI_STT_LANGUAGES=en=nova,es=nova,fr=nova,de=nova",
		// The engines load a language's model with each stream, which Deepgram does not.
		"KALAMI_DEEPGRAM_DIAL_TIMEOUT=10s",
		"KALAMI_RATE_LIMITS=false") // all learners come from here
}

// Real recordings are heard by a real recogniser through the whole server, and a real
// voice answers:
//
//   - English is understood with at most 15 % of a turn's words wrong, three turns of
//     one conversation, noise and a second utterance in the tutor's answer included;
//   - whoever hesitates for 1.2 s within a sentence, as learners at A2 and B1 do, has
//     said one turn, in three languages (at B2 the tutor's patience is no longer than
//     that pause);
//   - noise is no turn;
//   - the tutor's English answers, recognised again, have the words of their captions.
//
// The test is not parallel: the engines need the time of their machine to keep up with
// the learners.
func TestRealSpeech(t *testing.T) {
	engines := realEngines(t)
	h := openRealHouse(t, engines)
	fixtures, err := trial.Fixtures(speechFolder)
	if err != nil {
		t.Fatal(err)
	}
	plan := trial.Plan(fixtures, "B2", "A2", "B1")
	if err := trial.HoldAll(t.Context(), h.url(), plan, enginesAtOnce, nil); err != nil {
		t.Fatal(err)
	}
	for _, held := range plan {
		t.Run(held.Name+" at "+held.Level, func(t *testing.T) {
			if problems := held.Judge(); len(problems) > 0 {
				t.Logf("once more, because of %q; turns ended %v ms after their last word", problems, endpoints(held))
			}
			if err := held.Retry(t.Context(), h.url()); err != nil {
				t.Fatal(err)
			}
			for _, problem := range held.Judge() {
				t.Error(problem)
			}
			t.Logf("heard %q; warnings %q", held.Result.Turns, held.Result.Warnings)
		})
	}
	t.Run("the tutor's voice", func(t *testing.T) { checkTutorsVoice(t, engines, plan) })
}

// endpoints are how long after their last words a trial's turns were over, in
// milliseconds: far more than patience when the engines could not keep up.
func endpoints(held *trial.Trial) (all []int) {
	for _, r := range held.Result.Replies {
		if r.Turn > 0 {
			all = append(all, r.Latency.EndpointMS)
		}
	}
	return all
}

// checkTutorsVoice recognises the tutor's English answers again. The engine
// misunderstands its own voice in some sentences; those may be no worse for having
// gone through us, and do not count as understood.
func checkTutorsVoice(t *testing.T, engines string, held []*trial.Trial) {
	engine, err := trial.NewEngine(engines)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	echoes, err := engine.EchoAll(t.Context(), "en", held)
	if err != nil {
		t.Fatal(err)
	}
	understood := 0 // words
	for _, e := range echoes {
		t.Logf("%d of %d words wrong, %d from the engine alone: %q was heard as %q", e.Tutor.Errors, e.Tutor.Words, e.Alone.Errors, e.Caption, e.Heard)
		if e.Lost() {
			t.Errorf("words of %q were lost: %q was heard", e.Caption, e.Heard)
		}
		if e.Right() {
			understood += e.Tutor.Words
		}
	}
	// The greeting and the answer to en-03 alone have 38.
	if understood < 30 {
		t.Errorf("only %d words of the tutor's were understood", understood)
	}
}

// A trial says what a conversation was like; held with the simulated vendors, whose
// ears are never wrong.
func TestTrial(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{})
	fixtures, err := trial.Fixtures(speechFolder)
	if err != nil {
		t.Fatal(err)
	}
	clean := slices.IndexFunc(fixtures, func(f trial.Fixture) bool { return f.Name == "en-01-clean" })
	misheard := fixtures[clean]
	misheard.Spoken = []string{"I would rather have a room for the night, if you please."}
	plan := trial.Plan([]trial.Fixture{fixtures[clean], misheard}, "B2")
	if err := trial.HoldAll(t.Context(), h.url(), plan, len(plan), nil); err != nil {
		t.Fatal(err)
	}
	if problems := plan[0].Judge(); len(problems) > 0 {
		t.Errorf("a good conversation was judged %q", problems)
	}
	if err := plan[0].Retry(t.Context(), h.url()); err != nil || plan[0].Held != 1 {
		t.Errorf("a good conversation was held %d times, %v", plan[0].Held, err)
	}
	if problems := plan[1].Judge(); len(problems) != 1 || !strings.Contains(problems[0], "words are wrong") {
		t.Errorf("a learner who was misheard was judged %q", problems)
	}
	script := simulate.Scripts()["en"]
	replies := plan[0].Result.Replies
	if len(replies) != 2 || replies[0].Caption != script.Opener || replies[1].Caption != script.Turns[0].Tutor || replies[1].Turn != 1 {
		t.Errorf("the tutor said %+v", replies)
	}
}
