package failover

import (
	"slices"
	"strings"
	"unicode"

	"kalami/providers"
)

// heldMost is how many events of later segments wait for the end of the one under way.
const heldMost = 64

// line makes one line of events of those of several vendors: segments count on without
// holes, times are the stream's, and what was final before a vendor was lost is neither
// missing nor said twice. It is owned by the stream's goroutine.
type line struct {
	emit func(providers.Heard)

	segment int    // the number of the segment under way, or of the next
	open    bool   // its start was passed on
	eager   string // the text of an eager end that was passed on and not resolved, or empty
	// kept is what the segment holds of vendors that were lost and is not heard again.
	kept providers.Heard
	// last is the segment as it is understood, shown as it was passed on last.
	last, shown providers.Heard
	settledMS   int // everything before is final
	endedMS     int // where the last segment ended

	// Of the vendor that listens now:
	offsetMS int  // where its audio begins
	dropMS   int  // words before were final when it began
	quietMS  int  // what it has understood is not passed on before it reaches this
	inner    int  // its segment that is followed
	begun    bool // it has said something about that
	held     []providers.Heard
	late     struct{ inner, outer int } // the segment that was ended without it; outer is -1 for none
}

func newLine(emit func(providers.Heard)) line {
	l := line{emit: emit}
	l.late.outer = -1
	return l
}

// attach begins to follow a vendor whose audio begins at fromMS.
func (l *line) attach(fromMS int) {
	l.offsetMS, l.dropMS = fromMS, max(l.settledMS, fromMS)
	if l.open {
		l.kept = before(l.last, l.dropMS)
		l.quietMS = l.shown.EndMS
	}
	l.inner, l.begun, l.held, l.late.outer = 0, false, nil, -1
}

// before is the part of a segment that lies before a time.
func before(h providers.Heard, ms int) providers.Heard {
	n := 0
	if timed(h.Words) {
		n = wordsBefore(h.Words, ms)
	} else if h.EndMS <= ms {
		n = len(h.Words)
	}
	if n == 0 && (len(h.Words) > 0 || h.EndMS > ms) {
		return providers.Heard{}
	}
	if n < len(h.Words) {
		h.Text = h.Text[:len(h.Text)-len(after(h.Text, h.Words[:n]))]
		h.Words = h.Words[:n:n]
		h.EndMS = h.Words[n-1].EndMS
	}
	h.Text = strings.TrimSpace(h.Text)
	return h
}

// timed says whether words have times.
func timed(words []providers.Word) bool { return len(words) > 0 && words[len(words)-1].EndMS > 0 }

// wordsBefore is how many words, from the first, have their middle before a time.
func wordsBefore(words []providers.Word, ms int) (n int) {
	for n < len(words) && words[n].StartMS+words[n].EndMS <= 2*ms {
		n++
	}
	return n
}

// after is what follows words in the text that they begin, from the next word on.
// Punctuation belongs to the word before it.
func after(text string, words []providers.Word) string {
	const near = 8 // bytes: a space, perhaps punctuation
	rest := text
	for _, w := range words {
		word := strings.TrimSpace(w.Text)
		at := strings.Index(rest, word)
		if at < 0 || at > near { // the text spells it in another way
			rest = tail(text, len(words))
			break
		}
		rest = rest[at+len(word):]
	}
	for rest != "" {
		token, next, _ := strings.Cut(rest, " ")
		if strings.IndexFunc(token, isSpoken) >= 0 {
			return rest
		}
		rest = next
	}
	return ""
}

// isSpoken says whether a character is more than punctuation.
func isSpoken(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// tail leaves out the first n words that are set off by spaces.
func tail(text string, n int) string {
	for range n {
		_, text, _ = strings.Cut(strings.TrimLeft(text, " "), " ")
	}
	return text
}

// hear takes an event of the vendor's. Ends that come out of their order are put in order.
func (l *line) hear(ev providers.Heard) {
	if ev.Segment <= l.inner || !l.open || !l.begun {
		l.take(ev)
		l.release()
		return
	}
	if l.held = append(l.held, ev); len(l.held) > heldMost {
		l.waived()
	}
}

// take follows an event whose turn it is, or was.
func (l *line) take(ev providers.Heard) {
	if ev.Segment < l.inner {
		l.tooLate(ev)
		return
	}
	l.follow(ev)
}

// holding says whether events wait for an end that does not come.
func (l *line) holding() bool { return len(l.held) > 0 }

// orphaned says whether a segment is under way of which the vendor that listens now has
// said nothing.
func (l *line) orphaned() bool { return l.open && !l.begun }

// waived ends the segment whose end does not come with what is known of it, and goes on.
func (l *line) waived() {
	l.late.inner, l.late.outer = l.inner, l.segment
	l.abandoned()
	l.inner++
	l.release()
}

// abandoned ends the segment under way with the most that was understood of it.
func (l *line) abandoned() {
	if !l.open {
		return
	}
	h := l.last
	if l.shown.EndMS > h.EndMS {
		h = l.shown
	}
	l.end(h)
}

// release follows the events that were held, as far as their turn has come.
func (l *line) release() {
	slices.SortStableFunc(l.held, func(a, b providers.Heard) int { return a.Segment - b.Segment })
	for len(l.held) > 0 && (l.held[0].Segment <= l.inner || !l.open || !l.begun) {
		ev := l.held[0]
		l.held = l.held[1:]
		l.take(ev)
	}
}

// tooLate takes an event of a segment that is over. Of one that was ended without its
// vendor the real end is passed on as it comes: whoever listens may put it in its place.
// Everything else repeats what is known.
func (l *line) tooLate(ev providers.Heard) {
	if ev.Kind != providers.HeardEnd || l.late.outer < 0 || ev.Segment != l.late.inner || ev.Text == "" {
		return
	}
	h := l.place(ev)
	h.Segment = l.late.outer
	l.late.outer = -1
	l.emit(h)
}

// follow takes the next event of the segment under way, or the first of the next.
func (l *line) follow(ev providers.Heard) {
	l.inner, l.begun = ev.Segment, true
	if ev.Kind == providers.HeardEnd {
		l.inner, l.begun = ev.Segment+1, false
	}
	h := l.place(ev)
	if h.Text == "" && h.StartMS < l.dropMS {
		l.begun = false
		return // the tail of what is final
	}
	if !l.open {
		l.start(h)
	}
	switch ev.Kind {
	case providers.HeardStart:
	case providers.HeardEnd:
		l.end(h)
	default:
		l.last = h
		if n := h.Final; n > 0 {
			l.settledMS = max(l.settledMS, h.Words[n-1].EndMS)
		}
		if h.EndMS >= l.quietMS {
			l.pass(h)
		}
	}
}

// start opens the segment.
func (l *line) start(h providers.Heard) {
	l.open, l.last, l.shown = true, providers.Heard{}, providers.Heard{}
	h = providers.Heard{Kind: providers.HeardStart, StartMS: h.StartMS, EndMS: h.StartMS, Language: h.Language, Segment: l.segment}
	l.emit(h)
}

// end closes the segment with what h holds.
func (l *line) end(h providers.Heard) {
	h.Kind = providers.HeardEnd
	l.pass(h)
	l.settledMS, l.endedMS = max(l.settledMS, h.EndMS), h.EndMS
	l.open, l.kept, l.last, l.shown, l.quietMS = false, providers.Heard{}, providers.Heard{}, providers.Heard{}, 0
	l.segment++
}

// pass tells what is understood of the segment, in the order that the contract wants:
// after an eager end it is resumed before it says anything else.
func (l *line) pass(h providers.Heard) {
	h.Segment = l.segment
	if h.Kind == providers.HeardEagerEnd && h.Text == "" || h.Kind == providers.HeardResumed && l.eager == "" {
		h.Kind = providers.HeardUpdate
	}
	switch {
	case l.eager == "":
	case h.Kind == providers.HeardUpdate:
		h.Kind = providers.HeardResumed
	case h.Kind == providers.HeardEagerEnd && h.Text == l.eager:
		return
	case h.Kind != providers.HeardResumed && h.Text != l.eager:
		r := h
		r.Kind = providers.HeardResumed
		l.emit(r)
	}
	l.eager = ""
	if h.Kind == providers.HeardEagerEnd {
		l.eager = h.Text
	}
	l.shown = h
	l.emit(h)
}

// place makes an event of the vendor's one of the stream's: its times count from the
// stream's beginning, it lacks words that were final before the vendor listened, and
// begins with what is kept of the segment.
func (l *line) place(ev providers.Heard) providers.Heard {
	if l.offsetMS == 0 && l.dropMS == 0 {
		return ev // as it is, for as long as no vendor was lost
	}
	timed := timed(ev.Words)
	ev.Words = slices.Clone(ev.Words)
	for i := range ev.Words {
		w := &ev.Words[i]
		w.StartMS, w.EndMS = w.StartMS+l.offsetMS, w.EndMS+l.offsetMS
	}
	ev.StartMS, ev.EndMS = ev.StartMS+l.offsetMS, ev.EndMS+l.offsetMS
	switch n := wordsBefore(ev.Words, l.dropMS); {
	case timed && n > 0:
		ev.Text, ev.Words = after(ev.Text, ev.Words[:n]), ev.Words[n:]
		if len(ev.Words) == 0 {
			ev.Text = ""
		} else {
			ev.StartMS = ev.Words[0].StartMS
		}
		ev.Final = max(ev.Final-n, 0)
	case !timed && ev.EndMS <= l.dropMS:
		ev.Text, ev.Words, ev.Final = "", nil, 0
	}
	if ev.Text != "" {
		ev.StartMS = max(ev.StartMS, min(l.endedMS, ev.EndMS))
	}
	return l.continued(ev)
}

// continued puts what is kept before an event.
func (l *line) continued(ev providers.Heard) providers.Heard {
	k := l.kept
	if k.Text == "" {
		return ev
	}
	ev.Text = strings.TrimSpace(k.Text + " " + ev.Text)
	for i := range ev.Words {
		// Vendors differ by hundredths of a second about where a word begins.
		ev.Words[i].StartMS = max(ev.Words[i].StartMS, k.EndMS)
		ev.Words[i].EndMS = max(ev.Words[i].EndMS, k.EndMS)
	}
	ev.Final += len(k.Words)
	ev.Words = slices.Concat(k.Words, ev.Words)
	ev.StartMS, ev.EndMS = k.StartMS, max(ev.EndMS, k.EndMS)
	return ev
}
