package session

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// DOWNLINK writes nothing of a draft before its release, and serves the control lane
// meanwhile. What was released is written from its first caption on; what was dropped, never.
func TestDownlinkHoldsDrafts(t *testing.T) {
	for name, c := range map[string]struct {
		order outbound
		want  []string
	}{
		"released":          {outbound{release: 2}, []string{"warning", "response.output_audio_transcript.delta", "audio", "audio"}},
		"dropped":           {outbound{flush: 2}, []string{"warning"}},
		"an older one's":    {outbound{release: 1}, []string{"warning"}},
		"released too late": {outbound{flush: 2, release: 2}, []string{"warning"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				s := k.host.assemble(k.params)
				d := s.downlink(k.conn, func(error) {})
				d.guard = time.AfterFunc(time.Hour, func() {})
				defer d.guard.Stop()
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- d.serve(ctx) }()
				draft := &turn{id: 2, responseID: "r_2", itemID: "it_2", ctx: ctx, held: &held{released: make(chan struct{})}}
				chunk := audioChunk{turn: draft, pcm: make([]byte, 9600), rate: 24000, captions: []CaptionDelta{{ResponseID: "r_2", Delta: "Hola."}}}
				s.lanes.audio <- chunk
				time.Sleep(time.Second)
				s.lanes.control <- outbound{event: Warning{Code: WarnStorageDelayed}}
				synctest.Wait()
				if n := len(k.conn.all()); n != 1 {
					t.Errorf("%d things written while a draft is held, want the warning alone", n)
				}
				s.lanes.control <- c.order
				time.Sleep(time.Second)
				var got []string
				for _, w := range k.conn.all() {
					if w.event == nil {
						got = append(got, "audio")
						continue
					}
					got = append(got, w.event.EventType())
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("wrote %v, want %v", got, c.want)
				}
				cancel()
				<-done
			})
		})
	}
}
