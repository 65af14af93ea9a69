package simulate

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// quietVoice is a speaker without an engine.
func quietVoice() *speaker { return newSpeaker("none", slog.New(slog.DiscardHandler)) }

// tutorLines are the lines of a script that its tutor says.
func tutorLines(sc Script) []string {
	out := []string{sc.Opener, sc.Otherwise}
	for _, t := range sc.Turns {
		out = append(out, t.Tutor)
	}
	return out
}

// rms is the root mean square of samples, of full scale.
func rms(pcm []int16) float64 {
	sum := 0.0
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum/float64(max(1, len(pcm)))) / 32768
}

// Every fragment of every built-in tutor line has a clip that is really speech:
// loud, not clipped, as long as its text needs.
func TestEveryTutorFragmentHasAClip(t *testing.T) {
	v := quietVoice()
	for code, sc := range Scripts() {
		for _, line := range tutorLines(sc) {
			for spoken := range Fragments(line) {
				pcm, rate, ok := v.clip(clipKey{code, normalise(spoken)})
				if !ok {
					t.Errorf("%s: no clip for %q; run go generate ./providers/simulate", code, spoken)
					continue
				}
				ms := len(pcm) * 1000 / rate
				if letters := len([]rune(spoken)); ms < 25*letters || ms > 250*letters+400 {
					t.Errorf("%s %q: %d ms for %d characters", code, spoken, ms, letters)
				}
				peak := 0
				for _, s := range pcm {
					peak = max(peak, int(max(s, -s)))
				}
				if level := rms(pcm); level < 0.04 || level > 0.25 || peak > 32000 {
					t.Errorf("%s %q: level %.3f, peak %d", code, spoken, level, peak)
				}
			}
		}
	}
}

// A line sounds the same whole or in the clauses that a tutor cuts it into.
func TestClausesFindTheirClips(t *testing.T) {
	v := quietVoice()
	line := Scripts()["es"].Turns[1].Tutor
	whole, err := v.speak(t.Context(), line, "es-ES", 24000, 1)
	if err != nil {
		t.Fatal(err)
	}
	var joined speech
	for rest := line; rest != ""; {
		n := lastBoundary(rest[:strings.IndexAny(rest, ",.?!")+1] + " ")
		n = min(n, len(rest))
		part, err := v.speak(t.Context(), rest[:n], "es", 24000, 1)
		if err != nil {
			t.Fatal(err)
		}
		joined.pcm = append(joined.pcm, part.pcm...)
		rest = rest[n:]
	}
	if len(whole.pcm) != len(joined.pcm) || rms(whole.pcm) != rms(joined.pcm) {
		t.Errorf("whole: %d samples at %.4f, in clauses: %d at %.4f", len(whole.pcm), rms(whole.pcm), len(joined.pcm), rms(joined.pcm))
	}
}

// The marks spell the text, rise, and end with the audio; letters lie in its loud
// parts.
func TestMarksCoverTheText(t *testing.T) {
	v := quietVoice()
	for _, text := range []string{"¿Qué le gustaría comer? ", "À la plage, quelle bonne idée !", "Zug 8:30, 3.5 km - ja?", "… ", "", "東京へ。", "x"} {
		sp, err := v.speak(t.Context(), text, "", 16000, 1)
		if err != nil {
			t.Fatal(err)
		}
		var spelled strings.Builder
		at := 0
		for _, m := range sp.marks {
			spelled.WriteString(m.char)
			if m.start < at || m.end < m.start || m.end > len(sp.pcm) {
				t.Fatalf("%q: mark %+v after %d in %d samples", text, m, at, len(sp.pcm))
			}
			at = m.start
		}
		if spelled.String() != text {
			t.Errorf("the marks spell %q, want %q", spelled.String(), text)
		}
		if strings.ContainsFunc(text, unicode.IsLetter) != (len(sp.pcm) > 0) {
			t.Errorf("%q makes %d samples", text, len(sp.pcm))
		}
	}
}

func TestHumSoundsAndLasts(t *testing.T) {
	short, long := hum("no"), hum("Kannst du mir das noch einmal sagen")
	if len(long) < 6*len(short) || rms(short) < 0.03 || rms(long) < 0.03 {
		t.Errorf("%d samples at %.3f, %d at %.3f", len(short), rms(short), len(long), rms(long))
	}
}

// A tone keeps its pitch and level through every rate, and what lies above the new
// Nyquist frequency vanishes instead of folding back.
func TestResample(t *testing.T) {
	tone := func(hz float64, rate int) []int16 {
		out := make([]int16, rate)
		for i := range out {
			out[i] = int16(10000 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
		}
		return out
	}
	for _, rates := range [][2]int{{16000, 24000}, {16000, 8000}, {22050, 16000}, {16000, 44100}, {24000, 22050}, {16000, 48000}} {
		out := resample(tone(1000, rates[0]), rates[0], rates[1])
		if want := rates[1]; len(out) < want-1 || len(out) > want+1 {
			t.Fatalf("%v: %d samples, want %d", rates, len(out), want)
		}
		middle := out[len(out)/4 : 3*len(out)/4]
		rising := 0
		for i := 1; i < len(middle); i++ {
			if middle[i-1] < 0 && middle[i] >= 0 {
				rising++
			}
		}
		if want := len(middle) * 1000 / rates[1]; rising < want-1 || rising > want+1 {
			t.Errorf("%v: %d periods, want %d", rates, rising, want)
		}
		if level := rms(middle) * 32768 * math.Sqrt2; math.Abs(level-10000) > 100 {
			t.Errorf("%v: amplitude %.0f, want 10000", rates, level)
		}
	}
	folded := resample(tone(6000, 16000), 16000, 8000)
	if level := rms(folded[1000 : len(folded)-1000]); level > 0.002 {
		t.Errorf("6 kHz at a rate of 8 kHz leaves %.4f", level)
	}
}

func TestMulawRoundTrip(t *testing.T) {
	for s := -32768; s <= 32767; s += 7 {
		got := int(mulawToLinear(linearToMulaw(int16(s))))
		if diff := math.Abs(float64(got - s)); diff > math.Abs(float64(s))/16+140 {
			t.Fatalf("%d became %d", s, got)
		}
	}
}

// The engine is asked for what has no clip; when it fails the voice hums.
func TestEngine(t *testing.T) {
	text := "Nobody has recorded this sentence"
	hummed, err := quietVoice().speak(t.Context(), text, "en", 24000, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho no\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	got, err := newSpeaker(broken, slog.New(slog.DiscardHandler)).speak(t.Context(), text, "en", 24000, 1)
	if err != nil || len(got.pcm) != len(hummed.pcm) {
		t.Errorf("a broken engine: %d samples, %v; want the hum's %d", len(got.pcm), err, len(hummed.pcm))
	}
	slow := filepath.Join(dir, "slow")
	if err := os.WriteFile(slow, []byte("#!/bin/sh\nexec sleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if _, err := newSpeaker(slow, slog.New(slog.DiscardHandler)).speak(ctx, text, "en", 24000, 1); !errors.Is(err, gone) {
		t.Errorf("a client that has left: %v", err)
	}
	if path, err := exec.LookPath("espeak-ng"); err == nil {
		got, err := newSpeaker(path, slog.New(slog.DiscardHandler)).speak(t.Context(), text, "en", 24000, 1)
		if err != nil || rms(got.pcm) < 0.02 || len(got.pcm) == len(hummed.pcm) {
			t.Errorf("espeak-ng: %d samples at %.3f, %v", len(got.pcm), rms(got.pcm), err)
		}
	} else {
		t.Log("espeak-ng is not installed: the real engine was not tried")
	}
}

// FuzzCut checks that no text is lost, and that nothing but pieces with something
// to say is spoken.
func FuzzCut(f *testing.F) {
	for _, s := range []string{"¡Buenas tardes, bienvenido! ¿En qué puedo ayudarle?", "Qu'est-ce que c'est - 3.5, 8:30…", " ,", "a", "\x80a\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var all strings.Builder
		for i, p := range cut(text) {
			all.WriteString(p.lead + p.spoken + p.tail)
			if i > 0 && (p.lead != "" || p.spoken == "") {
				t.Errorf("piece %d is %+v", i, p)
			}
			if p.spoken != "" && normalise(p.spoken) == "" {
				t.Errorf("piece %d says nothing: %+v", i, p)
			}
		}
		if want := string([]rune(text)); all.String() != want {
			t.Errorf("%q became %q", want, all.String())
		}
	})
}

// FuzzParseWAV checks that no file breaks the reader.
func FuzzParseWAV(f *testing.F) {
	if files, err := clipFiles.ReadDir("clips"); err == nil && len(files) > 1 {
		b, _ := clipFiles.ReadFile("clips/" + files[len(files)-1].Name())
		f.Add(b[:min(len(b), 200)])
	}
	f.Add(streamedWAVHeader(24000))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := parseWAV(b)
		if err == nil && (w.rate <= 0 || len(w.pcm) > len(b)) {
			t.Errorf("%d samples at %d Hz from %d bytes", len(w.pcm), w.rate, len(b))
		}
		if bytes.HasPrefix(b, []byte("RIFF")) && err == nil {
			_ = trimSilence(w.pcm)
		}
	})
}

func BenchmarkSpeakCached(b *testing.B) {
	v := quietVoice()
	line := Scripts()["en"].Turns[1].Tutor
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.speak(b.Context(), line, "en", 24000, 1); err != nil {
			b.Fatal(err)
		}
	}
}
