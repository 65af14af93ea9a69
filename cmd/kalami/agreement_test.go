package main

import (
	"slices"
	"sync"
	"testing"

	"kalami/providers/simulate"
	"kalami/session"
)

// Every turn is measured twice, by the server's reckoning and by the client's clock, over
// the whole program and vendors of a fixed pace: endpoint, first audio and first sample
// heard come in this order, and both are kept with the message. How far apart the two
// are is a matter for the bench (make bench-turns), on a machine that does nothing else.
func TestServerAndClientMeasureEveryTurn(t *testing.T) {
	t.Parallel()
	const learners, turnsEach = 3, 4
	h := openHouse(t, backends()[0], simulate.BenchLatency())
	var all sync.WaitGroup
	for n := range learners {
		p := join(t, h.url(), "en", "B2")
		all.Go(func() {
			measured := p.quickTurns(n, turnsEach)
			if len(measured) != turnsEach {
				t.Errorf("%d turns were measured, want %d", len(measured), turnsEach)
			}
			for _, l := range measured {
				t.Logf("server %d ms, client %d ms: %+v", l.HeardMS, l.ClientMS, l)
				if l.EndpointMS == 0 || l.FirstAudioMS < l.EndpointMS || l.HeardMS < l.FirstAudioMS || l.ClientMS == 0 {
					t.Errorf("not measured, or not in order: %+v", l)
				}
			}
			await[session.ItemDone](p, 1+2*turnsEach)
			for _, m := range checkStored(t, h, told[session.Created](p)[0].Session.ConversationID, 1+2*turnsEach)[1:] {
				if m.Speaker == "tutor" && !slices.Contains(measured, session.Latency(m.Timings)) {
					t.Errorf("stored with %+v, which the client was not told", m.Timings)
				}
			}
		})
	}
	all.Wait()
}

// quickTurns has so many turns that end where the recogniser says, each cut off when it
// begins to be heard, and returns where their time went.
func (p *pupil) quickTurns(seed, turns int) (all []session.Latency) {
	if err := p.call.Send(session.UpdateSession{Session: session.ConfigPatch{Audio: &session.AudioPatch{
		Input: &session.InputPatch{TurnDetection: &session.TurnDetectionPatch{Type: new(session.TurnsEndpoint)}}}}}); err != nil {
		p.t.Error(err)
		return nil
	}
	for turn := range turns + 1 { // the first is the greeting
		if turn > 0 {
			pcm := loudPCM(4)                               // long enough for the line's words
			pcm = pcm[:len(pcm)-2*(seed*977+turn*131)%6000] // ends anywhere in a frame
			p.mic.SayUntil(slices.Concat(pcm, make([]byte, 6400)), len(pcm)/2)
		}
		p.until("an answer", func() bool { return p.frames(turn+1) > 1 })
		if err := p.call.Send(session.CancelResponse{}); err != nil {
			p.t.Error(err)
			return all
		}
		if l := await[session.ResponseDone](p, turn+1).Latency; turn > 0 {
			all = append(all, l)
		}
	}
	return all
}

// frames counts the frames of the nth answer (from 1) that were played.
func (p *pupil) frames(n int) (count int) {
	created := told[session.ResponseCreated](p)
	for _, a := range p.all() {
		if len(created) >= n && a.event == nil && a.report == nil && !a.late && a.frame.Stream == created[n-1].Stream {
			count++
		}
	}
	return count
}
