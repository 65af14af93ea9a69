package simulate

import "testing"

// What an open microphone costs the simulated ear: mostly it is silent.
func BenchmarkEnergySilence(b *testing.B) {
	e := newEnergy(16000)
	frame := make([]int16, e.frameSamples())
	loud := make([]int16, len(frame))
	for i := range loud {
		loud[i] = int16(3000 * (1 - i/20%2*2))
	}
	e.feed(loud)
	for b.Loop() {
		e.feed(frame)
	}
}
