package session

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kalami/providers"
	"kalami/session/turntaking"
)

// What a recogniser says is put into the order of the speech here, whatever the order
// in which it comes. A recogniser that keeps its contract numbers its segments without
// holes and ends each once; one that does not may repeat an end, deliver it late, leave
// one out, or skip numbers. No word of an end is then lost, and none is taken twice.

const (
	// hypothesisMost bounds, in characters, what one event of a recogniser may hold, and
	// wordsMost its words: a minute of hurried speech is not half of it. What is beyond is
	// cut off, since no learner has said it.
	hypothesisMost = 4000
	wordsMost      = 1000
	// pastMost is how many segments of earlier turns are remembered: an end that comes
	// later than that is taken for a repetition.
	pastMost = 16
)

// segmentKey names a segment: numbers start anew with each of the recogniser's streams.
type segmentKey struct{ epoch, segment int }

func (k segmentKey) compare(o segmentKey) int {
	return cmp.Or(cmp.Compare(k.epoch, o.epoch), cmp.Compare(k.segment, o.segment))
}

// understood is what of one segment belongs to the learner's turn, as far as the
// segment is not the one that is being spoken.
type understood struct {
	segmentKey
	skip    int    // units of the segment that belong to turns before
	text    string // without them; empty when they are all of it
	words   []providers.Word
	forTime bool // a request for time: it is shown, but not answered
}

// used is how much of a segment earlier turns hold.
type used struct {
	segmentKey
	units int
}

// past remembers the segments of earlier turns. The zero value is ready.
type past struct {
	segments []used     // rising, at most pastMost
	floor    segmentKey // of the newest that was forgotten
}

// add remembers the segments of a turn that is over.
func (p past) add(parts []understood) past {
	segments := slices.Clone(p.segments)
	for _, u := range parts {
		segments = append(segments, used{u.segmentKey, u.skip + units(u.text)})
	}
	slices.SortStableFunc(segments, func(a, b used) int { return a.compare(b.segmentKey) })
	if n := len(segments) - pastMost; n > 0 {
		p.floor = segments[n-1].segmentKey
		segments = segments[n:]
	}
	p.segments = segments
	return p
}

// units is how much of a segment earlier turns hold; known is false when it is too long ago.
func (p past) units(key segmentKey) (n int, known bool) {
	if key.compare(p.floor) <= 0 {
		return 0, false
	}
	for _, s := range p.segments {
		if s.segmentKey == key {
			n = max(n, s.units)
		}
	}
	return n, true
}

// key is the segment that is being spoken, or was last.
func (l *learnerTurn) key() segmentKey { return segmentKey{l.epoch, l.segment} }

// keep adds what the segment being spoken holds to the turn.
func (l *learnerTurn) keep(u understood) {
	u.segmentKey = l.key()
	l.finals = append(l.finals, u)
}

// unended says whether something is known of the segment being spoken, but not its end.
func (l *learnerTurn) unended() bool { return l.partial != "" || l.skip > 0 }

// follow turns to the segment of an event that is newer than the one being spoken. That
// one was not ended: its stream broke, or the recogniser skipped its end.
func (l *learnerTurn) follow(key segmentKey) {
	if l.unended() {
		l.keep(understood{skip: l.skip, text: l.partial, words: l.pending})
	}
	l.epoch, l.segment, l.open, l.ended, l.skip, l.partial, l.pending = key.epoch, key.segment, false, false, 0, "", nil
	l.segmentAt = time.Now()
}

// inOrder says whether an event is to be taken as it comes. One of a segment that is
// over is not: it is counted, and if it is an end, what is new in it is put in its place.
func (c *conductor) inOrder(m heardMsg) bool {
	l, key := &c.learner, segmentKey{m.epoch, m.event.Segment}
	order := key.compare(l.key())
	if m.bent {
		c.count(RecogniserFaults, 1)
	}
	if order > 0 {
		next := segmentKey{epoch: key.epoch}
		if key.epoch == l.epoch {
			next.segment = l.segment + 1
		}
		if key != next || key.epoch == l.epoch && l.unended() {
			c.count(RecogniserFaults, 1)
		}
		l.follow(key)
		return true
	}
	if order == 0 && !l.ended {
		return true
	}
	c.count(RecogniserFaults, 1)
	if m.event.Kind == providers.HeardEnd {
		c.lateEnd(key, m.event)
	}
	return false
}

// lateEnd takes the end of a segment that was over already. Of a segment of this turn
// it replaces what was understood; of one of an earlier turn, what that turn does not
// hold is said now; one that never came before is put where it belongs.
func (c *conductor) lateEnd(key segmentKey, ev providers.Heard) {
	l := &c.learner
	if end := int64(ev.EndMS); 0 < end && end <= l.clearedMS || ev.Text == "" {
		return
	}
	// i is behind what the turn holds of the segment: the last of it, if it is more.
	i, _ := slices.BinarySearchFunc(l.finals, segmentKey{key.epoch, key.segment + 1},
		func(u understood, k segmentKey) int { return u.compare(k) })
	found := i > 0 && l.finals[i-1].segmentKey == key
	late := understood{segmentKey: key}
	if found {
		late.skip = l.finals[i-1].skip
	} else if n, known := l.past.units(key); known {
		late.skip = n
	} else {
		return
	}
	late.text, late.words = withoutFirst(ev.Text, ev.Words, late.skip)
	switch {
	case found && l.finals[i-1].text == late.text:
		return
	case found:
		l.finals[i-1] = late
	case late.text == "":
		return
	default:
		l.finals = slices.Insert(l.finals, i, late)
	}
	l.clock.Words(turntaking.Words{Text: l.text(), EndMS: int64(ev.EndMS), Open: l.open, Final: true}, time.Now())
	c.spoke()
	c.beginLearner(int64(ev.StartMS))
	c.showTranscript(0)
}

// sane is an event with what cannot be true put right: times that run backwards or
// beyond the audio that was sent, in milliseconds, words without letters, more text than
// anybody speaks, confidences that are no share. bent tells whether there was such a
// thing, but for times ahead, which are only a habit of counting.
func sane(ev providers.Heard, sentMS int) (_ providers.Heard, bent bool) {
	if text := clipped(ev.Text); text != ev.Text {
		ev.Text, bent = text, true
	}
	words := make([]providers.Word, 0, min(len(ev.Words), wordsMost))
	at := 0
	for _, w := range ev.Words {
		if strings.TrimSpace(w.Text) == "" || len(words) == wordsMost {
			bent = true
			continue
		}
		start := min(max(w.StartMS, at), max(sentMS, at))
		end := min(max(w.EndMS, start), max(sentMS, start))
		bent = bent || start > w.StartMS && w.EndMS > 0 || end > w.EndMS && w.EndMS != 0
		w.StartMS, w.EndMS, w.Confidence = start, end, share(w.Confidence)
		at = start
		words = append(words, w)
	}
	ev.Words, ev.Confidence = words, share(ev.Confidence)
	if ev.StartMS < 0 || ev.EndMS < 0 || ev.EndMS < ev.StartMS && ev.EndMS != 0 {
		bent = true
	}
	ev.StartMS = min(max(ev.StartMS, 0), sentMS)
	if ev.EndMS = min(max(ev.EndMS, 0), sentMS); ev.EndMS != 0 {
		ev.EndMS = max(ev.EndMS, ev.StartMS)
	}
	return ev, bent
}

// clipped cuts a text that is too long, where a word ends if one does.
func clipped(text string) string {
	if len(text) <= hypothesisMost || utf8.RuneCountInString(text) <= hypothesisMost {
		return text
	}
	at, n := 0, 0
	for at = range text {
		if n++; n > hypothesisMost {
			break
		}
	}
	if space := strings.LastIndexFunc(text[:at], unicode.IsSpace); space > at/2 {
		at = space
	}
	return strings.TrimSpace(text[:at])
}

// share is a number between 0 and 1; 0 for one that is none.
func share(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return min(max(x, 0), 1)
}
