package main

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"kalami/gateway/learner"
	"kalami/providers/simulate"
)

// The composed server bounds how fast one account begins conversations, on every
// backend, and says when the next may begin.
func TestHandshakesAreBounded(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		h := openHouse(t, b, simulate.Latency{})
		account, err := learner.Guest(t.Context(), h.url(), "en")
		if err != nil {
			t.Fatal(err)
		}
		defer account.Close()
		profile, err := account.Profile(t.Context(), "en", "B1")
		if err != nil {
			t.Fatal(err)
		}
		// A slow machine earns some more while it asks; a bound of thirty is none.
		for sold := range 30 {
			if _, _, err = account.Ticket(t.Context(), learner.Wish{ProfileID: profile}); err == nil {
				continue
			}
			refused, ok := errors.AsType[*learner.StatusError](err)
			if !ok || refused.Status != http.StatusTooManyRequests || refused.RetryAfter < time.Second || refused.RetryAfter > 6*time.Second {
				t.Errorf("refused with %v", err)
			}
			if sold < 10 {
				t.Errorf("refused after %d tickets, want at least 10", sold)
			}
			return
		}
		t.Error("thirty tickets were sold at once")
	})
}
