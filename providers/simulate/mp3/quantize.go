package mp3

import "math"

// quantized is a granule's spectrum in whole numbers, and how they are coded: pairs
// of any size in three regions with a table each, then quads of at most 1, then zeros.
type quantized struct {
	lines [granule]int32 // with their signs
	gain  int            // the step, 2^(gain/4) times a constant

	bigPairs         int // pairs that may be larger than 1
	quads            int // quads behind them
	region0, region1 int // bands in the first regions, less one each
	ends             [3]int
	tables           [3]*pairTable // nil where all is 0
	quadsB           bool
	bits             int
}

// The largest magnitude that can be coded, and the most bits that side information can
// count.
const (
	maxLine = 15 + 1<<13 - 1
	maxBits = 1<<12 - 1
)

// quantizer finds the finest step whose outcome fits into the bits that there are.
type quantizer struct {
	bands [23]int
	power [granule]float64 // magnitudes to the power of 3/4, by which small ones get finer steps
	most  float64          // of them
}

// quantize does it; gain 255 makes zeros of any signal.
func (q *quantizer) quantize(spectrum *[granule]float64, budget int) quantized {
	q.most = 0
	for i, v := range spectrum {
		v = math.Abs(v)
		q.power[i] = math.Sqrt(v * math.Sqrt(v))
		q.most = max(q.most, q.power[i])
	}
	budget = min(budget, maxBits)
	var best quantized
	low, high := 0, 255 // the coarsest that is too fine, plus one; one that fits
	q.try(&best, high)
	for low < high {
		gain := (low + high) / 2
		var next quantized
		if q.try(&next, gain) && next.bits <= budget {
			best, high = next, gain
		} else {
			low = gain + 1
		}
	}
	for i, v := range spectrum {
		if v < 0 {
			best.lines[i] = -best.lines[i]
		}
	}
	return best
}

// try quantizes with a step and counts the bits; false when a line is too large.
func (q *quantizer) try(out *quantized, gain int) bool {
	const rounding = 0.4054 // less than a half, as magnitudes lie closer to the lower step
	scale := math.Exp2(-3.0 / 16 * float64(gain-210))
	if q.most*scale > maxLine {
		return false
	}
	out.gain = gain
	for i, v := range q.power {
		out.lines[i] = int32(v*scale + rounding)
	}
	out.plan(&q.bands)
	return true
}

// plan chooses how to code magnitudes, and counts the bits.
func (z *quantized) plan(bands *[23]int) {
	end := granule
	for end > 0 && z.lines[end-1] == 0 && z.lines[end-2] == 0 {
		end -= 2
	}
	for end >= 4 && max(z.lines[end-1], z.lines[end-2], z.lines[end-3], z.lines[end-4]) <= 1 {
		end -= 4
		z.quads++
	}
	z.bigPairs = end / 2
	z.split(bands)
	begin := 0
	for i, end := range z.ends {
		z.tables[i] = tableFor(z.lines[begin:end])
		z.bits += z.tables[i].cost(z.lines[begin:end])
		begin = end
	}
	a, b := 0, 0
	for i := range z.quads {
		n, signs := quadOf(z.lines[end+4*i:])
		a += int(quadsA[n].len) + signs
		b += int(quadsB[n].len) + signs
	}
	z.quadsB = b < a
	z.bits += min(a, b)
}

// split divides the big pairs into regions at the bands' ends: about a third of the
// bands each.
func (z *quantized) split(bands *[23]int) {
	end := 2 * z.bigPairs
	n := 0 // bands in which there are big pairs
	for n < 22 && bands[n] < end {
		n++
	}
	z.region0 = max(n/3, 1) - 1
	z.region1 = min(max(n/3, 1), 8) - 1
	first := bands[z.region0+1]
	second := bands[z.region0+z.region1+2]
	z.ends = [3]int{min(first, end), min(second, end), end}
}

// write writes the codes.
func (z *quantized) write(w *bitWriter) {
	begin := 0
	for i, end := range z.ends {
		z.tables[i].write(w, z.lines[begin:end])
		begin = end
	}
	quads := &quadsA
	if z.quadsB {
		quads = &quadsB
	}
	for i := range z.quads {
		four := z.lines[begin+4*i:][:4]
		n, _ := quadOf(four)
		w.put(uint32(quads[n].bits), int(quads[n].len))
		for _, v := range four {
			if v != 0 {
				w.flag(v < 0)
			}
		}
	}
}

// quadOf is a quad's index and how many of its lines need a sign.
func quadOf(lines []int32) (n, signs int) {
	for _, v := range lines[:4] {
		n <<= 1
		if v != 0 {
			n++
			signs++
		}
	}
	return n, signs
}
