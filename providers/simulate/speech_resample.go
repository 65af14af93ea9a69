package simulate

import "math"

// resample converts mono audio between sample rates with a windowed sinc, whose
// cut-off lies below the lower of the two Nyquist frequencies, so that nothing
// aliases. The input is returned as it is when the rates agree.
func resample(in []int16, from, to int) []int16 {
	if from == to || len(in) == 0 {
		return in
	}
	g := gcd(from, to)
	up, down := to/g, from/g
	taps, half := sincTable(up, min(1, float64(to)/float64(from)))
	out := make([]int16, len(in)*up/down)
	for i := range out {
		pos := i * down
		row := taps[pos%up]
		first := pos/up - half + 1
		sum := 0.0
		for k, w := range row {
			if j := first + k; j >= 0 && j < len(in) {
				sum += w * float64(in[j])
			}
		}
		out[i] = int16(max(-32768, min(32767, math.Round(sum))))
	}
	return out
}

// sincTable returns the filter for each of up phases, and half its length.
// Each row sums to one, so that a constant stays constant.
func sincTable(up int, ratio float64) (rows [][]float64, half int) {
	const zeros = 16 // zero crossings of the sinc on either side
	cutoff := 0.94 * ratio
	half = int(math.Ceil(zeros / cutoff))
	rows = make([][]float64, up)
	for p := range rows {
		row := make([]float64, 2*half)
		sum := 0.0
		for k := range row {
			x := float64(k-half+1) - float64(p)/float64(up)
			w := 0.5 + 0.5*math.Cos(math.Pi*max(-1, min(1, x/float64(half))))
			if x != 0 {
				w *= math.Sin(math.Pi*cutoff*x) / (math.Pi * cutoff * x)
			}
			row[k] = w
			sum += w
		}
		for k := range row {
			row[k] /= sum
		}
		rows[p] = row
	}
	return rows, half
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
