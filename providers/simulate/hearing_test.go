package simulate

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// wavFile reads one of the fixtures.
func wavFile(t testing.TB, name string) []int16 {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".wav")
	if err != nil {
		t.Fatal(err)
	}
	w, err := parseWAV(b)
	if err != nil {
		t.Fatal(err)
	}
	return w.pcm
}

// tone is ms of a voice's stand-in: a buzz of 150 Hz with its harmonics.
func tone(rate, ms int) []int16 {
	pcm := make([]int16, rate*ms/1000)
	for i := range pcm {
		x := 0.0
		for k := 1; k <= 10; k++ {
			x += math.Sin(2*math.Pi*150*float64(k)*float64(i)/float64(rate)) / float64(k)
		}
		pcm[i] = int16(4000 * x)
	}
	return pcm
}

func silence(rate, ms int) []int16 { return make([]int16, rate*ms/1000) }

// hiss is white noise of an amplitude.
func hiss(rate, ms int, amplitude float64) []int16 {
	rng := rand.New(rand.NewPCG(1, 2))
	pcm := make([]int16, rate*ms/1000)
	for i := range pcm {
		pcm[i] = int16((2*rng.Float64() - 1) * amplitude * 32767)
	}
	return pcm
}

// stretches returns where voice begins and ends, in milliseconds.
func stretches(rate int, pcm []int16) [][2]int {
	var out [][2]int
	h := newHearing(rate, Scripts()["en"])
	before := false
	h.feed(pcm, func() {
		if h.onset {
			out = append(out, [2]int{h.onsetMS, 0})
		}
		if before && !h.voice {
			out[len(out)-1][1] = h.voicedEndMS()
		}
		before = h.voice
	})
	return out
}

func TestEnergyFindsTheVoice(t *testing.T) {
	for _, rate := range []int{8000, 16000, 24000, 44100, 48000} {
		got := stretches(rate, slices.Concat(silence(rate, 500), tone(rate, 1000), silence(rate, 700), tone(rate, 400), silence(rate, 500)))
		want := [][2]int{{500, 1500}, {2200, 2600}}
		if len(got) != len(want) {
			t.Errorf("%d Hz: stretches %v, want about %v", rate, got, want)
			continue
		}
		for i := range want {
			if math.Abs(float64(got[i][0]-want[i][0])) > 2*frameMS || math.Abs(float64(got[i][1]-want[i][1])) > 2*frameMS {
				t.Errorf("%d Hz: stretch %v, want %v within two frames", rate, got[i], want[i])
			}
		}
	}
}

func TestEnergyIsNotFooledByNoise(t *testing.T) {
	const rate = 16000
	brown := wavFile(t, "xx-01-noise-only")
	click := silence(rate, 1000)
	for i := range 200 {
		click[8000+i] = 20000
	}
	for name, pcm := range map[string][]int16{
		"silence":                 silence(rate, 2000),
		"brown noise":             brown,
		"brown noise after calm":  slices.Concat(silence(rate, 3000), brown),
		"brown noise, off and on": slices.Concat(brown, silence(rate, 1000), brown),
		"a room's hiss":           hiss(rate, 3000, 0.008),
		"a loud room from start":  hiss(rate, 8000, 0.03),
		"a click":                 click,
		"a hum of the mains":      hum50(rate, 3000),
	} {
		if got := stretches(rate, pcm); len(got) > 0 {
			t.Errorf("%s: voice at %v", name, got)
		}
	}
	// Noise that comes up suddenly may count as voice, but not for ever.
	if got := stretches(rate, slices.Concat(silence(rate, 2000), hiss(rate, 20000, 0.1))); len(got) > 1 || len(got) == 1 && got[0][1] > 2000+floorBlocks*floorFrames*frameMS {
		t.Errorf("a fan that was switched on: voice at %v", got)
	}
}

// hum50 is a 50 Hz hum, louder than many voices.
func hum50(rate, ms int) []int16 {
	pcm := make([]int16, rate*ms/1000)
	for i := range pcm {
		pcm[i] = int16(4000 * math.Sin(2*math.Pi*50*float64(i)/float64(rate)))
	}
	return pcm
}

func TestEnergyHearsThroughNoise(t *testing.T) {
	clean, noisy := stretches(16000, wavFile(t, "en-01-clean")), stretches(16000, wavFile(t, "en-05-noisy"))
	if len(clean) == 0 || len(clean) != len(noisy) {
		t.Fatalf("clean %v, noisy %v", clean, noisy)
	}
	for i := range clean {
		if math.Abs(float64(clean[i][0]-noisy[i][0])) > 100 || math.Abs(float64(clean[i][1]-noisy[i][1])) > 100 {
			t.Errorf("clean %v, noisy %v", clean[i], noisy[i])
		}
	}
}

// hear returns what a script's lines give for audio: words, with a bar where a
// pause of half a second lies between them.
func hear(h *hearing, pcm []int16) string {
	var b strings.Builder
	h.feed(pcm, func() {
		for _, w := range h.take() {
			b.WriteString(w.text + " ")
		}
		if !h.voice && h.quietMS == 500 {
			b.WriteString("| ")
		}
	})
	return strings.Trim(b.String(), "| ")
}

var lines = Script{Language: "en", Turns: []Turn{{Learner: "one two three four"}, {Learner: "five six !"}}}

func TestHearingFollowsTheScript(t *testing.T) {
	const rate = 16000
	voice := func(ms int) []int16 { return tone(rate, ms) }
	quiet := func(ms int) []int16 { return silence(rate, ms) }
	const line = (4 + 4 + 6 + 5) * charMS // how long the first takes
	for _, test := range []struct {
		name  string
		audio [][]int16
		want  string
	}{
		{"a line and a pause", [][]int16{quiet(300), voice(line + 100), quiet(600)}, "one two three four"},
		{"more voice than words adds nothing", [][]int16{voice(3 * line), quiet(600)}, "one two three four"},
		{"the next voice speaks the next line", [][]int16{voice(line), quiet(600), voice(line), quiet(600)}, "one two three four | five six !"},
		{"after the last line comes the first", [][]int16{voice(line), quiet(600), voice(line), quiet(600), voice(line)}, "one two three four | five six ! | one two three four"},
		{"a broken line goes on", [][]int16{voice(400), quiet(1200), voice(line), quiet(600)}, "one two | three four"},
		{"a line broken for long is given up", [][]int16{voice(400), quiet(3000), voice(line), quiet(600)}, "one two | five six !"},
		{"a short gap is inside the line", [][]int16{voice(line), quiet(200), voice(line), quiet(600)}, "one two three four"},
		{"too short for a word", [][]int16{voice(60), quiet(600), voice(line), quiet(600)}, "one two three four"},
	} {
		h := newHearing(rate, lines)
		if got := strings.Join(strings.Fields(hear(h, slices.Concat(test.audio...))), " "); got != test.want {
			t.Errorf("%s: heard %q, want %q", test.name, got, test.want)
		}
	}
}

func TestHearingTakesAnyChunks(t *testing.T) {
	pcm := wavFile(t, "en-01-clean")
	whole := newHearing(16000, Scripts()["en"])
	whole.feed(pcm, func() {})
	want := slices.Clone(whole.words)
	if len(want) != 13 {
		t.Fatalf("heard %d words, want the line's 13", len(want))
	}
	for _, size := range []int{1, 7, 319, 321, 5000} {
		h := newHearing(16000, Scripts()["en"])
		for c := range slices.Chunk(pcm, size) {
			h.feed(c, func() {})
		}
		if !slices.Equal(h.words, want) {
			t.Errorf("chunks of %d samples give other words or times", size)
		}
	}
}

func TestHearingPlacesWordsInTheVoice(t *testing.T) {
	for _, name := range []string{"en-01-clean", "en-02-hesitant", "en-05-noisy"} {
		pcm := wavFile(t, name)
		voice := stretches(16000, pcm)
		h := newHearing(16000, Scripts()["en"])
		at := 0
		h.feed(pcm, func() {
			for _, w := range h.take() {
				inside := slices.ContainsFunc(voice, func(v [2]int) bool { return w.startMS >= v[0] && w.endMS <= v[1] })
				if w.startMS < at || w.endMS <= w.startMS || !inside {
					t.Errorf("%s: %q at %d to %d ms, after %d; voice at %v", name, w.text, w.startMS, w.endMS, at, voice)
				}
				at = w.endMS
			}
		})
		if at == 0 {
			t.Errorf("%s: no words", name)
		}
	}
}

func BenchmarkHearing(b *testing.B) {
	b.ReportAllocs()
	pcm := wavFile(b, "en-01-clean")
	h := newHearing(16000, Scripts()["en"])
	h.frame = make([]int16, 0, 320)
	for b.Loop() { // one 20 ms frame
		h.feed(pcm[16000:16320], func() {})
		h.words = h.words[:0]
	}
}
