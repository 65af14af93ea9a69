// Package session is one live conversation between a learner and the tutor.
//
// A [Host] runs a conversation over a [Conn] as seven stages, each in a file of
// its own and in one goroutine, joined by [Host.Run]. Two start and join another for
// each reply: THINK, which cuts what the model's stream says, and SPEAK, which writes
// to the voice while it reads from it.
//
//	mic frames ──────► UPLINK ──mic──► LISTEN ──heard──► CONDUCTOR ──records──► JOURNAL ──► store
//	played, controls ───┘  │              ▲               │  ▲  ▲                  │
//	                       │              └─────orders────┘  │  └──────stored──────┘
//	                       └─────────────signals─────────────┘
//
//	CONDUCTOR ──turns──► THINK ──text──► SPEAK ──audio──► DOWNLINK ──► audio, events
//	 │    ▲                │               │               │    ▲
//	 │    └────────────────┴────progress───┴───────────────┘    │
//	 └─────────────────────────control──────────────────────────┘
//
// UPLINK is the only reader of the socket and DOWNLINK its only writer and only
// closer. The lengths of the queues, and what happens when each is full, stand
// beside their constants in pipeline.go: mic audio drops its oldest, because fresh
// beats complete; text and audio of the tutor wait, because complete beats fresh; of
// turns, and of orders to LISTEN (ask for a final, rest, wake, begin anew), the newest
// alone counts; the control lane never waits, so that a client that does not read is let
// go. Who waits for whom: UPLINK, THINK, SPEAK, DOWNLINK and LISTEN for CONDUCTOR; THINK
// for SPEAK, SPEAK and UPLINK for DOWNLINK; nobody for UPLINK. CONDUCTOR and JOURNAL wait
// for no stage, so that there is no cycle, and every wait ends with its context.
//
// # Who decides
//
// CONDUCTOR decides, alone. It is one loop over one select, does no I/O and waits
// for nobody, so every other stage may wait for it without a cycle. All of the
// conversation's state is its own: there are no locks around turn-taking. What it
// does on an event stands by subject: the learner's side in learner.go, the tutor's
// in reply.go, drafts in draft.go, the client's wishes in control.go and its player's
// word in reports.go, clocks and limits in watch.go; other files are named below.
//
// # Turn numbers
//
// Each reply has a number, rising. All that is made for a reply carries it. To
// interrupt, CONDUCTOR cancels the reply's context and puts "forget audio up to
// this number" on the control lane, which DOWNLINK looks at before every frame;
// late chunks of an old number are dropped wherever they turn up, here and in the
// client.
//
// # Drafts
//
// Patience costs time that the tutor can use: a draft is a reply begun before the
// learner's turn has ended, by the same mechanism. It has a number, a context, a prompt
// that holds the learner's words as if they were said, and it goes through THINK and
// SPEAK. Only it is held: SPEAK gives the voice its first clause and no more, the text
// lane behind it slows the model, and DOWNLINK keeps the first chunk. Nothing of it is
// written, stored or counted as an answer. CONDUCTOR keeps it beside its state, never
// together with a reply.
//
// It begins as late as it may: the time that answers took in this session, before the
// turn is due. A pause that does not end the turn then mostly costs nothing. It does
// not begin before the words have settled, which the recogniser says with an eager end
// or an end, or which a partial shows that stands for 300 ms without voice.
//
// When the turn ends with the same meaning ([turntaking.SameMeaning]), however it ends,
// the draft is released: the client is told of the turn and of the response as ever,
// and the release follows on the control lane. Otherwise it is dropped, by its cause and
// a flush, and the turn is answered anew. It is dropped as soon as it is known to be
// in vain: when the learner goes on or the recogniser resumes, when a final differs, or
// a partial for more than 300 ms; when the turn is held, cleared, or overtaken by a typed
// message, another reply or a change of settings; when model or voice fail, of which the
// learner hears only if the answer fails as well; when the session ends or drains; and
// after ten seconds, because no vendor's stream likes to stand still. To cancel a
// response while there is none leaves it alone. With push-to-talk there are none: there
// is no telling when the button will be let go.
//
// What drafts may cost is decided by package drafts.
//
// # When a turn ends
//
// The recogniser's ends are pauses, not turns: a hesitant sentence has several.
// When a turn ends is said by the turn clock ([turntaking.Clock]), which CONDUCTOR
// tells what it hears (turnclock.go): when the learner has been silent for as long as
// their own setting says, or their level's patience as it was adapted to their pauses
// ([turntaking.Adapted]); more when the sentence plainly goes on, less when it ends or
// answers what was asked ([turntaking.Judge]). Silence is counted in the time of the
// learner's own audio, from the end of the last word or of the last voice, whichever is
// later (package vad says why both are needed). What the pauses teach is kept with the
// profile when the session is over. A client that wants speed and no patience asks for
// [TurnsEndpoint]: then the recogniser's end is the turn's, unless a voice goes on.
//
// A learner who asks for time, with tutor.hold or in words (hold.go), gets it; one who
// never stops talking is interrupted kindly (turnlimit.go); one who is silent after the
// tutor has spoken is helped by and by, until the lesson pauses and the recogniser is no
// longer paid (ladder.go).
//
// Recognisers are not believed: what they say is put into the order of the speech
// (hearing_order.go), and a stream that has gone silent is replaced (stall.go).
//
// # When the tutor is interrupted
//
// Words interrupt, not voices: a cough, a "mhm" and the tutor's own echo are voices,
// too. But words come late, so that a voice makes the tutor stand still, at DOWNLINK and
// in the client, until it is decided within 400 ms of its onset what it was; then it is
// interrupted, or plays on from the very sample (yield.go). Words for stop stop it
// wherever they are heard, and the beginnings of replies are protected (overheard.go).
// A device without echo cancellation is half duplex: its microphone is closed while the
// tutor is heard (duplex.go).
//
// # What was heard
//
// The tutor's history holds what the learner heard, not what was generated. The
// client reports what its loudspeaker has played; the voice's alignment turns that
// into words (timeline.go); for want of a report the clock is the estimate. A client that
// reports, and of which nothing is heard at all, is waited for on a [Line]: what it was sent
// it may play much later, or never (reports.go). The next
// prompt tells the tutor what was not heard.
//
// # What is acknowledged
//
// [ItemDone] of a learner's item is sent only after [Journal.AppendMessage] has
// returned. The answer does not wait for it.
//
// # When a node is lost
//
// A session whose client is on a [Line] is ready to be taken up by another node in
// mid-sentence. CONDUCTOR keeps a [Handover] current: behind the events of an input that
// passed a landmark it sends the state down the control lane, and DOWNLINK gives it to the
// line, so that states and events are in one order (handover_make.go). Landmarks are: the
// learner begins to speak, or has been answered or given up; a reply begins, a whole
// sentence of it is thought, or its place in the audio is known; all of it is thought, or
// sent; the client has played another whole sentence; it is interrupted or over; a
// message is handed to JOURNAL, or stored; the settings change. Partial transcripts,
// frames and reports within a sentence make no state.
//
// Whoever goes on reads what is stored after it has raised the epoch, brings the state up
// to date with it ([Handover.Reconciled]), tells the client how the reply goes on
// ([Handover.GoOn]) and runs the session from [Params] that say so. CONDUCTOR then greets
// nobody (handover_restore.go): it stores the pending messages again under their ids, and
// goes on with the reply under its own ids, in a new stream. What was thought and not
// heard is spoken first, then the tutor is asked to go on from there; this is the one call
// of a model that a move may cost. To the client, to the timeline and to the store all
// audio of the reply is one: places count on, captions and marks come for what is spoken
// now, and the final transcript and the message are of the whole.
//
// What the learner was saying the client sends again, and it is stored under the id that
// it had, unless it is stored already. Where nothing is known but what is stored, the
// learner's last message is answered if it was not; a learner who has heard the answer is
// waited for and not greeted again.
//
// Carried are ids, numbers of streams, the settings as they were changed, usage, habits,
// when the session began and with it how long it may last, a reply's instruction and what
// of it was thought, spoken and played. Begun anew are drafts, because what was not
// released was not heard; a turn's hold, voice and transcript, which come again with its
// audio; the ladder, from its first rung, and the time without speech; round trips; what was
// learned of echoes and of a player that does not pause; and the times of the reply, of
// which only those of its second half are told.
//
// # When a node is stopped
//
// A [Move] asks CONDUCTOR to let the client go to another node (drain.go). It is told by
// session.goaway when nobody speaks; after half of the time also while it plays a sentence
// of which it has all, since what follows is then spoken elsewhere, behind it; and at the
// latest when the time is over. With that event the line falls quiet and the session
// stands still as if the client were away, while its state goes to the mirror: the client
// cannot know of anything that the next node does not. When another node has taken the
// epoch, this session ends as superseded. A client that has not gone after three seconds
// was taken nowhere; the session goes on, and it is told again later.
//
// # When parts are missing
//
// Without a recogniser the learner can type, and is told so aloud when they speak to
// nobody (unheard.go); without a voice answers come as captions; without a language model
// an apology is spoken. Each is told once, as a non-fatal error with a code of its own, and
// tried again.
//
// # Help
//
// A learner who is stuck asks for a hint, a translation or the last reply once more. Hints and
// translations are asked of [Help] in goroutines beside the stages, which CONDUCTOR bounds and
// joins (help_live.go); a repetition is a reply whose text is given and that is no message
// (repeat.go); a message that was misunderstood is edited behind itself (rewrite.go).
//
// # Dead air
//
// Nobody waits in silence: where an answer is not there two seconds after the turn's end, or
// runs dry, DOWNLINK plays a clip of package fillers in the response's own stream, and after
// eight seconds an apology ends the response (deadair.go). Clips count in all places of the
// audio and are no part of the text: not stored, not spoken again by another node, and
// captioned with a mark.
//
// # When the connection is lost
//
// A Conn is one connection, and its session ends with it. A [Line] outlives its sockets:
// it keeps what is said, and UPLINK reads from it that the client is away ([Detached]) and
// that it is back ([Attached]). Meanwhile CONDUCTOR stands still (detach.go): DOWNLINK
// writes no audio, and no clock runs, the turn's, the ladder's, the limits' and the
// heartbeat's. What the client has played by its own word is where the reply goes on. A
// client that does not come back in time is gone. One that falls silent, or does not read,
// loses its socket and not its session.
//
// The microphone's frames are acknowledged when this node is not needed for what is said
// in them: up to the utterance that is open or not stored (acknowledge.go). The client
// sends again what is not acknowledged, to this node or to another one.
//
// # What is paid for
//
// A reply is interrupted more often than not, and what the voice was given of it has been
// paid for. SPEAK gives it text for some seconds ahead of what DOWNLINK has sent and waits
// then (watermark.go); THINK waits for SPEAK, and the model's stream for THINK.
//
// # What is said about the learner's language
//
// None of it is on the way of a reply. When a learner's message is durable CONDUCTOR offers it
// to the node's [Analyses], which may decline, and goes on; what was found out comes back on a
// lane of its own (advice.go). It is stored by then, so that another node that goes on with
// the session loses none of it, and shown when the learner's mode says. A reply is steered by
// rules alone (steering.go): whether the last ones held the level, who talks more, how much
// time is left, which words are due.
//
// # What is measured
//
// Where the time of a turn goes is measured by stage, and from the end of speech to the
// first sample heard by the client and by the server, each of which checks the other
// (latency.go). It is told in [ResponseDone], kept with the message, and given to the
// node's [Meter] together with what else is counted.
//
// # Contexts
//
// The stages' context ends with the first stage that returns an error, with that
// error as its cause; an [End] travels that way to DOWNLINK, which writes what is
// left and closes. A turn's context lies below it. The caller's context is only a
// wish: CONDUCTOR reads its cause and decides how to obey. A panic in a stage ends
// its session as [EndInternal], and no other.
package session
