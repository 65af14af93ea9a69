package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/learner"
)

// Somebody who reads along is told when the connection is lost and how it goes on, and
// not that it ended as it should.
func TestTalkTellsOfItsReturn(t *testing.T) {
	var out strings.Builder
	shown := newTranscript(&out, 0)
	for _, r := range []learner.Return{
		{Warm: true, Away: 120 * time.Millisecond, Again: 25}, {Away: time.Second}, {Restarted: true}, {Fresh: true}, {Planned: true, Warm: true},
	} {
		cause := io.ErrUnexpectedEOF
		if r.Planned {
			cause = nil
		}
		shown.away(cause)
		shown.back(r)
	}
	shown.away(websocket.CloseError{Code: websocket.StatusNormalClosure})
	const lost = "— connection lost (unexpected EOF); coming back\n"
	want := lost + "— back after 120 ms: the session goes on, 0.5 s of the microphone were sent again\n" +
		lost + "— back after 1000 ms: another node goes on with the session, 0.0 s of the microphone were sent again\n" +
		lost + "— back after 0 ms: the session goes on; some of it may not have been shown, 0.0 s of the microphone were sent again\n" +
		lost + "— back after 0 ms: a new session goes on with the conversation, 0.0 s of the microphone were sent again\n" +
		"— moved to another connection: the session goes on\n"
	if out.String() != want {
		t.Errorf("printed\n%swant\n%s", out.String(), want)
	}
}
