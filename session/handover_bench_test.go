package session

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"
)

// BenchmarkHandOverTurn is what it costs to be ready to be handed over: all that CONDUCTOR
// does for it in one reply of four sentences, 200 frames and 40 reports, as states a turn
// and their size as JSON, which the line's goroutine makes. Of inputs without a landmark
// only the comparison is left.
func BenchmarkHandOverTurn(b *testing.B) {
	h := &Host{Deps: Deps{Tutor: &fakeTutor{}, Log: slog.New(slog.DiscardHandler)}}
	s := h.assemble(Params{Config: Config{ID: "vs_1", Language: "es", Level: "B1"}})
	c := s.conductor(h, Params{}, h.Log).conductor
	c.handing.on = true
	c.ctx = b.Context()
	sentence := "Ayer comí sopa de pescado en casa con mi madre. "
	states, size := 0, 0
	step := func() {
		c.handOver()
		for len(c.lanes.control) > 0 {
			if o := <-c.lanes.control; o.state != nil {
				states++
				if states < 100 {
					data, err := json.Marshal(o.state)
					if err != nil {
						b.Fatal(err)
					}
					size = max(size, len(data))
				}
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		c.beginReply("")
		r := c.reply
		step()
		for i := range 4 {
			c.onProgress(progress{turn: r.turn, kind: thinkText, text: sentence})
			step()
			var words []timedWord
			for at, from := i*len(sentence), i*len(sentence); at < (i+1)*len(sentence); at++ {
				if r.line.text[at] == ' ' {
					words = append(words, timedWord{From: from, To: at + 1, EndMS: at * stampCharMS})
					from = at + 1
				}
			}
			c.onProgress(progress{turn: r.turn, kind: speakWords, words: words})
			step()
		}
		for i := range 200 {
			c.onProgress(progress{turn: r.turn, kind: sentAudio, ms: (i + 1) * 50, at: time.Now()})
			step()
			if i%5 == 0 {
				c.onPlayback(PlaybackPosition{PlaybackState: PlaybackState{ResponseID: r.turn.responseID, PlayedMS: float64(i * 50)}})
				step()
			}
		}
		c.reply = nil
		r.turn.cancel(nil)
		select {
		case <-c.lanes.turns:
		default:
		}
	}
	b.ReportMetric(float64(states)/float64(b.N), "states/turn")
	b.ReportMetric(float64(size), "B/state")
}
