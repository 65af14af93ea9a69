package session

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"kalami/providers"
	"kalami/session/drafts"
)

// hears passes an event of the recogniser's on as it stands.
func (k *talk) heard(ev providers.Heard) {
	k.hears.last().events <- ev
	synctest.Wait()
}

// play acts a script of recogniser's events out: "2u text" is an update of segment 2, "2e
// text" its end, "2s" its start, "2g text" an eager end, "2r" a resumption; "|" waits for
// the turn to end. There is a little voice before every event.
func (k *talk) play(script ...string) {
	kinds := map[byte]providers.HeardKind{'s': providers.HeardStart, 'u': providers.HeardUpdate, 'g': providers.HeardEagerEnd,
		'r': providers.HeardResumed, 'e': providers.HeardEnd}
	for _, line := range script {
		if line == "|" {
			k.answeredTurn()
			continue
		}
		k.mic(200, true)
		head, text, _ := strings.Cut(line, " ")
		n := len(head) - 1
		var segment int
		fmt.Sscan(head[:n], &segment)
		k.heard(providers.Heard{Kind: kinds[head[n]], Segment: segment, Text: text, EndMS: k.sentMS})
	}
}

// answeredTurn runs until a turn has ended, was answered, and the answer was heard.
func (k *talk) answeredTurn() {
	k.t.Helper()
	n := len(eventsOf[Committed](k.conn)) + 1
	k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) == n })
	k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == n+1 })
}

// Whatever a recogniser does with its segments, no word is lost and none is taken twice,
// and its faults are counted.
func TestRecogniserOutOfOrder(t *testing.T) {
	for name, c := range map[string]struct {
		script []string
		want   string // the turns
		faults int
	}{
		"as it should be":                   {[]string{"0s", "0u ayer", "0g ayer fui", "0r", "0e ayer fui al río", "1u con", "1e con Ana", "|"}, "ayer fui al río con Ana", 0},
		"an end that never began":           {[]string{"0e ayer fui", "1e con Ana", "|"}, "ayer fui con Ana", 0},
		"never final":                       {[]string{"0u ayer", "0u ayer fui", "|"}, "ayer fui", 1},
		"never final, and it goes on":       {[]string{"0u ayer fui", "|", "0u ayer fui con Ana", "|"}, "ayer fui|con Ana", 2},
		"final after the answer":            {[]string{"0u ayer fui", "|", "0e ayer fui", "1e hoy no", "|"}, "ayer fui|hoy no", 1},
		"final twice":                       {[]string{"0e ayer fui", "0e ayer fui", "|"}, "ayer fui", 1},
		"final twice, around an answer":     {[]string{"0e ayer fui", "|", "0e ayer fui", "1e hoy no", "|"}, "ayer fui|hoy no", 1},
		"final thrice, with a word more":    {[]string{"0e ayer", "0e ayer fui", "0e ayer fui", "|"}, "ayer fui", 2},
		"a word more after the answer":      {[]string{"0e ayer", "|", "0e ayer fui", "|"}, "ayer|fui", 1},
		"a final repeated after two more":   {[]string{"0e ayer fui", "1e al río", "2e con Ana", "0e ayer fui", "|"}, "ayer fui al río con Ana", 1},
		"an older final after a newer one":  {[]string{"1e al río", "0e ayer fui", "|"}, "ayer fui al río", 2},
		"three finals backwards":            {[]string{"2e con Ana", "1e al río", "0e ayer fui", "|"}, "ayer fui al río con Ana", 3},
		"an older final during an update":   {[]string{"0u ayer", "1u al", "0e ayer fui", "1e al río", "|"}, "ayer fui al río", 2},
		"an end that is left out":           {[]string{"0u ayer fui", "1e al río", "|"}, "ayer fui al río", 1},
		"an end left out, come after all":   {[]string{"0u ayer", "|", "1e al río", "0e ayer fui", "|"}, "ayer|fui al río", 3},
		"numbers that jump":                 {[]string{"0e ayer fui", "7e al río", "90e con Ana", "|"}, "ayer fui al río con Ana", 2},
		"an update of what is over":         {[]string{"0e ayer fui", "0u ayer", "0s", "0g ayer fui no", "|"}, "ayer fui", 3},
		"an update of an older segment":     {[]string{"0e ayer fui", "1e al río", "0u otra cosa", "|"}, "ayer fui al río", 1},
		"a partial that is rewritten":       {[]string{"0u hay er", "0u ayer fue", "0e ayer fui", "|"}, "ayer fui", 0},
		"rewritten after the answer":        {[]string{"0u hay er fui", "|", "0e ayer yo fui al río", "|"}, "hay er fui|al río", 1},
		"an end of nothing, twice":          {[]string{"0e ayer fui", "1e ", "1e ", "|"}, "ayer fui", 1},
		"an end of words after one without": {[]string{"0e ", "0e ayer fui", "|"}, "ayer fui", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, m := newTalk(t), &tally{}
				k.host.Meter = m
				k.start()
				k.greeted()
				k.play(c.script...)
				k.mic(5000, false)
				k.finish()
				k.answered()
				if got := strings.Join(k.transcripts(), "|"); got != c.want {
					t.Errorf("turns %q, want %q\n%s", got, c.want, k.story())
				}
				if n := m.of(RecogniserFaults); n != c.faults {
					t.Errorf("%d faults were counted, want %d", n, c.faults)
				}
			})
		})
	}
}

// Repetitions of a segment that is long over are not taken for new words.
func TestRecogniserRepeatsOldSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		for i := range pastMost + 5 {
			k.play(fmt.Sprintf("%de palabra%d", i, i), "|")
		}
		n := len(k.transcripts())
		for i := range pastMost + 5 {
			k.play(fmt.Sprintf("%de palabra%d", i, i))
		}
		k.mic(5000, false)
		k.finish()
		if got := len(k.transcripts()); got != n {
			t.Errorf("%d turns, want %d", got, n)
		}
	})
}

// The recogniser keeps its stream open and says nothing, while the learner talks: the
// learner is told, once, the stream is replaced, ever more rarely when it does not help,
// and what was understood before is kept.
func TestRecogniserStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := newTalk(t), &tally{}
		k.host.Meter = m
		k.host.TurnLimit = 10 * time.Minute
		k.start()
		k.greeted()
		k.send(HoldTurn{MS: 60_000}) // so that the turn is not over before
		k.mic(600, true)
		k.hear(providers.HeardUpdate, "Ayer fui")
		talk := func(seconds int) {
			for range seconds {
				k.mic(900, true)
				k.mic(100, false)
			}
		}
		talk(5)
		if n := k.hears.opened; n != 1 {
			t.Errorf("%d streams after 5 s of silence", n)
		}
		talk(3)
		if n := k.hears.opened; n != 2 || !k.hears.streams[0].closed {
			t.Errorf("%d streams after 8 s of silence", n)
		}
		talk(20)
		if n := k.hears.opened; n != 3 {
			t.Errorf("%d streams after 28 s of silence", n)
		}
		k.said = 0
		k.hear(providers.HeardEnd, "al mercado.")
		k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) == 1 })
		k.finish()
		if got := strings.Join(k.transcripts(), "|"); got != "Ayer fui al mercado." {
			t.Errorf("turns %q", got)
		}
		w := eventsOf[Warning](k.conn)
		if len(w) != 2 || w[0].Code != WarnUpstreamDegraded || w[1].Code != WarnUpstreamDegraded || w[0].Message == w[1].Message {
			t.Errorf("the client was told %+v, want that it is not heard, and that it is again", w)
		}
		if n := m.of(RecogniserFaults); n < 2 {
			t.Errorf("%d faults were counted", n)
		}
		if f := eventsOf[Failure](k.conn); len(f) != 0 {
			t.Errorf("failures %+v", f)
		}
	})
}

// More text than anybody says in a turn: what is answered, remembered and told to the
// client stays bounded.
func TestRecogniserFloods(t *testing.T) {
	for name, text := range map[string]string{
		"10,000 words":                  numbered(0, 10_000),
		"10,000 characters in one word": strings.Repeat("a", 10_000),
		"10,000 without spaces":         strings.Repeat("水", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, m := newTalk(t), &tally{}
				k.host.Meter = m
				k.start()
				k.greeted()
				k.mic(600, true)
				var words []providers.Word
				for w := range strings.FieldsSeq(text) {
					words = append(words, providers.Word{Text: w, StartMS: 1, EndMS: 2})
				}
				k.heard(providers.Heard{Kind: providers.HeardUpdate, Text: text, Words: words})
				k.heard(providers.Heard{Kind: providers.HeardEnd, Text: text, Words: words})
				k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
				k.finish()
				if m.of(RecogniserFaults) == 0 {
					t.Error("not counted")
				}
				for _, line := range k.tutor.prompt(1).Lines {
					if n := utf8.RuneCountInString(line.Text); n > hypothesisMost {
						t.Errorf("the tutor reads %d characters", n)
					}
				}
				told := eventsOf[TranscriptCompleted](k.conn)
				if len(told) != 1 {
					t.Fatalf("%d turns", len(told))
				}
				if n := utf8.RuneCountInString(told[0].Transcript); n < hypothesisMost/2 || n > hypothesisMost || !strings.HasPrefix(text, told[0].Transcript) {
					t.Errorf("%d characters were understood", n)
				}
				if b, err := json.Marshal(told[0]); err != nil || len(b) > 64<<10 {
					t.Errorf("an event of %d bytes, %v", len(b), err)
				}
			})
		})
	}
}

// Times that run backwards or ahead, words without letters, and numbers that are none.
func TestRecogniserTellsNonsense(t *testing.T) {
	for name, c := range map[string]struct {
		words []providers.Word
		want  string // "word start-end" of each
		bent  bool
	}{
		"as it should be":       {[]providers.Word{{Text: "a", StartMS: 100, EndMS: 200}, {Text: "b", StartMS: 200, EndMS: 300}}, "a 100-200 b 200-300", false},
		"without times":         {[]providers.Word{{Text: "a"}, {Text: "b"}}, "a 0-0 b 0-0", false},
		"overlapping":           {[]providers.Word{{Text: "a", StartMS: 100, EndMS: 250}, {Text: "b", StartMS: 200, EndMS: 300}}, "a 100-250 b 200-300", false},
		"backwards":             {[]providers.Word{{Text: "a", StartMS: 500, EndMS: 600}, {Text: "b", StartMS: 100, EndMS: 200}}, "a 500-600 b 500-500", true},
		"ends before it begins": {[]providers.Word{{Text: "a", StartMS: 500, EndMS: 300}}, "a 500-500", true},
		"negative":              {[]providers.Word{{Text: "a", StartMS: -500, EndMS: -300}, {Text: "b", StartMS: math.MinInt, EndMS: 900}}, "a 0-0 b 0-900", true},
		"ahead":                 {[]providers.Word{{Text: "a", StartMS: math.MaxInt, EndMS: math.MaxInt}, {Text: "b", StartMS: 100, EndMS: 1200}}, "a 1000-1000 b 1000-1000", true},
		"empty words":           {[]providers.Word{{Text: ""}, {Text: "a", StartMS: 100, EndMS: 200}, {Text: " \n"}}, "a 100-200", true},
	} {
		t.Run(name, func(t *testing.T) {
			ev, bent := sane(providers.Heard{Kind: providers.HeardEnd, Text: "a b", Words: c.words, StartMS: 100, EndMS: 300}, 1000)
			var got []string
			for _, w := range ev.Words {
				got = append(got, fmt.Sprintf("%s %d-%d", w.Text, w.StartMS, w.EndMS))
			}
			if g := strings.Join(got, " "); g != c.want || bent != c.bent {
				t.Errorf("%q, bent %v; want %q, %v", g, bent, c.want, c.bent)
			}
		})
	}
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 2} {
		ev, _ := sane(providers.Heard{Confidence: x, Words: []providers.Word{{Text: "a", Confidence: x}}}, 1000)
		if _, err := json.Marshal(heardWords(ev.Words)); err != nil || ev.Confidence < 0 || ev.Confidence > 1 {
			t.Errorf("a confidence of %v becomes %v, %v", x, ev.Confidence, err)
		}
	}
}

// A session with such a recogniser tells, stores and answers as ever.
func TestNonsenseMakesATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := newTalk(t), &tally{}
		k.host.Meter = m
		k.start()
		k.greeted()
		k.mic(600, true)
		k.heard(providers.Heard{Kind: providers.HeardEnd, Text: "Ayer fui", StartMS: -7, EndMS: math.MaxInt, Confidence: math.NaN(),
			Words: []providers.Word{{Text: "Ayer", StartMS: 900, EndMS: -1, Confidence: math.Inf(1)}, {}, {Text: "fui", StartMS: math.MinInt, EndMS: math.MaxInt}}})
		k.answeredTurn()
		k.finish()
		said := k.journal.stored()[1]
		if said.Content != "Ayer fui" || len(said.Words) != 2 {
			t.Fatalf("stored %+v", said)
		}
		for i, w := range said.Words {
			if w.StartMS < 0 || w.EndMS < w.StartMS || w.EndMS > 10_000 || w.Confidence < 0 || w.Confidence > 1 {
				t.Errorf("word %d is %+v", i, w)
			}
		}
		if m.of(RecogniserFaults) != 1 {
			t.Errorf("counted %d", m.of(RecogniserFaults))
		}
	})
}

// bedlam is what a recogniser out of its mind does with a talk of some segments.
type bedlam struct {
	events   []providers.Heard
	pauses   []int     // milliseconds of quiet after each event
	controls []Control // and what the learner's hand does then, or nil
	drafts   bool      // answers are drafted before the turn is over
}

// drawBedlam makes one: each segment has words that no other has; its end comes once or
// more, and updates with a beginning of it anywhere; neighbours change places.
func drawBedlam(t *rapid.T) bedlam {
	b := bedlam{drafts: rapid.Bool().Draw(t, "drafts")}
	segments := rapid.IntRange(1, 6).Draw(t, "segments")
	for s := range segments {
		n := rapid.IntRange(1, 5).Draw(t, "words")
		words := strings.Fields(numbered(s*100, n))
		event := func(kind providers.HeardKind, n int) {
			b.events = append(b.events, providers.Heard{Kind: kind, Segment: s, Text: strings.Join(words[:n], " "),
				StartMS: rapid.IntRange(-100, 100_000).Draw(t, "start"), EndMS: rapid.IntRange(-100, 100_000).Draw(t, "end")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "updates") {
			event(rapid.SampledFrom([]providers.HeardKind{providers.HeardStart, providers.HeardUpdate, providers.HeardEagerEnd,
				providers.HeardResumed}).Draw(t, "kind"), rapid.IntRange(0, n).Draw(t, "of it"))
		}
		for range rapid.IntRange(1, 3).Draw(t, "ends") {
			event(providers.HeardEnd, n)
		}
	}
	for range rapid.IntRange(0, 6).Draw(t, "swaps") {
		if n := len(b.events); n > 1 {
			i := rapid.IntRange(0, n-2).Draw(t, "at")
			b.events[i], b.events[i+1] = b.events[i+1], b.events[i]
		}
	}
	for range b.events {
		b.pauses = append(b.pauses, rapid.SampledFrom([]int{0, 20, 400, 1600, 4000}).Draw(t, "pause"))
		b.controls = append(b.controls, rapid.SampledFrom([]Control{nil, nil, nil, nil, CommitInput{}, HoldTurn{MS: 3000}, CancelResponse{}}).Draw(t, "control"))
	}
	return b
}

// Whatever order a recogniser's events come in, and whatever the learner's hand does: every word that it ever made final is in
// one turn, once; every turn is answered once; and the session ends in order.
func TestBedlam(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := drawBedlam(rt)
		var story string
		var said []string
		var end *End
		turns, answers := 0, 0
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t)
			if b.drafts {
				k.host.Drafts = drafts.New(drafts.Options{})
			}
			k.host.Nudges = true
			k.start()
			k.greeted()
			for i, ev := range b.events {
				k.mic(100, true)
				k.heard(ev)
				k.mic(b.pauses[i], false)
				if ctl := b.controls[i]; ctl != nil {
					k.send(ctl)
				}
			}
			k.mic(8000, false)
			end = k.finish()
			k.answered()
			said = strings.Fields(strings.Join(k.transcripts(), " "))
			turns, answers = len(eventsOf[Committed](k.conn)), len(eventsOf[ResponseCreated](k.conn))-1
			story = k.story()
		})
		want := map[string]bool{}
		for _, ev := range b.events {
			if ev.Kind == providers.HeardEnd {
				for w := range strings.FieldsSeq(ev.Text) {
					want[w] = true
				}
			}
		}
		slices.Sort(said)
		if twice := len(said) - len(slices.Compact(slices.Clone(said))); twice != 0 {
			rt.Fatalf("%d words are there twice: %q\n%s", twice, said, story)
		}
		for w := range want {
			if !slices.Contains(said, w) {
				rt.Fatalf("%q is lost\n%s", w, story)
			}
		}
		if len(said) != len(want) || turns != answers || end.Reason != EndNormal {
			rt.Fatalf("%d words of %d, %d turns, %d answers, ended as %v\n%s", len(said), len(want), turns, answers, end, story)
		}
	})
}
