package simulate

import "math"

const (
	// stretchFrameMS is the length of the pieces that are laid over each other, each
	// over half of the one before: two periods of the lowest voice.
	stretchFrameMS = 30
	// stretchSeekMS is how far from its place a piece is looked for, in both directions:
	// a period of the lowest voice in all.
	stretchSeekMS = 8
	// stretchCoarse is the step of the first search, and of the samples it compares.
	stretchCoarse = 4
)

// stretch makes mono audio last 1/speed as long without changing its pitch
// (WSOLA: pieces of the input are laid over each other at another distance, each
// taken from where it continues the one before best). The input is returned as it is
// when speed is 1. speed is positive.
func stretch(in []int16, rate int, speed float64) []int16 {
	half := rate * stretchFrameMS / 2000
	if speed == 1 || len(in) < 4*half {
		return in
	}
	size := int(float64(len(in)) / speed)
	sum := make([]float64, size+2*half)
	window := hann(2 * half)
	add := func(from, at int) {
		for i, w := range window {
			if j := from + i; j < len(in) {
				sum[at+i] += w * float64(in[j])
			}
		}
	}
	for i := range half { // the first piece has none before it to fade in over
		sum[i] = (1 - window[i]) * float64(in[i])
	}
	add(0, 0)
	from := 0
	for at := half; at < size; at += half {
		from = alike(in, from+half, int(float64(at)*speed), half, rate*stretchSeekMS/1000)
		add(from, at)
	}
	out := make([]int16, size)
	for i := range out {
		out[i] = int16(max(-32768, min(32767, math.Round(sum[i]))))
	}
	return out
}

// alike returns the place within seek of near whose n samples are most like those at
// goal: first roughly, then around the best.
func alike(in []int16, goal, near, n, seek int) int {
	n = min(n, len(in)-goal)
	if n <= 0 {
		return max(0, min(near, len(in)))
	}
	best := search(in, goal, near-seek, near+seek, n, stretchCoarse)
	return search(in, goal, best-stretchCoarse+1, best+stretchCoarse-1, n, 1)
}

// search compares the places from first to last by the correlation of every
// stretchCoarse-th of n samples, normalised so that loud is not taken for alike.
func search(in []int16, goal, first, last, n, step int) int {
	first, last = max(0, first), min(last, len(in)-n)
	best, most := max(0, min(first, len(in))), math.Inf(-1)
	for at := first; at <= last; at += step {
		dot, energy := 0.0, 1.0
		for i := 0; i < n; i += stretchCoarse {
			v := float64(in[at+i])
			dot += v * float64(in[goal+i])
			energy += v * v
		}
		if score := dot / math.Sqrt(energy); score > most {
			best, most = at, score
		}
	}
	return best
}

// hann is a window of n values that sums to one with itself half a length later.
func hann(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(n))
	}
	return w
}
