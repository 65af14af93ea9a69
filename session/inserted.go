package session

// inserted are the clips within a reply's audio, in order: what the tutor did not say, so
// that places of its words are further back by their length. DOWNLINK, which writes them,
// and CONDUCTOR, which is told of each frame, keep the same list.
type inserted []insertion

// insertion is one clip, as far as it was sent.
type insertion struct {
	atMS, ms int // in the reply's audio
	text     string
}

// sent adds ms milliseconds at a place; text says that a clip begins there.
func (in inserted) sent(atMS, ms int, text string) inserted {
	if text != "" || len(in) == 0 {
		return append(in, insertion{atMS: atMS, ms: ms, text: text})
	}
	in[len(in)-1].ms += ms
	return in
}

// total is the length of all clips.
func (in inserted) total() (ms int) {
	for _, i := range in {
		ms += i.ms
	}
	return ms
}

// start is where in the reply's audio a word begins whose place in the voice's is known,
// and end where one ends: one that ends where a clip begins is not moved by it.
func (in inserted) start(ms int) int { return in.end(ms+1) - 1 }
func (in inserted) end(ms int) int {
	for _, i := range in {
		if ms > i.atMS {
			ms += i.ms
		}
	}
	return ms
}

// voiced is how much of the first ms milliseconds of the reply's audio is the voice's.
func (in inserted) voiced(ms int) int {
	clips := 0
	for _, i := range in {
		clips += max(0, min(ms-i.atMS, i.ms))
	}
	return ms - clips
}
