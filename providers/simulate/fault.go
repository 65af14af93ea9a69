package simulate

import (
	"context"
	"encoding/json"
	"net/http"
)

// Vendor names whose protocol a fault concerns.
type Vendor string

// The vendors.
const (
	Deepgram   Vendor = "deepgram"
	ElevenLabs Vendor = "elevenlabs"
	Anthropic  Vendor = "anthropic"
	OpenAI     Vendor = "openai"
	Azure      Vendor = "azure"
	SpeechAce  Vendor = "speechace"
)

// FaultKind says what goes wrong.
type FaultKind string

// The faults. After counts the vendor's messages (or stream events) that still go out well.
const (
	FaultCut          FaultKind = "cut"           // the TCP connection is cut
	FaultEnd          FaultKind = "end"           // the stream ends cleanly but without its terminal message
	FaultStall        FaultKind = "stall"         // nothing more is sent, the connection stays
	FaultHold         FaultKind = "hold"          // speech over HTTP: nothing more is sent until the faults are cleared, then all of it
	FaultStatus       FaultKind = "status"        // the request is refused with Status
	FaultStreamError  FaultKind = "stream_error"  // an error event inside a 200 stream or open socket
	FaultGarbage      FaultKind = "garbage"       // a message that is not what it should be
	FaultWrongRate    FaultKind = "wrong_rate"    // audio at another sample rate than asked for
	FaultContextLimit FaultKind = "context_limit" // ElevenLabs: the next context is one too many
	FaultEarlyClose   FaultKind = "early_close"   // ElevenLabs: closing a context that has not begun to speak discards its text
	FaultClose        FaultKind = "close"         // the WebSocket is closed with Status as its code
	FaultUnknown      FaultKind = "unknown"       // one message more, of a type that no client knows; nothing else goes wrong
)

// Fault is one thing to go wrong, on the next Times connections or requests of a vendor.
type Fault struct {
	Vendor Vendor    `json:"vendor"`
	Kind   FaultKind `json:"kind"`
	// After is how many messages are still sent well (cut, end, stall, hold, stream_error, garbage, close).
	After int `json:"after"`
	// Status of a refusal, or close code.
	Status int `json:"status"`
	// RetryAfter in seconds, for 429 and 529; 0 sends none.
	RetryAfter int `json:"retry_after"`
	// Times it happens; 0 means once, negative for ever.
	Times int `json:"times"`
	// Message replaces the default error text. enforced_spend_limit_reached (Anthropic)
	// and insufficient_quota (OpenAI) become the error's code as well.
	Message string `json:"message"`

	cleared <-chan struct{} // closed when the faults are cleared after it happened
}

// Inject adds a fault to the queue; faults of one vendor happen in order.
func (s *Server) Inject(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	s.faults = append(s.faults, f)
	s.mu.Unlock()
}

// ClearFaults removes every fault that has not happened, and lets go on what a
// [FaultHold] holds.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	s.faults = nil
	close(s.cleared)
	s.cleared = make(chan struct{})
	s.mu.Unlock()
}

// hold waits until the faults are cleared that f was one of, or until ctx or the server
// ends.
func (s *Server) hold(ctx context.Context, f Fault) {
	select {
	case <-f.cleared:
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
}

// nextFault takes the fault that concerns a new connection or request of v; the
// zero Fault (Kind "") when there is none.
func (s *Server) nextFault(v Vendor) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := s.faults[i]
		if f.Vendor != v {
			continue
		}
		if f.Times > 0 {
			if s.faults[i].Times--; s.faults[i].Times == 0 {
				s.faults = append(s.faults[:i], s.faults[i+1:]...)
			}
		}
		f.cleared = s.cleared
		return f
	}
	return Fault{}
}

// handleFaults is the faults' remote control: POST adds one, DELETE removes all.
func (s *Server) handleFaults(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodDelete {
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
		return
	}
	var f Fault
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&f); err != nil {
		http.Error(w, "a fault is a JSON object: "+err.Error(), http.StatusBadRequest)
		return
	}
	s.Inject(f)
	w.WriteHeader(http.StatusNoContent)
}
