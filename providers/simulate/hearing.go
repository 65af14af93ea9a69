package simulate

import (
	"strings"
	"unicode"
)

const (
	// charMS is the pace at which a line's words are revealed while there is voice:
	// 45 ms for each character with its space, about 270 ms a word. Real readings of
	// the built-in lines take a little longer, so that they are heard to the end.
	charMS = 45
	// resumeMS is how long a line that was broken off waits to be continued.
	resumeMS = 2500
	// nextLineMS is the least pause after a complete line that lets the next voice
	// begin another one; shorter ones are inside what is being said.
	nextLineMS = 500
)

// heardWord is a word that was revealed, with its place in the audio.
type heardWord struct {
	text           string // as the script spells it, with punctuation
	startMS, endMS int
}

// bare is the word without capitals and punctuation, as recognisers give it unformatted.
func (w heardWord) bare() string {
	return strings.ToLower(strings.TrimFunc(w.text, func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }))
}

// hearing is the simulated ear: it takes audio and reveals a script's lines while
// there is voice in it.
//
// Words come at the pace of speech (charMS) for as long as the voice lasts; more
// voice than words adds nothing. A line broken off by a pause goes on when the
// voice is back within resumeMS; else, and when the line was complete, the next
// voice after a pause (nextLineMS) begins the next line. After the last comes the first again. All times are
// positions in the audio: nothing looks at a clock.
type hearing struct {
	energy *energy
	lines  [][]string
	frame  []int16 // a frame being gathered

	// what the last frame left; read by the protocols after each
	posMS    int         // audio heard
	voice    bool        // voice is going on
	onset    bool        // it began with this frame
	onsetMS  int         // where
	quietMS  int         // since the last loud frame
	complete bool        // the line has no more words
	words    []heardWord // revealed and not taken
	fresh    bool        // the last frame revealed some

	line, next int // the line, and its word that comes next
	spentMS    int // voice that went into the next word
	gapMS      int // quiet since voice was last heard, inside a stretch
	wordMS     int // where that began
	lastMS     int // where the last stretch of voice ended
}

// newHearing returns an ear for audio of a sample rate. lines are never empty.
func newHearing(rate int, script Script) *hearing {
	h := &hearing{energy: newEnergy(rate)}
	for _, t := range script.Turns {
		if words := spokenWords(t.Learner); len(words) > 0 {
			h.lines = append(h.lines, words)
		}
	}
	return h
}

// spokenWords splits a line at white space; what is punctuation alone (French
// has it) belongs to the word before.
func spokenWords(line string) []string {
	var words []string
	for _, w := range strings.Fields(line) {
		if n := len(words); n > 0 && (heardWord{text: w}).bare() == "" {
			words[n-1] += " " + w
			continue
		}
		words = append(words, w)
	}
	return words
}

// feed takes audio of any length and calls each after every frame of it.
func (h *hearing) feed(pcm []int16, each func()) {
	size := h.energy.frameSamples()
	for len(pcm) > 0 {
		n := min(len(pcm), size-len(h.frame))
		h.frame = append(h.frame, pcm[:n]...)
		pcm = pcm[n:]
		if len(h.frame) == size {
			h.step()
			h.frame = h.frame[:0]
			each()
		}
	}
}

// step hears one frame.
func (h *hearing) step() {
	before := h.voice
	h.voice = h.energy.feed(h.frame)
	h.posMS += frameMS
	h.quietMS = h.energy.quiet
	h.onset, h.fresh = h.voice && !before, false
	if h.onset {
		h.begin()
	}
	switch {
	case h.voice && h.quietMS == 0:
		h.speak(h.gapMS + frameMS)
		h.gapMS = 0
	case h.voice: // a gap, which counts if the voice comes back
		h.gapMS += frameMS
	case before:
		h.pause()
	}
}

// begin chooses the line that a new stretch of voice speaks.
func (h *hearing) begin() {
	h.onsetMS = h.posMS - onsetFrames*frameMS
	gap := h.onsetMS - h.lastMS
	if h.complete && gap >= nextLineMS || h.next > 0 && gap > resumeMS {
		h.line, h.next, h.complete = (h.line+1)%len(h.lines), 0, false
	}
	h.spentMS, h.gapMS, h.wordMS = 0, 0, h.onsetMS
	h.speak((onsetFrames - 1) * frameMS) // the frames before it counted as voice
}

// speak puts ms of voice into the line.
func (h *hearing) speak(ms int) {
	h.spentMS += ms
	for !h.complete && h.spentMS >= h.need() {
		need := h.need()
		h.reveal(h.wordMS + need)
		h.spentMS -= need
		h.wordMS += need
	}
}

// need is how much voice the next word takes.
func (h *hearing) need() int {
	return charMS * (len([]rune(h.lines[h.line][h.next])) + 1)
}

// pause ends a stretch of voice: a word of which half was spoken counts.
func (h *hearing) pause() {
	h.lastMS = h.posMS - h.quietMS
	if !h.complete && 2*h.spentMS >= h.need() {
		h.reveal(h.lastMS)
	}
	h.spentMS = 0
}

// reveal adds the next word.
func (h *hearing) reveal(endMS int) {
	line := h.lines[h.line]
	h.words = append(h.words, heardWord{line[h.next], h.wordMS, max(endMS, h.wordMS+frameMS)})
	h.next++
	h.fresh = true
	h.complete = h.next == len(line)
}

// take returns the words that were revealed and forgets them.
func (h *hearing) take() []heardWord {
	w := h.words
	h.words = nil
	return w
}

// voicedEndMS is where the voice last heard ended, or is now.
func (h *hearing) voicedEndMS() int { return h.posMS - h.quietMS }
