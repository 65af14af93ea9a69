// Package line is a learner's line: what a session talks to, for as long as the learner's
// client comes back. Sockets come and go beneath it.
//
//	             ┌────────────────────────── Line ──────────────────────────┐
//	UPLINK ◄─────┤ mic frames in order, once            ◄── Read            │
//	DOWNLINK ───►┤ numbers ──► replay log ──► WriteText ──►                 ├── Socket
//	        ───►┤            unheard frames ──► WriteAudio ──►              │   (one at a time)
//	CONDUCTOR ──►┤ Drop                                                     │
//	             └───────┬──────────────────────────────────────────────────┘
//	                     └── Changes ──► the mirror, for other nodes
//
// # Events
//
// The line numbers the events and keeps them, encoded, until the client has acknowledged
// them: 512 events, 1 MiB and ten minutes at the most, the oldest go first. There is one
// order of events, and each socket has a place in it: whoever has something to write
// writes all from that place on. A client that returns says which event it has seen last;
// its new socket starts there, so that nothing is missing and nothing comes twice. Where
// the log does not reach back so far the client is told so ([ErrHole]), and never given a
// log with a hole.
//
// # The tutor's audio
//
// A frame is kept until the client is known to have it: by the position that its player
// reports (played and buffered together), or by the acknowledgement of a later event,
// since a socket keeps the order. What is kept at a return is sent again as it was, with
// the retransmission flag. Nothing is dropped before: where there is no room for another
// frame the line is full ([Line.Full]), and the session waits before it writes one. There
// is room for 1.5 s for a client that reports its position, which is so not sent more
// than that ahead of what it has, and for 6 s for one that only acknowledges events. A
// client that talks for two seconds with audio before it, and has never said what it has,
// is not waited for: of its audio the last 1.5 s are kept.
//
// A client counts the places in a reply from the reply's beginning, also when another
// node had begun it: its stream here begins where the audio that it has of it was cut. If it
// does not know of that stream when it returns once more, the answer to its last return was
// lost: it is told again where to cut, and what it has beyond that does not count.
//
// # The microphone
//
// Frames are numbered by the client, and sent again by it after a break. The line knows
// the next one: what it has already is dropped when it is flagged as sent again, and
// refused by name when it is not; so is a frame of an older stream. A gap is the client's
// own: it says so by the frame's position.
//
// # Sockets
//
// A socket is lost when it breaks, when a write takes longer than five seconds, when the
// session drops it, and when another takes its place. The session reads [session.Detached]
// for the first three and [session.Attached] when there is another, unless that one is lost
// before the session has read of it; a close by the client with 1000 ends the session. Nothing that is written waits for a socket: it is kept.
// The goroutine that reads is the session's own; a line has none but for the time in which
// a token is made or a socket is closed, and [Line.Close] waits for those.
package line
