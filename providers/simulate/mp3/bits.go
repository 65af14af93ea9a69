package mp3

// bitWriter gathers bits, the highest first.
type bitWriter struct {
	b    []byte
	held uint64 // bits that fill no byte yet, in its lowest places
	n    int    // how many
}

// put writes the lowest n bits of v, at most 32; those above must be 0.
func (w *bitWriter) put(v uint32, n int) {
	w.held = w.held<<n | uint64(v)
	for w.n += n; w.n >= 8; {
		w.n -= 8
		w.b = append(w.b, byte(w.held>>w.n))
	}
}

func (w *bitWriter) flag(yes bool) {
	if yes {
		w.put(1, 1)
	} else {
		w.put(0, 1)
	}
}

// pad fills up to size bytes with zeros, which decoders pass over.
func (w *bitWriter) pad(size int) {
	w.put(0, (8-w.n)%8)
	for len(w.b) < size {
		w.b = append(w.b, 0)
	}
}
