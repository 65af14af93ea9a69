package mp3

import "math"

// filterBank splits the signal into 32 bands of equal width, each with a sample for
// every 32 of the signal (ISO/IEC 11172-3, C.1.3).
type filterBank struct {
	window [512]float64
	cosine [32][32]float64
	past   [512]float64 // the newest sample first
}

func newFilterBank() (f filterBank) {
	for i := range f.window {
		v := 0.0
		switch {
		case i <= 256:
			v = float64(window[i])
		case i%64 == 0:
			v = float64(window[512-i])
		default:
			v = -float64(window[512-i])
		}
		f.window[i] = v / (1 << 16) / 32
	}
	for band := range f.cosine {
		for k := range f.cosine[band] {
			f.cosine[band][k] = math.Cos(float64((2*band+1)*k) * math.Pi / 64)
		}
	}
	return f
}

// analyse takes 32 samples and gives one of every band.
func (f *filterBank) analyse(samples []float64, bands *[32]float64) {
	copy(f.past[32:], f.past[:])
	for i, v := range samples {
		f.past[31-i] = v
	}
	var y [64]float64
	for i := range y {
		for j := i; j < len(f.past); j += 64 {
			y[i] += f.window[j] * f.past[j]
		}
	}
	// The cosines are even around y[16], and odd around y[48]: half of them do.
	var folded [32]float64
	folded[0] = y[16]
	for k := 1; k <= 16; k++ {
		folded[k] = y[16+k] + y[16-k]
	}
	for k := 17; k < 32; k++ {
		folded[k] = y[16+k] - y[80-k]
	}
	for band := range bands {
		sum := 0.0
		for k, c := range f.cosine[band] {
			sum += c * folded[k]
		}
		bands[band] = sum
	}
}
