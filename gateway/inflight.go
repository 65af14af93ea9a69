package gateway

import (
	"sync"
	"time"

	"kalami/session/learn"
)

// maxSpeaking is how many calls of the class speaking one account may have under way on
// one node: a phone has one or two, and each holds a clip and a vendor's connection.
const maxSpeaking = 4

func errSpeakingAlready() error {
	return &apiError{code: "too_many_at_once", retryAfter: time.Second,
		err: learn.Errorf(learn.TooMany, "gateway.speaking", "You already have %d requests of this kind under way", maxSpeaking)}
}

// inFlight counts the calls under way of each account.
type inFlight struct {
	mu    sync.Mutex
	calls map[string]int
}

// take counts a call, or answers false when the account has as many as it may.
func (f *inFlight) take(userID string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls[userID] >= maxSpeaking {
		return false
	}
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[userID]++
	return true
}

// leave ends a call that was taken.
func (f *inFlight) leave(userID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls[userID]--; f.calls[userID] == 0 {
		delete(f.calls, userID)
	}
}
