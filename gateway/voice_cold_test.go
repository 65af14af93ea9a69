package gateway

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session"
	"kalami/session/learn"
)

// A session that goes on here ends with the access token with which it began elsewhere.
func TestColdReturnKeepsTheTokensEnd(t *testing.T) {
	h := newHouse(t)
	r := &returning{v: h.server.voice.(*voiceSockets)}
	c := learn.Conversation{ID: "c", TenantID: learn.PersonalTenant}
	tokens := h.server.newResumeTokens(c, 1)
	until := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, handover := range []*session.Handover{{SessionID: "vs_1", ValidUntil: until}, {SessionID: "vs_1"}, nil} {
		var want time.Time
		if handover != nil {
			want = handover.ValidUntil
		}
		if got := r.params(found{conversation: c, handover: handover}, tokens).ValidUntil; !got.Equal(want) {
			t.Errorf("good until %v, want %v", got, want)
		}
	}
}

// A client for whose conversation there is no turn in time may come again with its token.
func TestTakeoversWaitForTheirTurn(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Resumptions = &rows{} })
	v := h.server.voice.(*voiceSockets)
	for range cap(v.takeovers) {
		v.takeovers <- struct{}{}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	r := &returning{v: v}
	if _, _, err := r.takeOver(gone); learn.KindOf(err) != learn.Unavailable {
		t.Errorf("without a turn: %v", err)
	}
	if n := h.server.opts.Resumptions.(*rows).resumed; n != 0 {
		t.Errorf("the database was asked %d times before", n)
	}
	if len(v.takeovers) != cap(v.takeovers) {
		t.Error("somebody else's turn is over")
	}
}

// mute is a mirror that does not answer for a while.
type mute struct {
	Mirror
	silent int
	away   bool
	asked  int
}

func (m *mute) Live(context.Context, string) (learn.LiveState, bool, error) {
	if m.asked++; m.asked <= m.silent {
		return learn.LiveState{}, false, &learn.Error{Kind: learn.Unavailable, Msg: "no answer"}
	}
	return learn.LiveState{Epoch: 7}, true, nil
}

func (m *mute) Degraded() bool { return m.away }

// A mirror that is slow for a moment is asked again; one that is away is not waited for.
func TestMirrorIsAskedAgain(t *testing.T) {
	for _, tc := range []struct {
		name   string
		mirror *mute
		epoch  int64
		asked  int
		waited time.Duration
	}{
		{"slow", &mute{silent: 3}, 7, 4, 3 * placeAgain},
		{"away", &mute{silent: 3, away: true}, 0, 1, placeAgain},
		{"for ever", &mute{silent: 1 << 30}, 0, 200, mirrorReadWait}, // or once more, when both clocks strike at once
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, func(o *Options) { o.Mirror = tc.mirror })
				r := &returning{v: h.server.voice.(*voiceSockets)}
				began := time.Now()
				state := r.mirrored(t.Context())
				if took := time.Since(began); state.Epoch != tc.epoch || tc.mirror.asked-tc.asked > tc.asked/200 || tc.mirror.asked < tc.asked || took != tc.waited {
					t.Errorf("epoch %d after %d questions in %v, want %d, %d, %v", state.Epoch, tc.mirror.asked, took, tc.epoch, tc.asked, tc.waited)
				}
			})
		})
	}
}
