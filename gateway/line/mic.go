package line

import (
	"fmt"
	"time"

	"kalami/session"
	"kalami/session/learn"
)

// refusalEvery is how often a client is told that its frames are out of order.
const refusalEvery = time.Second

// micOrder passes every frame of the microphone once, in order.
type micOrder struct {
	next    learn.InputMark // the first frame that is new
	refused time.Time       // when the client was told last
}

// take says whether the session gets in, a frame: one that is there already, and flagged
// as sent again, it does not; one that comes out of order becomes a [session.Rejected],
// of which the client is told at most once a second.
func (m *micOrder) take(in *session.Input, now time.Time) bool {
	f := &in.Frame
	at := learn.InputMark{Stream: f.Stream, Next: f.Seq}
	if !at.Before(m.next) {
		m.next = learn.InputMark{Stream: f.Stream, Next: f.Seq + 1}
		return true
	}
	if f.Flags&session.FlagRetransmission != 0 || now.Sub(m.refused) < refusalEvery {
		return false
	}
	m.refused = now
	p := session.Problem{Type: session.InvalidRequest, Code: session.InvalidAudioFrame, Param: "seq",
		Message: fmt.Sprintf("The audio frame is out of order: seq is %d, the next of stream %d is %d.", f.Seq, m.next.Stream, m.next.Next)}
	if f.Stream != m.next.Stream {
		p.Param = "stream"
		p.Message = fmt.Sprintf("The audio frame is of stream %d, which ended when stream %d began.", f.Stream, m.next.Stream)
	}
	*in = session.Input{Control: session.Rejected{Problem: p}}
	return true
}

// position is the place of the next frame as a client is told it.
func (m *micOrder) position() session.InputPos {
	return session.InputPos{Stream: m.next.Stream, Seq: m.next.Next - min(1, m.next.Next), NextSeq: m.next.Next}
}
