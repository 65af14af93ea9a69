package cutting

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// How long pieces are, in letters; the package documentation says why.
const (
	firstMin = 6  // of a first piece that ends in a comma
	laterMin = 40 // of a later one
	// Behind so many letters without a mark, a piece ends before the last conjunction or
	// preposition, and if there is none, before the next.
	firstMost = 40
	laterMost = 160
	// breathMin is how much must stand before such a word for a pause there to sound like one.
	breathMin = 16
	// spaceMost cuts at any blank: for a text that is none.
	spaceMost = 240
	// Ceiling is the length, in bytes, that no piece exceeds: a text without blanks and
	// marks is cut there wherever it is, between two characters.
	Ceiling = 1000
	// shortPause is a comma at which only a stalled stream is cut.
	shortPause = 4
	// speech is how many letters and digits a piece has at least: less is no word.
	speech = 2
	// reach bounds, in bytes, how far a decision looks ahead; so much text may wait for
	// it beside a piece.
	reach = 64
)

// Cutter cuts one reply. Write the text as it comes and take what Next returns; at the
// end take Rest. It is for one goroutine.
type Cutter struct {
	words *words // of the language
	buf   []byte // what is not cut off yet
	later bool   // a piece was cut off already

	// of what is before pos, which needs no further thought
	pos     int
	letters int // by Letters
	said    int // letters and digits
	breath  int // where a pause would sound natural; 0 for nowhere
}

// New returns a cutter for a reply in a language (BCP-47; only the primary subtag
// counts). It cuts other languages, too, and knows then fewer abbreviations.
func New(language string) *Cutter { return &Cutter{words: wordsOf(language)} }

// Write adds text.
func (c *Cutter) Write(text string) { c.buf = append(c.buf, text...) }

// Next returns the next piece that is complete; false when there is none yet. It is
// never empty.
func (c *Cutter) Next() (string, bool) {
	for c.pos < len(c.buf) {
		if c.pos >= Ceiling-2*reach {
			return c.cut(c.pos), true
		}
		if !utf8.FullRune(c.buf[c.pos:]) {
			return "", false
		}
		end, wait := c.step()
		switch {
		case end > 0:
			return c.cut(end), true
		case wait:
			return "", false
		}
	}
	return "", false
}

// Rest returns what Next has not, or "", when no more text comes.
func (c *Cutter) Rest() string {
	if len(c.buf) == 0 {
		return ""
	}
	return c.cut(len(c.buf))
}

// Stalled returns a piece when the text does not go on for a while, so that the learner
// need not wait for the model: all of it when it ends in a mark, else what stands before
// the last conjunction, preposition or comma. False when nothing can be spoken yet.
func (c *Cutter) Stalled() (string, bool) {
	text := c.buf[:len(c.buf)-trailing(c.buf, unicode.IsSpace)]
	if c.endOfStalled(text) {
		return c.cut(len(c.buf)), true
	}
	if c.breath > 0 {
		return c.cut(c.breath), true
	}
	return "", false
}

// endOfStalled says whether text, after which nothing came, may be spoken as it is.
func (c *Cutter) endOfStalled(text []byte) bool {
	text = text[:len(text)-trailing(text, closes)]
	before := text[:len(text)-trailing(text, func(r rune) bool { return ends(r) || pauses(r) })]
	switch marks := string(text[len(before):]); {
	case marks == "" || spoken(before) < speech:
		return false
	case marks == ".":
		kind := c.words.kindOf(before)
		return kind == plain || kind == either && !unicode.IsDigit(lastRune(before))
	case pauses(firstRune(text[len(before):])):
		return Letters(string(text)) >= shortPause && !unicode.IsDigit(lastRune(before))
	}
	return true
}

// cut takes the first n bytes off.
func (c *Cutter) cut(n int) string {
	piece := string(c.buf[:n])
	c.buf = c.buf[:copy(c.buf, c.buf[n:])]
	c.pos, c.letters, c.said, c.breath, c.later = 0, 0, 0, 0, true
	return piece
}

// step decides about the character at pos: the piece ends at byte end, or, when that is
// 0, not here. wait says that it hangs on text that has not come.
func (c *Cutter) step() (end int, wait bool) {
	r, size := utf8.DecodeRune(c.buf[c.pos:])
	if ends(r) || pauses(r) || dashes(r) {
		return c.mark(r)
	}
	if unicode.IsSpace(r) || wide(r) {
		breath, wait := c.words.breathAt(c.buf, c.pos)
		if wait {
			return 0, true
		}
		if breath > 0 && c.letters >= breathMin {
			c.breath = breath
		}
		if end := c.tooLong(r, size); end > 0 {
			return end, false
		}
	}
	c.pass(size)
	return 0, false
}

// tooLong returns where a piece ends that has gone on for too long without a mark, or 0.
func (c *Cutter) tooLong(r rune, size int) int {
	limit := firstMost
	if c.later {
		limit = laterMost
	}
	if c.letters >= limit && c.breath > 0 {
		return c.breath
	}
	last := lastRune(c.buf[:c.pos])
	switch {
	case c.letters < spaceMost || c.said < speech || last == '.': // it may belong to an abbreviation
		return 0
	case !unicode.IsSpace(r):
		return c.pos // a script without blanks
	case unicode.IsDigit(last) && unicode.IsDigit(firstRune(c.buf[c.pos+size:])): // "10 000"; it has come, see breathAt
		return 0
	}
	return c.pos + size
}

// pass takes n bytes as decided.
func (c *Cutter) pass(n int) {
	for _, r := range string(c.buf[c.pos : c.pos+n]) {
		c.letters += lettersOf(r)
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			c.said++
		}
	}
	c.pos += n
}

// mark decides about a run of marks that begins at pos with r.
func (c *Cutter) mark(r rune) (end int, wait bool) {
	m, ok := c.look(r)
	if !ok {
		return 0, true
	}
	switch kind := c.words.judge(m); {
	case kind == undecided:
		return 0, true
	case c.said >= speech && (kind == sentence || kind == pause && c.longEnough()):
		return m.end, false
	case c.said >= speech && kind == pause && c.letters >= shortPause:
		c.breath = m.end
	}
	c.pass(m.size)
	return 0, false
}

// longEnough says whether a piece that ends in the pause at pos is one to speak alone.
func (c *Cutter) longEnough() bool {
	least := firstMin
	if c.later {
		least = laterMin
	}
	return c.letters+1 >= least
}

// run is a run of marks of one kind, "?!" or "..." or ",", and what is around it.
type run struct {
	before []byte // the text of the piece
	marks  []byte
	closed bool // quotes or brackets close behind it
	size   int  // of marks and what closes
	next   rune // behind that
	// after is the first character that is no blank behind next, if next is one;
	// 0 when it has not come, which is no reason to wait when known is set.
	after rune
	known bool
	end   int // of a piece that ends here: with one blank, if there is one
}

// look gathers the run at pos; false while its end has not come.
func (c *Cutter) look(r rune) (run, bool) {
	same := pauses
	switch {
	case ends(r):
		same = ends
	case dashes(r):
		same = dashes
	}
	text := c.buf[c.pos:]
	text = text[:min(len(text), 2*reach+utf8.UTFMax)]
	n := leading(text, same)
	k := n + leading(text[n:], closes)
	m := run{before: c.buf[:c.pos], marks: text[:n], closed: k > n, size: k, end: c.pos + k}
	if k >= reach { // an ornament, which ends nothing
		m.size = utf8.RuneLen(r)
		return m, true
	}
	if k == len(text) || !utf8.FullRune(text[k:]) {
		return run{}, false
	}
	next, size := utf8.DecodeRune(text[k:])
	m.next = next
	if unicode.IsSpace(next) {
		m.end += size
		blanks := k + leading(text[k:], unicode.IsSpace)
		m.known = blanks-k >= reach
		if blanks < len(text) && utf8.FullRune(text[blanks:]) {
			m.after, m.known = firstRune(text[blanks:]), true
		}
	}
	return m, true
}

// The marks. Those of both widths are here; judge tells them apart.
func ends(r rune) bool   { return strings.ContainsRune(".!?…؟。！？｡", r) }
func pauses(r rune) bool { return strings.ContainsRune(",;:،؛、，；：､", r) }
func dashes(r rune) bool { return r == '-' || r == '–' || r == '—' }
func closes(r rune) bool { return strings.ContainsRune("\"'»”’)]」』）】》〉", r) }

// opens are signs with which a sentence begins and no word does.
func opens(r rune) bool { return strings.ContainsRune("¿¡«“„‘\"'(—–-", r) }

// leading and trailing count the bytes of the characters, at one end, that are such.
func leading(b []byte, such func(rune) bool) (n int) {
	for n < len(b) {
		r, size := utf8.DecodeRune(b[n:])
		if !such(r) {
			break
		}
		n += size
	}
	return n
}

func trailing(b []byte, such func(rune) bool) int {
	n := len(b)
	for n > 0 {
		r, size := utf8.DecodeLastRune(b[:n])
		if !such(r) {
			break
		}
		n -= size
	}
	return len(b) - n
}

// spoken counts letters and digits.
func spoken(b []byte) (n int) {
	for _, r := range string(b) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n
}
