package failover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"kalami/providers"
)

// errEarly is the cause when a vendor's audio ends before the text, or is none.
var errEarly = errors.New("the audio ended before the text")

// complete says whether an error of Next means that all audio came; a vendor's failure may
// wrap the end of its connection.
func complete(err error) bool { return errors.Is(err, io.EOF) && providers.KindOf(err) == 0 }

// ended judges the end of a voice's audio: io.EOF is well if there was some.
func ended(err error, heard int, vendor string) error {
	switch {
	case !complete(err):
		return err
	case heard == 0:
		return early(vendor)
	}
	return nil
}

func early(vendor string) error {
	return &providers.Error{Kind: providers.Unavailable, Vendor: vendor, Op: "speak", Err: errEarly}
}

// A leg is the part of an utterance that one vendor speaks. Its fields belong to the
// goroutine that calls Next, but for those said otherwise.
type leg struct {
	place  int
	inner  providers.Utterance
	call   *call
	ctx    context.Context // of what feeds it
	stop   context.CancelFunc
	final  bool // nobody goes on if it fails: it is the only vendor's second
	base   int  // where in the utterance's text it begins, in bytes
	fromMS int  // and on its clock

	// guarded by the utterance
	spoken *spoken
	ended  bool      // all text was given to it
	fedAt  time.Time // when it was given some

	aligned bool
	heardAt time.Time
	samples int                  // that have come
	pcm     []byte               // of them, what is held back
	marks   []providers.CharMark // held back with it
	pieceAt int                  // samples when the last piece was spoken whole
	live    bool                 // what comes is handed out at once, until its piece is whole
	told    bool                 // it says where pieces end
}

// ms is samples as time.
func (u *utterance) ms(samples int) int { return samples * 1000 / u.line.opt.SampleRate }

// take notes what a leg's vendor has said; the error is that it cannot be.
func (u *utterance) take(l *leg, c providers.Chunk) error {
	l.heardAt = time.Now()
	before := u.ms(l.samples)
	if len(c.PCM) > 0 {
		l.call.first()
	}
	l.samples += len(c.PCM) / 2
	l.pcm = append(l.pcm, c.PCM...)
	if len(c.Marks) > 0 {
		const least, slack = 400, 1.3 // milliseconds of audio, and how much longer marks may be
		if length := u.ms(l.samples) - before; length >= least && float64(c.Marks[len(c.Marks)-1].EndMS-before) > slack*float64(length) {
			return &providers.Error{Kind: providers.Unavailable, Vendor: u.name(l), Op: "speak",
				Detail: fmt.Sprintf("%d ms of audio for %d ms of speech", length, c.Marks[len(c.Marks)-1].EndMS-before)}
		}
		l.aligned, l.live = true, false
		u.align()
		l.marks = append(l.marks, c.Marks...)
		l.spoken.align(c.Marks, false)
	}
	if c.Spoken > 0 {
		l.told, l.live = true, false
		u.piece(l, c.Spoken)
	}
	l.live = l.live || u.dry(l)
	return nil
}

// dry says whether the learner would have to wait for what is held back, though the
// vendor goes on.
func (u *utterance) dry(l *leg) bool {
	held := time.Duration(u.ms(len(l.pcm)/2)) * time.Millisecond
	left := time.Duration(u.ms(u.samples))*time.Millisecond - time.Since(u.begunAt)
	return u.samples > 0 && left < dryAt && held > 0 && (!l.aligned || held > longWord)
}

// piece notes that a leg has spoken its text up to a place whole.
func (u *utterance) piece(l *leg, to int) {
	to = min(to, len(l.spoken.text))
	s := span{text: l.spoken.text[l.spoken.whole:to], fromMS: l.fromMS + u.ms(l.pieceAt), toMS: l.fromMS + u.ms(l.samples)}
	l.spoken.whole, l.pieceAt = to, l.samples
	for l.spoken.pos < len(l.spoken.letters) && l.spoken.letters[l.spoken.pos].end <= to {
		l.spoken.pos++
	}
	u.spans = append(u.spans, s)
	u.align()
}

// free is how many of the leg's samples may be handed out: what is left is held back.
func (u *utterance) free(l *leg) int {
	switch {
	case l.live || l.final:
		return l.samples
	case l.aligned && l.spoken.openMS >= 0:
		return min(l.spoken.openMS*u.line.opt.SampleRate/1000, l.samples)
	case l.aligned:
		return l.samples
	case l.told || u.samples > 0:
		return l.pieceAt
	}
	l.live = true // the first piece, by a vendor that may give no alignment
	return l.samples
}

// whole judges the end of a leg's audio: nil when all of its text was spoken.
func (u *utterance) whole(l *leg) error {
	l.spoken.align(nil, true)
	owed := l.spoken.owed()
	switch {
	case l.final:
		return nil
	case !l.ended:
		return early(u.name(l))
	case owed == 0:
		return nil
	case l.samples == 0:
		return early(u.name(l))
	case l.aligned && l.spoken.passed == 0 && (u.ms(l.samples)-l.spoken.endMS)*2 < owed*msPerLetter:
		return early(u.name(l)) // nothing sounded for the rest
	case !l.aligned:
		return early(u.name(l)) // it says where pieces end, and this one has not
	}
	return nil
}

// msPerLetter is the time that a letter takes at a common pace.
const msPerLetter = 66

// handOut returns what may be handed out, on the utterance's clock.
func (u *utterance) handOut(l *leg) (providers.Chunk, bool) {
	held := len(l.pcm) / 2
	n := u.free(l) - (l.samples - held)
	c := providers.Chunk{Marks: u.marks, Vendor: u.name(l), Fallback: l.place > 0}
	u.marks = nil
	keep := slices.IndexFunc(l.marks, func(m providers.CharMark) bool {
		return !l.live && !l.final && l.spoken.openMS >= 0 && m.StartMS >= l.spoken.openMS
	})
	if keep < 0 {
		keep = len(l.marks)
	}
	for _, m := range l.marks[:keep] {
		m.StartMS, m.EndMS = m.StartMS+l.fromMS, m.EndMS+l.fromMS
		c.Marks = append(c.Marks, m)
	}
	l.marks = l.marks[keep:]
	if n > 0 {
		c.PCM = l.pcm[: 2*n : 2*n]
		l.pcm = l.pcm[2*n:]
		if u.samples == 0 {
			u.begunAt = time.Now()
		}
		u.samples += n
	}
	return c, len(c.PCM) > 0 || len(c.Marks) > 0
}
