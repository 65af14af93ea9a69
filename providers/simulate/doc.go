// Package simulate serves the wire protocols of Kalami's vendors on one HTTP
// handler, so that everything can be run, tested and shown without a key: our
// real clients, and other people's, talk to it over a real socket.
//
// The vendors' paths do not collide, so one address stands for all of them:
//
//	Deepgram    GET /v1/listen (WebSocket), GET /v2/listen (Flux), POST /v1/listen
//	ElevenLabs  /v1/text-to-speech/{voice}/…, GET /v1/voices, GET /v2/voices
//	Anthropic   POST /v1/messages
//	OpenAI      POST /v1/chat/completions, /v1/audio/transcriptions, /v1/audio/speech, GET /v1/models
//	Azure       POST /speech/recognition/conversation/cognitiveservices/v1, assessments of pronunciation alone
//	SpeechAce   POST /api/scoring/text/v9/json
//
// What is said comes from a [Script] per language; how fast, from a [Latency];
// what goes wrong, from [Fault]s put in by [Server.Inject] or POST /_simulate/faults.
//
// What is not proven by a simulator: real timings, real error texts beyond the
// published captures, account limits.
//
// What a real vendor does can be kept: a [Recorder] stands between our clients and
// the vendors and writes a cassette of what passes, without credentials; a [Replay]
// serves the cassette back to the same clients.
package simulate
