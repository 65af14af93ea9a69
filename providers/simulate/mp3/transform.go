package mp3

import "math"

// transform splits each band of the filter bank into 18 lines: a modified cosine
// transform over 36 samples, of which half were in the one before (ISO/IEC 11172-3,
// C.1.5.3.3).
type transform struct {
	cosine [18][36]float64 // times the window
	past   [32][18]float64 // of each band
	same   [8]float64      // how much of a line stays, where two bands meet
	other  [8]float64      // how much goes over
}

func newTransform() (m transform) {
	for k := range m.cosine {
		for i := range m.cosine[k] {
			m.cosine[k][i] = math.Sin(math.Pi/36*(float64(i)+0.5)) / 9 *
				math.Cos(math.Pi/72*float64((2*i+1+18)*(2*k+1)))
		}
	}
	for i, c := range []float64{-0.6, -0.535, -0.33, -0.185, -0.095, -0.041, -0.0142, -0.0037} {
		m.same[i] = 1 / math.Sqrt(1+c*c)
		m.other[i] = c / math.Sqrt(1+c*c)
	}
	return m
}

// lines takes 18 samples of each band and gives a granule's spectrum.
func (m *transform) lines(samples *[18][32]float64) (spectrum [granule]float64) {
	for band := range m.past {
		var both [36]float64
		copy(both[:], m.past[band][:])
		for t := range samples {
			v := samples[t][band]
			if band%2 == 1 && t%2 == 1 {
				v = -v // every other band comes out of the filter bank upside down
			}
			both[18+t], m.past[band][t] = v, v
		}
		for k := range m.cosine {
			sum := 0.0
			for i, c := range m.cosine[k] {
				sum += c * both[i]
			}
			spectrum[band*18+k] = sum
		}
	}
	// A tone near where two bands meet is in both: take its mirror image away.
	for edge := 18; edge < granule; edge += 18 {
		for i := range m.same {
			below, above := spectrum[edge-1-i], spectrum[edge+i]
			spectrum[edge-1-i] = below*m.same[i] + above*m.other[i]
			spectrum[edge+i] = above*m.same[i] - below*m.other[i]
		}
	}
	return spectrum
}
