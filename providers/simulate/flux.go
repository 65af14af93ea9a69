package simulate

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	// fluxUpdateMS is the least gap between updates, in audio.
	fluxUpdateMS = 250
	// fluxIdle is how long a socket without any frame, pings included, is kept.
	fluxIdle = 60 * time.Second
)

// turnState is where Flux's state machine stands.
type turnState uint8

const (
	turnReady    turnState = iota // nobody has spoken since the last turn
	turnOngoing                   // StartOfTurn was sent
	turnAwaiting                  // EagerEndOfTurn was sent
)

// handleFlux serves GET /v2/listen.
func (s *Server) handleFlux(w http.ResponseWriter, r *http.Request) {
	id, fault, ok := s.admit(w, r)
	if !ok {
		return
	}
	q, wrong := s.fluxQuery(r.URL.Query())
	if wrong == nil && q.format.encoding == "" {
		wrong = badRequest("INVALID_QUERY_PARAMETER", "this simulator hears no containers: encoding and sample_rate are required")
	}
	if wrong != nil {
		wrong.refuse(w, r, id)
		return
	}
	s.opt.Log.Info("deepgram: listening", "path", r.URL.Path, "model", q.model, "language", q.language, "request_id", id)
	s.serveLive(w, r, fault, func(l *liveSocket) recogniser {
		return &fluxLive{l: l, q: q, id: id, ear: newHearing(q.format.rate, q.script)}
	})
}

// fluxLive is one live session of /v2/listen.
//
// It keeps the rules that Flux promises: an Update about every 250 ms of audio
// unless the state changed; an EagerEndOfTurn, when asked for, never empty; a
// TurnResumed only after it; an EndOfTurn with the transcript of the
// EagerEndOfTurn before it; turn_index rising right after; sequence_id counting
// every message from 0.
//
// How sure it is that a turn is over depends, as with the real model, on whether
// the sentence is: see endConfidence.
type fluxLive struct {
	l  *liveSocket
	q  fluxQuery
	id string

	ear  *hearing
	rest []byte
	pcm  []int16

	state    turnState
	turn     int
	windowMS int // where the turn's window begins
	toldMS   int // audio position of the last TurnInfo
	voiceAt  time.Time
}

func (f *fluxLive) open() {
	f.l.send(&fluxConnected{Type: "Connected", RequestID: f.id}, false, 0)
}

func (f *fluxLive) idleAfter() time.Duration     { return fluxIdle }
func (f *fluxLive) abrupt() websocket.StatusCode { return websocket.StatusNoStatusRcvd }
func (f *fluxLive) failed()                      {}

func (f *fluxLive) complaint(text string) any {
	return &fluxNotice{Type: "Error", Code: "INTERNAL_SERVER_ERROR", Description: text}
}

// audio hears a binary message.
func (f *fluxLive) audio(b []byte) {
	f.rest = append(f.rest, b...)
	f.pcm, b = f.q.format.decode(f.rest, f.pcm[:0])
	f.rest = append(f.rest[:0], b...)
	f.ear.feed(f.pcm, f.frame)
}

// endConfidence is how sure it is, after a pause, that the turn is over: for a
// complete line 0.7 after 260 ms, the vendor's figure at its default threshold; for
// one that was broken off not before the script's line is given up.
func endConfidence(complete bool, quietMS int) float64 {
	after := resumeMS
	if complete {
		after = 260
	}
	return min(0.95, 0.7*float64(quietMS)/float64(after))
}

// frame looks at what the ear made of the last 20 ms.
func (f *fluxLive) frame() {
	e := f.ear
	if e.voice && e.quietMS == 0 { // not while it is only held to bridge a gap
		f.voiceAt = time.Now()
	}
	sure := endConfidence(e.complete, e.quietMS)
	late := e.quietMS >= f.q.TimeoutMS
	latency := &f.l.s.opt.Latency
	switch {
	case f.state == turnReady && e.fresh:
		f.state = turnOngoing
		f.tell("StartOfTurn", sure, f.l.s.sample(latency.STTPartial))
	case f.state == turnOngoing && !e.voice && f.q.Eager > 0 && (sure >= f.q.Eager || late):
		f.state = turnAwaiting
		f.tell("EagerEndOfTurn", sure, f.afterVoice(latency.STTEager))
	case f.state == turnAwaiting && e.onset:
		f.state = turnOngoing
		f.tell("TurnResumed", sure, f.l.s.sample(latency.STTPartial))
	case f.state != turnReady && !e.voice && (f.q.Eager == 0 || f.state == turnAwaiting) && (sure >= f.q.End || late):
		f.end(sure, f.afterVoice(latency.STTFinal))
	case f.state != turnAwaiting && e.posMS-f.toldMS >= fluxUpdateMS:
		f.tell("Update", sure, f.l.s.sample(latency.STTPartial))
	}
}

// afterVoice is what is left of a latency that counts from the end of speech.
func (f *fluxLive) afterVoice(d Delay) time.Duration {
	return f.l.s.sample(d) - time.Since(f.voiceAt)
}

// end closes the turn.
func (f *fluxLive) end(sure float64, delay time.Duration) {
	f.tell("EndOfTurn", sure, delay)
	f.ear.take()
	f.state = turnReady
	f.turn++
	f.windowMS = f.ear.posMS
}

// tell sends a TurnInfo of the turn as it stands.
func (f *fluxLive) tell(event string, sure float64, delay time.Duration) {
	t := &fluxTurnInfo{
		Type: "TurnInfo", RequestID: f.id, Event: event, TurnIndex: f.turn,
		WindowStart: seconds(f.windowMS), WindowEnd: seconds(f.ear.posMS), Words: []fluxWord{}, Confidence: sure,
	}
	texts := make([]string, 0, len(f.ear.words))
	for _, w := range f.ear.words {
		t.Words = append(t.Words, fluxWord{Word: w.text, Confidence: 0.97, Start: seconds(w.startMS), End: seconds(w.endMS)})
		texts = append(texts, w.text)
	}
	t.Transcript = strings.Join(texts, " ")
	if f.q.model == "flux-general-multi" {
		t.Languages, t.Hinted = []string{f.q.language}, f.q.hints
	}
	f.toldMS = f.ear.posMS
	f.l.send(t, event == "Update", delay)
}

// fluxControl is a client's text message.
type fluxControl struct {
	Type       string `json:"type"`
	Thresholds struct {
		Eager     *float64 `json:"eager_eot_threshold"`
		End       *float64 `json:"eot_threshold"`
		TimeoutMS *int     `json:"eot_timeout_ms"`
	} `json:"thresholds"`
	Keyterms []string `json:"keyterms"`
	Hints    []string `json:"language_hints"`
}

// control obeys a text message; one that it does not know is fatal.
func (f *fluxLive) control(b []byte) {
	var m fluxControl
	if json.Unmarshal(b, &m) != nil {
		m.Type = ""
	}
	switch {
	case m.Type == "CloseStream":
		f.finish()
	case m.Type == "Configure":
		f.configure(m)
	case m.Type == "ForceEndTurn" && f.state == turnReady:
		f.l.send(&fluxNotice{Type: "Warning", Code: "FORCE_END_TURN_NO_ACTIVE_TURN", Description: "There is no turn to end."}, false, 0)
	case m.Type == "ForceEndTurn":
		f.end(1, f.l.s.sample(f.l.s.opt.Latency.STTPartial))
	default:
		f.l.send(&fluxNotice{Type: "Error", Code: "UNPARSABLE_CLIENT_MESSAGE", Description: "The message is not one of CloseStream, Configure, ForceEndTurn."}, false, 0)
		f.l.close(websocket.StatusPolicyViolation, "")
	}
}

// configure changes thresholds in mid-stream, all or none.
func (f *fluxLive) configure(m fluxControl) {
	t := f.q.fluxThresholds
	if v := m.Thresholds.Eager; v != nil {
		t.Eager = *v
	}
	if v := m.Thresholds.End; v != nil {
		t.End = *v
	}
	if v := m.Thresholds.TimeoutMS; v != nil {
		t.TimeoutMS = *v
	}
	if !t.valid() || len(m.Hints) > 0 && f.q.model != "flux-general-multi" {
		f.l.send(&fluxConfigured{Type: "ConfigureFailure", RequestID: f.id}, false, 0)
		return
	}
	f.q.fluxThresholds = t
	if len(m.Hints) > 0 {
		f.q.hints = m.Hints
	}
	f.l.send(&fluxConfigured{Type: "ConfigureSuccess", RequestID: f.id, Thresholds: &t, Keyterms: m.Keyterms, Hints: m.Hints}, false, 0)
}

// finish sends the last update and closes without a code: CloseStream does not
// finish a turn.
func (f *fluxLive) finish() {
	if f.state == turnOngoing {
		f.tell("Update", 0, f.l.s.sample(f.l.s.opt.Latency.STTPartial))
	}
	f.l.close(websocket.StatusNoStatusRcvd, "")
}
