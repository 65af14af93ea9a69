package line

import (
	"testing"
	"time"

	"kalami/session"
)

// A client that reports is not sent more than is kept for it, to the frame.
func TestFull(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ago := func(ms int) time.Time { return now.Add(-time.Duration(ms) * time.Millisecond) }
	for _, tt := range []struct {
		name            string
		keptMS          int
		heard, reported time.Time
		want            bool
	}{
		{"room for a frame", 1400, ago(10), ago(100), false},
		{"no room for a frame", 1450, ago(10), ago(100), true},
		{"it sends other things, and no reports", 1500, ago(10), ago(5000), false},
		{"it has never reported", 1500, ago(5000), time.Time{}, false},
	} {
		g := frameLog{rate: 24000, samples: tt.keptMS * 24, heardAt: tt.heard, reportedAt: tt.reported}
		if got := g.full(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// What is spoken again after a break is a stream of its own, and the client counts on from
// what it had: of the new stream it has only what is beyond that.
func TestRespokenPositions(t *testing.T) {
	l := New(Options{})
	defer l.Close(&session.End{Reason: session.EndGone})
	l.respoken = session.ResumedResponse{ID: "r_1", Action: session.ActionRespeak, AudioEndMS: 1000}
	created := session.ResponseCreated{Response: session.ResponseInfo{ID: "r_1"}, Stream: 7}
	created.Audio.Format.Rate = 16000
	if err := l.WriteEvent(session.Head{}, created); err != nil {
		t.Fatal(err)
	}
	for n := range uint32(5) { // 500 ms
		frame := session.Frame{Stream: 7, Seq: n, Pos: n * 1600, Audio: make([]byte, 3200)}
		if err := l.WriteAudio(frame); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		playedMS float64
		kept     int
	}{{900, 5}, {1000, 5}, {1200, 3}, {1500, 0}} {
		l.frames.played(&session.PlaybackState{ResponseID: "r_1", PlayedMS: tt.playedMS - 100, BufferedMS: 100})
		if got := len(l.frames.kept); got != tt.kept {
			t.Errorf("with %v ms %d frames are kept, want %d", tt.playedMS, got, tt.kept)
		}
	}
}
