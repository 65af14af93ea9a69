// Package deepgram hears learners through Deepgram's two live endpoints, behind
// the one contract [providers.Recognizer]:
//
//   - Flux, /v2/listen: ten languages; the model itself says when a turn starts,
//     may be over, goes on, and ends. Its events are those of [providers.Heard].
//   - Nova, /v1/listen: every other language; interim and final results, with an
//     energy detector's pauses. They are adapted to the same events (see novaTurns).
//
// [Client.Listen] chooses by language. One stream is one WebSocket with one
// reader goroutine; writes happen on the caller's goroutine under a deadline.
// Nothing reconnects: the vendor's clock starts again on a new socket, so only
// the session can say what that means.
//
// Why not the vendor's own package for live audio: it spends seven times the CPU
// on a transcript, holds a mutex while it sleeps on close and so loses the finals
// that arrive then, dials again silently inside a write, cannot be cancelled, and
// turns a refused handshake into a bare false. It is used in this package's tests,
// as the foreign client that the simulator has to satisfy.
//
// Things to know about the wire:
//
//   - An empty binary frame ends a stream, so none is ever sent.
//   - Audio is joined to 80 ms before it is sent: what Flux asks for, and a
//     quarter fewer system calls. Finalize and Drain flush what is waiting.
//   - speech_final is a pause, not the end of a turn: a hesitant sentence has
//     several. It ends a segment; the session's turn clock ends turns.
//   - A stream that was drained ends with Metadata (Nova) or a close without a
//     code (Flux). Anything else is an error with the vendor's request id.
//   - Flux has no KeepAlive message and answers unknown ones with a fatal error.
//     WebSocket pings keep its socket instead; silence would cost money and move
//     the clock that words are timed by.
package deepgram
