package session

import (
	"context"
	"sync/atomic"
	"unicode/utf8"
)

// held is what sets a draft's turn apart from any other: SPEAK and DOWNLINK wait for
// its release, and it counts what is lost if that never comes.
type held struct {
	// released is closed by CONDUCTOR when the draft has become the answer.
	released chan struct{}
	// read counts the characters that the model has sent, and spoken those given to
	// the voice. THINK and SPEAK count; CONDUCTOR looks when it drops the draft.
	read, spoken atomic.Int64
}

// letGo waits until the turn may go on beyond what a draft may cost: for ever at no
// cost if it is no draft. It returns ctx's cause when that ends first.
func (t *turn) letGo(ctx context.Context) error {
	if t.held == nil {
		return nil
	}
	select {
	case <-t.held.released:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// countRead notes text that the model has sent for a draft, countSpoken text that its
// voice was given; neither does anything for another turn.
func (t *turn) countRead(text string) {
	if t.held != nil {
		t.held.read.Add(int64(utf8.RuneCountInString(text)))
	}
}

func (t *turn) countSpoken(text string) {
	if t.held != nil {
		t.held.spoken.Add(int64(utf8.RuneCountInString(text)))
	}
}
