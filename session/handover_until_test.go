package session

import (
	"testing"
	"time"
)

// The next owner learns until when the access token is good, also of a fresh one.
func TestHandoverKnowsTheTokensEnd(t *testing.T) {
	first := time.Now().Add(time.Hour)
	c := &conductor{watch: watch{validUntil: first}}
	before := c.landmarks()
	if got := c.state().ValidUntil; !got.Equal(first) {
		t.Errorf("handed over %v, want %v", got, first)
	}
	c.watch.validUntil = first.Add(time.Hour)
	if before == c.landmarks() || !c.state().ValidUntil.Equal(first.Add(time.Hour)) {
		t.Error("a fresh token makes no new state")
	}
}
