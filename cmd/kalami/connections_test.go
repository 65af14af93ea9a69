package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"kalami/providers/simulate"
	"kalami/session"
)

// connections passes requests on and notes on which connections they come.
type connections struct {
	vendor http.Handler

	mu       sync.Mutex
	requests map[string]int             // by kind of request
	over     map[string]map[string]bool // the clients' addresses, by kind
}

func (c *connections) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind := "other"
	switch {
	case r.URL.Path == "/v1/messages":
		kind = "Claude"
	case strings.HasSuffix(r.URL.Path, "/multi-stream-input"):
		kind = "the voice"
	case strings.HasSuffix(r.URL.Path, "/listen"):
		kind = "the recogniser"
	}
	c.mu.Lock()
	c.requests[kind]++
	if c.over[kind] == nil {
		c.over[kind] = map[string]bool{}
	}
	c.over[kind][r.RemoteAddr] = true
	c.mu.Unlock()
	c.vendor.ServeHTTP(w, r)
}

// What was dialled for the first turn serves all turns of a conversation: a handshake
// would be in the answer's time.
func TestTurnsShareConnections(t *testing.T) {
	t.Parallel()
	h, vars := newHouse(t, backends()[0], simulate.Latency{})
	seen := &connections{vendor: h.asked.vendor, requests: map[string]int{}, over: map[string]map[string]bool{}}
	h.asked.vendor = seen
	h.open(t, vars)
	p := join(t, h.url(), "en", "C1")
	const turns = 4
	// Each answer is heard out: one that is stopped takes its connection with it, where
	// requests cannot share one (HTTP/1.1).
	for n := range turns {
		await[session.ResponseDone](p, n+1)
		if err := p.call.Send(session.CreateItem{Text: "I would like the fish and a glass of water, please."}); err != nil {
			t.Fatal(err)
		}
	}
	await[session.ResponseCreated](p, turns+1)
	seen.mu.Lock()
	defer seen.mu.Unlock()
	// An analysis of the turn before may be under way beside an answer, over a connection of
	// its own where requests cannot share one.
	if n, over := seen.requests["Claude"], len(seen.over["Claude"]); n < turns || over < 1 || over > 2 {
		t.Errorf("%d answers came over %d connections", n, len(seen.over["Claude"]))
	}
	for _, kind := range []string{"the voice", "the recogniser"} {
		if n := seen.requests[kind]; n != 1 {
			t.Errorf("%s was dialled %d times", kind, n)
		}
	}
}
