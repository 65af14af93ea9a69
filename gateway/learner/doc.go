// Package learner is a learner's client in Go: what a phone or a page does, without
// a screen. The command-line learner, the end-to-end tests and the load programs
// talk through it.
//
// An [Account] signs in and buys tickets over HTTP; [Account.Call] opens the voice
// socket. A [Call] speaks at the pace of a microphone, by an absolute schedule that
// never drifts, and listens like a loudspeaker: it plays the tutor's audio by the
// clock, reports what was played as the protocol asks, and falls silent when it is
// told to. What happens is handed to the caller as it arrives.
//
// A call is one socket. [Account.Lesson] opens what a learner has: a conversation that
// outlives its sockets. A [Lesson] keeps the resume token, the number of the last event
// and the last 15 s of the microphone; when its socket is lost or the server asks it to
// move, it comes back by the protocol, and the player goes on where it was.
package learner
