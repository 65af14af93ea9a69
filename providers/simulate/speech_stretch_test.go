package simulate

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// A voice at another speed lasts as much longer or shorter and keeps its pitch and its
// loudness, on every clip; at the normal speed not a sample differs.
func TestStretchKeepsTheVoice(t *testing.T) {
	const rate, pitch = 24000, 140
	buzz := make([]int16, rate)
	for i := range buzz {
		at := 2 * math.Pi * pitch * float64(i) / rate
		buzz[i] = int16(5000*math.Sin(at) + 2500*math.Sin(2*at) + 1200*math.Sin(5*at))
	}
	if !slices.Equal(stretch(buzz, rate, 1), buzz) {
		t.Error("at the normal speed the audio changes")
	}
	for _, speed := range []float64{0.5, 0.7, 0.75, 0.9, 1.05, 1.2, 2, 4} {
		out := stretch(buzz, rate, speed)
		if want := int(rate / speed); len(out) != want {
			t.Errorf("at %v: %d samples, want %d", speed, len(out), want)
		}
		middle := out[len(out)/8 : len(out)*7/8]
		if r := rms(middle) / rms(buzz); r < 0.97 || r > 1.03 {
			t.Errorf("at %v: %.3f as loud", speed, r)
		}
		if hz := rising(middle) * rate / float64(len(middle)); math.Abs(hz-pitch) > 0.03*pitch {
			t.Errorf("at %v: %.1f Hz, want %d", speed, hz, pitch)
		}
	}
	v := quietVoice()
	for key := range v.clips {
		pcm, rate, _ := v.clip(key)
		for _, speed := range []float64{0.7, 1.2} {
			out := stretch(pcm, rate, speed)
			if r := rms(out) / rms(pcm); r < 0.9 || r > 1.1 {
				t.Errorf("%s at %v: %.2f as loud", key.text, speed, r)
			}
		}
	}
}

// rising counts how often the sum of a wave's lowest parts crosses zero upwards.
func rising(pcm []int16) (n float64) {
	low, before := 0.0, 0.0
	for _, s := range pcm {
		low += 0.02 * (float64(s) - low)
		if before < 0 && low >= 0 {
			n++
		}
		before = low
	}
	return n
}

// No length, rate or speed breaks the stretching.
func FuzzStretch(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, 24000, 0.7)
	f.Add(make([]byte, 3000), 8000, 1.2)
	f.Fuzz(func(t *testing.T, b []byte, rate int, speed float64) {
		if rate < 8000 || rate > 48000 || !(speed >= 0.25 && speed <= 4) {
			return
		}
		in := make([]int16, len(b))
		for i, v := range b {
			in[i] = int16(v) << 8
		}
		out := stretch(in, rate, speed)
		if want := int(float64(len(in)) / speed); len(out) != want && len(out) != len(in) {
			t.Errorf("%d samples became %d, want %d", len(in), len(out), want)
		}
	})
}

// The speed that a client asks for is heard, over both of the service's ways, and the
// places of the characters move with the audio.
func TestSpeedIsHeard(t *testing.T) {
	_, base := elevenServer(t, Options{})
	const line = "How can I help you? "
	said := func(speed float64) (socket, plain int) {
		c := openRaw(t, base, multiPath)
		c.send(fmt.Sprintf(`{"text":" ","context_id":"a","voice_settings":{"speed":%v}}`, speed))
		c.send(`{"text":"` + line + `","context_id":"a","flush":true}`)
		c.send(`{"close_socket":true}`)
		got := c.collect(0)
		if got.text["a"] != line {
			t.Errorf("at %v: aligned %q", speed, got.text["a"])
		}
		_, body, _ := synthesise(t, base+"/v1/text-to-speech/simulated-en?output_format=pcm_16000",
			fmt.Sprintf(`{"text":%q,"model_id":"eleven_flash_v2_5","voice_settings":{"speed":%v}}`, line, speed))
		return len(got.pcm["a"]), len(body)
	}
	normal, plain := said(1)
	if normal != plain {
		t.Errorf("%d bytes over the socket, %d over HTTP", normal, plain)
	}
	for _, speed := range []float64{0.7, 1.2} {
		socket, plain := said(speed)
		for _, got := range []int{socket, plain} {
			if r := float64(normal) / float64(got); math.Abs(r-speed) > 0.01 {
				t.Errorf("at %v it is %.3f as fast", speed, r)
			}
		}
	}
	v := quietVoice()
	slow, err := v.speak(t.Context(), line, "en", 16000, 0.7)
	if err != nil {
		t.Fatal(err)
	}
	usual, _ := v.speak(t.Context(), line, "en", 16000, 1)
	for i, m := range usual.marks {
		if r := float64(slow.marks[i].start) * 0.7; math.Abs(r-float64(m.start)) > 16 {
			t.Errorf("%q begins at %d, at 0.7 at %d", m.char, m.start, slow.marks[i].start)
		}
	}
}
