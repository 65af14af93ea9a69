package gateway

import (
	"context"

	"kalami/gateway/wire"
)

// originalChunks is a recording that arrives in pieces, between start_recording and
// stop_recording. The original threw the pieces away; here they make a turn like any
// other recording.
type originalChunks struct {
	file []byte
	held int64 // of the room, for file
	over bool  // more came than a recording may have; the rest is thrown away
}

// startRecording begins a recording; one that was under way is thrown away.
func (t *originalTalk) startRecording() {
	t.dropChunks()
	t.chunks = &originalChunks{}
	_ = t.conn.say(wire.OriginalRecordingStarted{})
}

// chunk takes one piece. Whatever becomes of it, it is answered as it always was.
func (t *originalTalk) chunk(data []byte) {
	if c := t.chunks; c != nil && !c.over && !t.keep(c, data) {
		t.dropChunks()
		t.chunks = &originalChunks{over: true}
	}
	_ = t.conn.say(wire.OriginalAudioReceived{Bytes: len(data)})
}

// keep appends a piece, or tells the client why not.
func (t *originalTalk) keep(c *originalChunks, data []byte) bool {
	size := len(c.file) + len(data)
	if size > wire.MaxOriginalAudio {
		t.failWith(errRecordingTooLarge())
		return false
	}
	if size > cap(c.file) {
		size = min(max(size, 2*cap(c.file)), wire.MaxOriginalAudio)
		if size > freeMessage {
			if !t.conn.room.takeLong(int64(size) - c.held) {
				t.failWith(errNoRoom())
				return false
			}
			c.held = int64(size)
		}
		c.file = append(make([]byte, 0, size), c.file...)
	}
	c.file = append(c.file, data...)
	return true
}

// stopRecording makes a turn of what was recorded. Without a piece there is none: the app
// may announce a recording that it then sends whole.
func (t *originalTalk) stopRecording(stop context.Context) {
	c := t.chunks
	t.chunks = nil
	switch {
	case c == nil || len(c.file) == 0 && !c.over:
		_ = t.conn.say(wire.OriginalProcessing{Stage: stageTranscribing})
	case c.over: // it has been told
	default:
		t.acceptTurn(stop, wire.OriginalAudio{Audio: c.file}, c.held)
	}
}

// dropChunks throws a recording away.
func (t *originalTalk) dropChunks() {
	if t.chunks != nil {
		t.conn.room.give(t.chunks.held)
		t.chunks = nil
	}
}
