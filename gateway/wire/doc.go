// Package wire holds the dialects of Kalami's sockets. The native one, `kalami.v1`, is how
// the events of package session look on the wire, in both directions; the other is that of
// the original's app, described last. The package encodes and decodes and does nothing
// else; package gateway owns the connections.
//
// # Connecting
//
// A client opens GET /v1/voice as a WebSocket and offers the subprotocol
// [Subprotocol], which the server always selects. Who cannot set an Authorization
// header, which is every browser, offers a second subprotocol: [TokenPrefix]
// followed by a ticket (kt_…, a new session) or a resume token (kr_…, a return).
// Credentials never stand in the URL, where logs would keep them.
//
// A ticket is bought by POST /v1/voice/tickets right before connecting, is good once
// and for a minute, and binds everything that the session starts with. With an access
// token in the header there is none, so what it would bind stands in the query:
// profile_id, and conversation_id, topic or scenario_id if wanted.
//
// What a page must be told about a refusal is told after the upgrade, by an error event
// and a close code, since a page cannot see the status of a refused upgrade.
//
// # Framing
//
// A text frame is one JSON object, UTF-8, of at most [MaxTextBytes]. The server's
// events have type, seq (from 1, one more per event, without holes), event_id and
// ts (milliseconds since the session's start); the client's have type and, if it
// likes, an event_id that comes back in error.event_id. Unknown types and fields
// are ignored by both sides; the server says unknown_event once per type.
//
// A binary frame is audio behind a header of [HeaderBytes], big endian:
//
//	byte  0     high nibble: version, 1; low nibble: 1 mic, 2 tutor
//	byte  1     flags: 1 discontinuity, 2 end of stream, 4 retransmission, 8 silence
//	bytes 2-3   stream: mic, one more at each restart; tutor, response.created.stream
//	bytes 4-7   seq: one more per frame of a stream
//	bytes 8-11  pos: offset of the first sample in the stream, at the stream's rate
//
// A mic frame holds 20 to 100 ms, never more than [MaxAudioBytes]. PCM is 16-bit
// little endian, mono, at the rate that session.created names.
//
// # One turn, with an interruption
//
//	s→c  session.created {seq:1, session:{…}, resume:{token:"kr_a",…}, limits:{…}, heartbeat:{…}}
//	c→s  [0x11 stream 1 seq 0 …]                                the mic, from now on
//	s→c  input_audio_buffer.speech_started {item_id:"it_1", audio_start_ms:820}
//	s→c  conversation.item.input_audio_transcription.delta {item_id:"it_1", text:"yo fui a la"}
//	s→c  input_audio_buffer.committed {item_id:"it_1", reason:"semantic"}
//	s→c  conversation.item.input_audio_transcription.completed {item_id:"it_1", transcript:"Yo fui a la playa."}
//	s→c  conversation.item.done {item:{id:"it_1",…}}            kept: it is in the database
//	s→c  response.created {response:{id:"r_1",…}, stream:1, audio:{…}}
//	s→c  [0x12 stream 1 seq 0 …]                                the tutor's audio, a little ahead of real time
//	s→c  response.output_audio_transcript.delta {delta:"¡Muy bien!", audio_start_ms:0}
//	c→s  output_audio_buffer.started {response_id:"r_1", latency_ms:842, speech_end_ms:5120, buffer_ms:61}
//	c→s  output_audio_buffer.position {played_ms:250, buffered_ms:900}   every 250 ms
//	     — the learner speaks —
//	s→c  output_audio_buffer.pause {response_id:"r_1", stream:1}   a voice: stand still at this sample
//	s→c  input_audio_buffer.speech_started {item_id:"it_3"}     it has words; for display
//	s→c  output_audio_buffer.clear {response_id:"r_1", stream:1}   flush now; drop later frames of stream ≤ 1
//	c→s  output_audio_buffer.cleared {response_id:"r_1", played_ms:1840}   what was really heard
//	s→c  conversation.item.truncated {item_id:"it_2", transcript:"¡Muy bien! ¿Y qué", source:"client"}
//	s→c  response.done {response:{id:"r_1", status:"cancelled",…}, latency:{…}}
//
// Three rules carry it. The playback buffer is the client's, so what was heard is
// what the client reports. Only output_audio_buffer.clear flushes; speech edges are
// for display. And conversation.item.done of a learner's item is the
// acknowledgement: it is sent after the durable commit, never before.
//
// # Taking turns
//
// How the learner's turns end is session.audio.input.turn_detection: of type "patient",
// after a silence that fits the learner; of type "endpoint", where the recogniser says so;
// null is push-to-talk. input_audio_buffer.commit ends a turn at once, whatever the type,
// and tutor.hold keeps one open. tutor.nudge tells what is done for a learner who is
// silent, or that one has asked for time in words.
//
// A voice over the tutor may be nobody's: the server stops sending and asks the player by
// output_audio_buffer.pause to stand still where it is, losing nothing. Within 400 ms of
// the voice's onset comes output_audio_buffer.resume, to play on from that very sample, or
// clear. A player that does not know the two plays on, which the server notices by its
// reports. In a session that is half duplex the microphone is closed while the tutor is
// heard; session.updated tells when the server has come to that by itself.
//
// output_audio_buffer.started says that the first sample of a response is heard, and how
// long after the end of the learner's speech by the client's own clock (latency_ms), where
// in the microphone's stream that speech ended (speech_end_ms), and how long the first frame
// had been buffered (buffer_ms); what the client does not know it leaves out. response.done
// has the server's figures beside the client's.
//
// # Beside the talk
//
// What is taught comes as tutor.* events, which are shown and never played. After a message of
// the learner's tutor.feedback tells what to correct in it, some seconds later or never. On
// demand, tutor.hint is answered by an event of the same name and tutor.translate by
// tutor.translation; tutor.repeat by a response whose created event has repeats, the item that
// is said again: it is no entry of the history. tutor.transcript.edit says that the learner has
// said something else, and is acknowledged by conversation.item.done with the new text.
//
// # Errors and closing
//
// What a client sends wrongly is answered by an error event that names the code and
// the field, and the session goes on; see [DecodeControl]. A fatal error is followed
// by a close, whose reason is the error's code. Close codes tell the client what to
// do by their range: 41xx come back with the resume token, 42xx fetch a new ticket,
// 44xx stop and tell the learner. The table is in package gateway.
//
// # The original's dialect
//
// The app of the original opens GET /ws?token=<access token> and sends whole recorded
// utterances. A message is {"type": "…", "payload": {…}}; see [DecodeOriginal] and
// [AppendOriginal]. One turn:
//
//	s→c  connected {connectionId}
//	c→s  start_session {profileId, topic}
//	s→c  session_started {session}
//	c→s  audio {audio_base64, format, session_id}       one utterance, a file
//	s→c  processing {stage:"transcribing"}
//	s→c  transcription {text, is_final:true}
//	s→c  processing {stage:"thinking"}
//	s→c  processing {stage:"speaking"}
//	s→c  response {text, grammar_corrections:[…]}
//	s→c  audio {audio_base64, format:"mp3"}              the whole answer, once
//	c→s  end_session
//	s→c  session_ended
//
// A client may also send the file in pieces, as binary frames between start_recording and
// stop_recording. The app cannot be changed any more, which leaves a server three duties:
// to send no binary frame, since the app reads every frame as JSON; to send one clip for
// an answer, since each stops the one before; and to answer no heartbeat but one that
// asks, since the app answers them all.
//
// # Keeping this page true
//
// testdata/events.jsonl, controls.jsonl and original.jsonl hold one line for every event
// there is, as it stands on the wire; a test fails when an event is missing there or looks
// different. `go test ./gateway/wire -update` rewrites them.
package wire
