package session

import "kalami/session/cutting"

// resumption sets the turn of a reply apart that began on another node: it is spoken from
// a place within. THINK begins with what is known of the rest; what SPEAK and DOWNLINK
// tell of places in its text and audio counts what was spoken before, of which they have
// nothing.
type resumption struct {
	said      string // before what is spoken now
	ms        int    // of audio
	sentences int
	text      string // what is spoken first, as the tutor had said it
	whole     bool   // that is all: the tutor is not asked
	aheadMS   int    // what the client still has to play
}

// before is how much of the turn's text and audio was spoken elsewhere, in bytes,
// milliseconds and sentences.
func (t *turn) before() (text string, ms, sentences int) {
	if t.from == nil {
		return "", 0, 0
	}
	return t.from.said, t.from.ms, t.from.sentences
}

// aheadMS is how much audio of the turn the client had when it came.
func (t *turn) aheadMS() int {
	if t.from == nil {
		return 0
	}
	return t.from.aheadMS
}

// goOn hands on what is known of a reply that goes on, and says whether there is more to
// be asked for. A [joint] joins the tutor's next words to it.
func (th *think) goOn(t *turn) (more bool, err error) {
	f := t.from
	if f == nil {
		return true, nil
	}
	th.said = f.said
	th.handed = f.said != "" || f.text != "" // whatever comes of the rest, there is no need to apologise
	known := cutting.New(t.language)
	known.Write(f.text)
	for piece, ok := known.Next(); ok; piece, ok = known.Next() {
		if err := th.piece(t, piece); err != nil {
			return false, err
		}
	}
	if err := th.piece(t, known.Rest()); err != nil {
		return false, err
	}
	if f.whole {
		return false, th.hand(t, "", true)
	}
	return true, nil
}
