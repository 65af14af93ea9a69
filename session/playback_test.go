package session

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// speaking runs until the tutor has been heard for ms milliseconds, and returns the response's id.
func (k *talk) speaking(ms int) string {
	k.t.Helper()
	k.start()
	id := eventsOf[ResponseCreated](k.conn)[0].Response.ID
	k.until("the tutor speaks", func() bool { return k.firstAudio() >= 0 })
	k.mic(ms, false)
	return id
}

// firstAudio is the place of the first frame in what the client got, or -1.
func (k *talk) firstAudio() int {
	for i, w := range k.conn.all() {
		if w.event == nil {
			return i
		}
	}
	return -1
}

const menu = "Hoy tenemos sopa, pollo y pescado muy fresco. ¿Qué quiere comer?"

// What was heard of an interrupted answer follows the client's reports, continued by
// the clock, and nothing that a client may say makes it less than nothing or more than
// was sent.
func TestWhatWasHeard(t *testing.T) {
	for name, c := range map[string]struct {
		reports     func(k *talk, id string)
		least, most int64
	}{
		"no report":        {func(*talk, string) {}, 800, 900},
		"only the start":   {func(k *talk, id string) { k.send(PlaybackStarted{ResponseID: id}) }, 0, 20},
		"start, then talk": {func(k *talk, id string) { k.send(PlaybackStarted{ResponseID: id}); k.mic(500, false) }, 480, 520},
		"a position": {func(k *talk, id string) {
			k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: 700, BufferedMS: 900}})
			k.mic(300, false)
		}, 980, 1020},
		"a position, all played": {func(k *talk, id string) {
			k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: 700, BufferedMS: 100}})
			k.mic(300, false)
		}, 790, 810},
		"a mark": {func(k *talk, id string) {
			k.send(PlaybackMark{ResponseID: id, PlayedMS: 600})
			k.mic(300, false)
		}, 880, 920},
		"more than was sent": {func(k *talk, id string) {
			k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: 1e12, BufferedMS: 900}})
		}, 1, 2600},
		"not a number": {func(k *talk, id string) {
			k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: math.NaN(), BufferedMS: math.NaN()}})
		}, 0, 0},
		"less than nothing": {func(k *talk, id string) {
			k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: -700, BufferedMS: -1}})
		}, 0, 0},
		"of another answer": {func(k *talk, id string) {
			k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: "r_old", PlayedMS: 10, BufferedMS: 1}})
		}, 800, 900},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.tutor.replies = []string{menu}
				id := k.speaking(1000)
				c.reports(k, id)
				k.send(CancelResponse{ResponseID: id})
				k.mic(1000, false)
				k.finish()
				cut := eventsOf[Truncated](k.conn)
				if len(cut) != 1 || cut[0].AudioEndMS < c.least || cut[0].AudioEndMS > c.most || cut[0].Source != "estimate" {
					t.Errorf("truncated %+v, want between %d and %d ms", cut, c.least, c.most)
				}
			})
		})
	}
}

// The client's own word counts when it comes in time, whatever number it holds.
func TestClearedReport(t *testing.T) {
	for name, c := range map[string]struct {
		played      float64
		least, most int64
	}{
		"sensible": {840, 840, 840}, "too much": {math.Inf(1), 1200, 2600}, "too little": {-5, 0, 0}, "not a number": {math.NaN(), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.tutor.replies = []string{menu}
				id := k.speaking(1000)
				k.send(CancelResponse{})
				k.send(PlaybackCleared{ResponseID: id, PlayedMS: c.played})
				k.finish()
				cut := eventsOf[Truncated](k.conn)
				if len(cut) != 1 || cut[0].Source != "client" || cut[0].AudioEndMS < c.least || cut[0].AudioEndMS > c.most {
					t.Errorf("truncated %+v", cut)
				}
				if m := k.journal.stored()[0]; m.Audio < 0 || m.Audio.Milliseconds() != cut[0].AudioEndMS {
					t.Errorf("stored %v of audio", m.Audio)
				}
			})
		})
	}
}

// The player says that it is done before DOWNLINK's own report has been read: the
// answer is over all the same.
func TestStoppedOvertakesTheReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		c := k.host.assemble(k.params).conductor(k.host, k.params, k.host.Log).conductor
		c.ctx = t.Context()
		c.beginReply("")
		r := c.reply
		c.onProgress(progress{turn: r.turn, kind: thinkText, text: "Hola."})
		c.onProgress(progress{turn: r.turn, kind: sentAudio, ms: 250, at: time.Now()})
		c.onPlayback(PlaybackStopped{ResponseID: r.turn.responseID, PlayedMS: 250})
		c.onProgress(progress{turn: r.turn, kind: sentAll, ms: 250, at: time.Now()})
		if c.reply != nil {
			t.Error("the answer is still waited for")
		}
		k.finish()
	})
}

// A browser that may not play before a tap begins late: the answer lasts as long as
// the player says, and can still be interrupted.
func TestLatePlayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{menu} // 3.2 s
		id := k.speaking(0)
		k.mic(3000, false)
		k.send(PlaybackStarted{ResponseID: id})
		for played := 250.0; played <= 3000; played += 250 {
			if k.mic(260, false); played == 1500 {
				k.mic(2000, false) // the connection stalls, too
			}
			k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: played, BufferedMS: 3250 - played}})
		}
		k.mic(180, false)
		if n := len(eventsOf[ResponseDone](k.conn)); n != 0 {
			t.Fatal("the answer was taken for over while the client plays it")
		}
		k.hear(providers.HeardUpdate, "Espere por favor")
		if n := len(eventsOf[ClearAudio](k.conn)); n != 1 {
			t.Error("the client was not told to be silent")
		}
		k.finish()
	})
}

// A player that stops without saying so does not hold the conversation up.
func TestStuckPlayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{menu}
		id := k.speaking(500)
		for range 40 {
			k.send(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: id, PlayedMS: 300, BufferedMS: 900}})
			k.mic(240, false)
		}
		if n := len(eventsOf[ResponseDone](k.conn)); n != 1 {
			t.Error("the answer is still waited for")
		}
		k.finish()
	})
}
