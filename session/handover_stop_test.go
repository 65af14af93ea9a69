package session

import (
	"testing"
	"testing/synctest"
	"time"

	"kalami/session/learn"
)

// A reply was stopped, its node died, and the order reached the client only after its
// return: until then it has played on, and what it says then is what is stored.
func TestStoppedReplyIsHeardOut(t *testing.T) {
	u1 := learn.Message{UtteranceID: "it_1", Speaker: learn.SpeakerLearner, Content: "Ayer comí pescado.", Heard: "Ayer comí pescado."}
	for name, c := range map[string]struct {
		played  PlaybackState
		says    float64 // when it is told to be silent; 0 for nothing
		heard   string
		endMS   int64
		source  string
		ordered int
	}{
		"it plays on":          {PlaybackState{PlayedMS: 1000, BufferedMS: 1500}, 1700, "Muy bien. ¿Y qué", 1700, "client", 1},
		"it does not say":      {PlaybackState{PlayedMS: 1000, BufferedMS: 1500}, 0, "Muy bien.", 1000, "estimate", 1},
		"it had fallen silent": {PlaybackState{PlayedMS: 1700}, 0, "Muy bien. ¿Y qué", 1700, "client", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, l := newTalkOnLine(t)
				o := begun()
				o.ItemID, o.PrevItemID, o.Interrupted, o.PlayedMS, o.SentMS = "it_2", "it_1", "turn_detected", 900, 2600
				o.Words = []int{4, 500, 10, 1000, 13, 1300, 18, 1700, 28, 3000}
				c.played.ResponseID = o.ResponseID
				h := Handover{SessionID: "vs_1", Config: k.params.Config, Streams: 4, LastMessage: "it_1", PrevItemID: "it_1", Turns: 1, Reply: &o}
				k.params.Returning, k.params.Handover, k.params.Playback, k.params.History = true, &h, &c.played, []learn.Message{u1}
				k.startOn(l)
				if got := eventsOf[ClearAudio](k.conn); len(got) != c.ordered || c.ordered > 0 && (got[0].ResponseID != "r_1" || got[0].Stream != 4) {
					t.Fatalf("the client is ordered %+v", got)
				}
				if c.says > 0 {
					k.send(PlaybackCleared{ResponseID: "r_1", PlayedMS: c.says})
				}
				k.mic(300, false)
				time.Sleep(2 * clearedWait)
				k.mic(1200, false)
				synctest.Wait()
				if cut := eventsOf[Truncated](k.conn); len(cut) != 1 || cut[0].AudioEndMS != c.endMS || cut[0].Transcript != c.heard || cut[0].Source != c.source {
					t.Errorf("truncated %+v", cut)
				}
				k.finish()
				if got := k.journal.stored(); len(got) != 1 || got[0].UtteranceID != "it_2" || got[0].Heard != c.heard || !got[0].Interrupted {
					t.Errorf("stored %+v", got)
				}
			})
		})
	}
}
