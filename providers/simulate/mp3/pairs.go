package mp3

import "math/bits"

// tableFor is the smallest table for some magnitudes; nil when all are 0.
func tableFor(lines []int32) *pairTable {
	most := int32(0)
	for _, v := range lines {
		most = max(most, v)
	}
	if most == 0 {
		return nil
	}
	for i := range pairTables {
		if t := &pairTables[i]; int(most) <= t.most() {
			return t
		}
	}
	return &pairTables[len(pairTables)-1] // not reached: try refuses larger ones
}

// most is the largest magnitude in a table.
func (t *pairTable) most() int { return t.width - 1 + 1<<t.linBits - 1 }

// number is how the standard counts the table.
func (t *pairTable) number() int {
	if t == nil {
		return 0
	}
	return t.id
}

// cost is how many bits magnitudes take.
func (t *pairTable) cost(lines []int32) (n int) {
	if t == nil {
		return 0
	}
	last := int32(t.width - 1)
	for i := 0; i < len(lines); i += 2 {
		x, y := lines[i], lines[i+1]
		n += int(t.codes[min(x, last)*int32(t.width)+min(y, last)].len)
		for _, v := range [...]int32{x, y} {
			if v >= 15 {
				n += t.linBits
			}
			n += bits.Len32(uint32(min(v, 1))) // its sign
		}
	}
	return n
}

// write writes lines with their signs: for each pair its code, and for each of both
// what is above the table's width, then the sign.
func (t *pairTable) write(w *bitWriter, lines []int32) {
	if t == nil {
		return
	}
	last := int32(t.width - 1)
	for i := 0; i < len(lines); i += 2 {
		pair := [...]int32{magnitude(lines[i]), magnitude(lines[i+1])}
		c := t.codes[min(pair[0], last)*int32(t.width)+min(pair[1], last)]
		w.put(uint32(c.bits), int(c.len))
		for j, v := range pair {
			if v >= 15 {
				w.put(uint32(v-15), t.linBits)
			}
			if v > 0 {
				w.flag(lines[i+j] < 0)
			}
		}
	}
}

func magnitude(v int32) int32 { return max(v, -v) }
