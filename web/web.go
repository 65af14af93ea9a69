// Package web holds the demo page: a learner chooses a language, presses one button
// and talks. It is plain ES modules and style sheets, embedded as they are: there is
// no build step, and the page asks nobody but the server that it came from.
//
// # How the page is made
//
//	app.js              which screen is shown, one lesson at a time
//	lesson.js           one lesson: microphone, socket, conversation and player together
//	conversation.js     what is shown: state, captions of both sides; no I/O
//	items.js            a message of either side, as the page keeps it
//	snapshot.js         what is shown when the server says what is stored
//	teaching.js         what is taught beside the talk: hints, translations, corrections, cards, goals
//	recall.js           a review by voice: the tutor asks the cards, the learner's words answer
//	caption-track.js    the tutor's words in time with the audio
//	turn-clock.js       how long each answer took, by the learner's own device
//	uplink.js           what of the microphone is sent, and what the learner says about their turn by hand
//	manner.js           how the learner likes to talk: push-to-talk, headphones
//	kalami-client.js    the protocol kalami.v1, for any page or app: a conversation that outlives its sockets;
//	client/             its parts: one socket, how it comes back, the microphone's frames, the binary header
//	downlink.js         server events to the player, the player's reports to the server
//	audio.js            the one AudioContext; microphone.js and player.js are its two sides
//	capture-worklet.js  device rate to 16 kHz on the audio thread
//	playback-worklet.js plays, falls silent at once and counts what was heard;
//	                    playback-ring.js is its memory, playback-pause.js stops it without losing a sample,
//	                    playback-level.js says how loud it is
//	api.js              accounts, profiles, tickets
//	problems.js         what can go wrong and what the learner can do about it
//	strings.js          every word that is shown; strings/ has them in the page's languages
//	learning.js         progress, reviews and reports, as the server tells; cards.js the cards that are kept,
//	                    memories.js what the tutor remembers and which level it sees;
//	pronunciation.js    what was understood of a sentence that recorder.js has recorded
//	review-session.js   one sitting of reviews, of which no rating is lost
//	views/, style/      the screens and their looks
//	uplot/              draws charts; another's work, as its NOTICE.md says, loaded with the first chart
//
// The files expect to be served at the root of the site, index.html for "/", with the
// REST routes and /v1/voice beside them, under a Content-Security-Policy as strict as
//
//	default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self';
//	connect-src 'self' ws: wss:; img-src 'self' data:
//
// # What a test may look at
//
// The body carries data-view (welcome, talk, summary), the main element of the
// conversation data-state (idle, connecting, listening, thinking, speaking,
// reconnecting, or problem).
// Buttons have data-action (start, talk, mute, hold, done, stop, end, send, retry, continue,
// type, back, again), bubbles data-role, data-item-id, data-final, data-acknowledged and
// data-truncated, a problem data-problem, notices data-notice, help for who does not find an
// answer data-nudge, what has just come of the talk data-news, a correction data-correction, the
// figures of an answer's time data-figure. Screens of what is learned have data-view too. window.kalami has read-only
// counters: playedSamples and nonZeroPlayedSamples (of the tutor's rate, really handed to the device),
// underruns, pauses, flushes, lateFrames, lastClearMs (order to flush until the report of it), micFrames,
// micFramesDropped, micFramesResent, connections (returns included), contextRate, turns, state, states, latencies, problem, lastClose.
//
// # Measured
//
// In Chromium, by this package's tests: from 44.1 and 48 kHz to 16 kHz the capture worklet
// leaves a residual below −75 dB of a 1 kHz tone and lets an 11 kHz tone through below
// −80 dBFS; from an order to flush until the report of it 3 to 12 ms pass. What is played with
// pauses differs from what is played without, the pauses taken out and their two fades laid over
// each other, by less than 1e-7 in every sample.
package web

import (
	"embed"
	"io/fs"
)

//go:embed index.html icon.svg *.js client/*.js strings/*.js views/*.js style/*.css uplot
var files embed.FS

// FS returns the page's files, index.html at the root. It can be read by any number of
// goroutines at the same time.
func FS() fs.FS { return files }
