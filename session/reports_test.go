package session

import (
	"math"
	"testing"
	"testing/synctest"
)

// Reports that cannot be true change nothing but a counter: what was played never
// shrinks and is never more than was sent.
func TestReportsThatCannotBeTrue(t *testing.T) {
	at := func(ms float64) func(id string) Control {
		return func(id string) Control {
			return PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: ms, BufferedMS: 500}}
		}
	}
	for name, c := range map[string]struct {
		reports     []func(id string) Control
		cleared     float64
		clamped     int
		least, most int64
	}{
		"all is well":             {[]func(string) Control{at(600), at(850)}, 1000, 0, 1000, 1000},
		"at the same moment":      {[]func(string) Control{at(600), at(580)}, 600, 0, 600, 600},
		"a jump backwards":        {[]func(string) Control{at(800), at(100)}, 1000, 1, 1000, 1000},
		"more than was sent":      {[]func(string) Control{at(1e9)}, 1000, 2, 1200, 2600}, // the last word contradicts it
		"no number":               {[]func(string) Control{at(math.NaN()), at(math.Inf(1)), at(-7)}, 1e4, 4, 1200, 2600},
		"cleared before it":       {[]func(string) Control{at(900)}, 200, 1, 900, 900},
		"cleared a little before": {[]func(string) Control{at(900)}, 880, 0, 880, 880},
		"cleared beyond":          {[]func(string) Control{at(900)}, 1e7, 1, 1200, 2600},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, meter := newTalk(t), &countingMeter{}
				k.host.Meter = meter
				k.tutor.replies = []string{menu}
				id := k.speaking(1000)
				for _, r := range c.reports {
					k.send(r(id))
				}
				k.send(CancelResponse{})
				k.send(PlaybackCleared{ResponseID: id, PlayedMS: c.cleared})
				k.finish()
				cut := eventsOf[Truncated](k.conn)
				if len(cut) != 1 || cut[0].AudioEndMS < c.least || cut[0].AudioEndMS > c.most {
					t.Errorf("cut %+v", cut)
				}
				if got := meter.counted(ReportsClamped); got != c.clamped {
					t.Errorf("%d reports clamped, want %d", got, c.clamped)
				}
			})
		})
	}
}

// A report that is older than another does not set the estimate back.
func TestLateReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{menu}
		id := k.speaking(1000)
		k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: 900, BufferedMS: 900}})
		k.mic(200, false)
		k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: 300, BufferedMS: 900}})
		k.send(CancelResponse{})
		k.mic(1000, false)
		k.finish()
		if cut := eventsOf[Truncated](k.conn); len(cut) != 1 || cut[0].AudioEndMS < 1090 || cut[0].AudioEndMS > 1110 {
			t.Errorf("cut %+v", cut)
		}
	})
}
