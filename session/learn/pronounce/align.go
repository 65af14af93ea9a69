package pronounce

import "unicode/utf8"

// MaxUnits bounds a text and what was heard, in units; what is beyond is not compared. It
// is some ten minutes of speech, and keeps an alignment within a few megabytes.
const MaxUnits = 1500

// The costs of an alignment. A swap costs less than an omission and an insertion together,
// so that a word in the place of another is a swap; a swap of similar words costs least, so
// that of two neighbours the one that resembles what was heard is taken.
const (
	costGap     = 30
	costSwap    = 50 // of different words
	costSimilar = 20 // the least for a swap
)

// pair is one step of an alignment: a token of the text and one that was heard; -1 stands
// for none.
type pair struct {
	ref, heard int
	match      bool
}

// align finds the cheapest way to turn ref into heard. Of several the one that matches
// latest is taken: then a false start comes before what it was a start of, and what is
// repeated stands together.
func align(ref, heard []token) []pair {
	width := len(heard) + 1
	cost := make([]int32, (len(ref)+1)*width)
	for i := range ref {
		cost[(i+1)*width] = int32(i+1) * costGap
	}
	for j := range heard {
		cost[j+1] = int32(j+1) * costGap
	}
	for i, r := range ref {
		for j, h := range heard {
			at := (i+1)*width + j + 1
			cost[at] = min(cost[at-width-1]+swap(r, h), cost[at-1]+costGap, cost[at-width]+costGap)
		}
	}
	out := make([]pair, 0, max(len(ref), len(heard)))
	for i, j := len(ref), len(heard); i > 0 || j > 0; {
		at := i*width + j
		switch {
		case i > 0 && j > 0 && cost[at] == cost[at-width-1]+swap(ref[i-1], heard[j-1]):
			i, j = i-1, j-1
			out = append(out, pair{i, j, ref[i].same(heard[j])})
		case j > 0 && cost[at] == cost[at-1]+costGap:
			j--
			out = append(out, pair{-1, j, false})
		default:
			i--
			out = append(out, pair{i, -1, false})
		}
	}
	for a, b := 0, len(out)-1; a < b; a, b = a+1, b-1 {
		out[a], out[b] = out[b], out[a]
	}
	return out
}

// swap is what it costs to take b for a: nothing for the same.
func swap(a, b token) int32 {
	if a.same(b) {
		return 0
	}
	longer := max(utf8.RuneCountInString(a.text), utf8.RuneCountInString(b.text))
	return costSwap - int32((costSwap-costSimilar)*shared(a.text, b.text)/max(longer, 1))
}

// shared counts the letters that two words have in common at their beginnings and, of the
// rest, at their ends: a cheap measure of likeness.
func shared(a, b string) int {
	n := 0
	for a != "" && b != "" {
		x, xn := utf8.DecodeRuneInString(a)
		y, yn := utf8.DecodeRuneInString(b)
		if x != y {
			break
		}
		a, b, n = a[xn:], b[yn:], n+1
	}
	for a != "" && b != "" {
		x, xn := utf8.DecodeLastRuneInString(a)
		y, yn := utf8.DecodeLastRuneInString(b)
		if x != y {
			break
		}
		a, b, n = a[:len(a)-xn], b[:len(b)-yn], n+1
	}
	return n
}
