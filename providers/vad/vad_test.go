package vad

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// block makes ms of noise of a root mean square.
func block(rate, ms int, rms float64, rng *rand.Rand) []byte {
	pcm := make([]byte, rate*ms/1000*2)
	for i := 0; i < len(pcm); i += 2 {
		binary.LittleEndian.PutUint16(pcm[i:], uint16(int16(rng.NormFloat64()*rms)))
	}
	return pcm
}

// Voice between two stretches of quiet gives one beginning and one end, near where they are.
func TestVoiceEdges(t *testing.T) {
	for _, rate := range []int{8000, 16000, 24000, 48000} {
		rng := rand.New(rand.NewPCG(1, uint64(rate)))
		v := New(rate)
		var starts, stops []int
		at := 0
		feed := func(ms int, rms float64) {
			for range ms / 40 {
				if _, e, changed := v.Feed(block(rate, 40, rms, rng)); changed {
					ms := (at + e.At) * 1000 / rate
					if e.Started {
						starts = append(starts, ms)
					} else {
						stops = append(stops, ms)
					}
				}
				at += rate * 40 / 1000
			}
		}
		feed(1000, 20)
		feed(1000, 2000)
		feed(1000, 20)
		if len(starts) != 1 || len(stops) != 1 || starts[0] < 960 || starts[0] > 1040 || stops[0] < 1960 || stops[0] > 2040 {
			t.Errorf("at %d Hz voice from %v to %v, want 1000 to 2000", rate, starts, stops)
		}
	}
}

// Steady noise stops being voice after a while.
func TestSteadyNoiseFades(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	v := New(16000)
	for range 500 {
		v.Feed(block(16000, 20, 1500, rng))
	}
	if v.Active() {
		t.Error("ten seconds of steady noise are still taken for voice")
	}
}

func BenchmarkDetector(b *testing.B) {
	v := New(16000)
	pcm := block(16000, 20, 1000, rand.New(rand.NewPCG(1, 1)))
	b.SetBytes(int64(len(pcm)))
	for b.Loop() {
		v.Feed(pcm)
	}
}

// Where a voice ended is known to 5 ms, wherever in a window or a frame that is.
func TestVoiceEndIsExact(t *testing.T) {
	for _, rate := range []int{8000, 16000, 24000, 48000} {
		for over := range 24 {
			rng := rand.New(rand.NewPCG(1, uint64(over)))
			v := New(rate)
			sound := append(block(rate, 500, 20, rng), block(rate, 700+over, 2000, rng)...)
			sound = append(sound, block(rate, 600-over, 20, rng)...)
			frame, stopped := rate/50*2, -1
			for at := 0; at+frame <= len(sound); at += frame {
				if _, e, changed := v.Feed(sound[at : at+frame]); changed && !e.Started {
					stopped = (at/2 + e.At) * 1000 / rate
				}
			}
			if late := stopped - (1200 + over); late < -1 || late > 5 {
				t.Errorf("at %d Hz the voice ended at %d ms, heard %d ms late", rate, 1200+over, late)
			}
		}
	}
}
