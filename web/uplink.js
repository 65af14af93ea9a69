/**
 * From the learner's mouth to the server: which of the microphone's sound is sent, and what
 * the learner says about their turn by hand. It lives as long as the lesson, through all of
 * its connections.
 */

import { SOUND, keepManner, recallManner } from "./manner.js";

const HOLD_MS = 15000;
const TAP_MS = 300; // whoever lets go sooner wanted to tap, and taps again when they are done
const TAIL_MS = 200; // people let go on their last syllable
const ECHO_MS = 200; // how long a room still sounds of the tutor's last word

/** Serves one lesson. */
export class Uplink {
  /** @param {import("./lesson.js").Lesson} lesson */
  constructor(lesson) {
    this.lesson = lesson;
    this.manner = recallManner();
    this.muted = false;
    /** Until when the tutor waits, in performance.now() milliseconds. */
    this.holdUntil = 0;
    this.byWord = false; // the learner asked for it aloud
    /** In push-to-talk: the learner has the word; `latched`, by a tap. */
    this.talking = false;
    this.latched = false;
    this.pressedAt = 0;
    this.closing = 0; // timer: the microphone stays open for the tail of the last word
    this.quietAt = 0; // when the room will have fallen silent after the tutor
    this.askedHalf = false; // the page itself asked for half duplex
    this.owed = false; // a turn was closed while there was no connection
  }

  get microphone() {
    return this.lesson.audio?.microphone;
  }

  /** Whether turns begin and end by hand alone. */
  get pushToTalk() {
    return this.manner.pushToTalk && this.lesson.withMicrophone;
  }

  /** Whether the microphone waits while the tutor speaks, for want of echo cancellation. */
  get halfDuplex() {
    return this.lesson.conversation.session?.duplex === "half";
  }

  /** Whether it waits now. */
  get waits() {
    return this.halfDuplex && (this.lesson.conversation.sounding > 0 || performance.now() < this.quietAt);
  }

  /** Whether what the microphone hears goes to the server. */
  get open() {
    if (this.muted) return false;
    if (this.pushToTalk) return this.talking || this.closing !== 0;
    return !this.waits;
  }

  /** A connection has begun, or is back: tells the server what the device is and how the learner likes to talk. */
  begin() {
    const { lesson } = this;
    lesson.socket.send("input_audio.state", this.facts());
    if (this.owed) lesson.socket.send("input_audio_buffer.commit"); // what it closes was sent just now
    this.owed = false;
    const session = {};
    const detection = lesson.conversation.session?.audio?.input?.turn_detection;
    if (this.pushToTalk && detection) session.audio = { input: { turn_detection: null } };
    const duplex = this.wantedDuplex();
    if (duplex) session.duplex = duplex;
    this.update(session);
  }

  /** The microphone is another one, or it was opened again. */
  deviceChanged(restarted) {
    const { socket } = this.lesson;
    if (restarted) socket?.microphone.nextEpoch();
    socket?.send("input_audio.state", this.facts());
    const duplex = this.wantedDuplex();
    if (duplex) this.update({ duplex });
  }

  /** What the protocol's `input_audio.state` wants to know. */
  facts() {
    const facts = this.microphone.facts();
    if (this.manner.sound === SOUND.headphones && facts.route === "speaker") facts.route = "wired";
    return facts;
  }

  /** The duplex that the server should be asked for; null when it may stay as it is. */
  wantedDuplex() {
    const { session } = this.lesson.conversation;
    if (!session?.duplex || !this.microphone?.open) return null;
    const { aec, route } = this.facts();
    const echoes = !aec && route === "speaker";
    let wanted = { headphones: "full", speaker: "half" }[this.manner.sound] ?? (echoes ? "half" : null);
    if (!wanted && this.askedHalf) wanted = "full"; // what the server itself decided stays
    if (!wanted || wanted === session.duplex) return null;
    this.askedHalf = wanted === "half";
    return wanted;
  }

  update(session) {
    if (Object.keys(session).length > 0) this.lesson.socket?.send("session.update", { session });
  }

  /** Takes 20 ms of the microphone: `at` is when its last sample came in, in the context's seconds. */
  take({ samples, rms, at }) {
    const { lesson, microphone, open } = this;
    if (!microphone) return; // the last blocks of a lesson that is over
    lesson.micLevel = open ? rms : 0;
    const lane = lesson.socket?.microphone;
    lane?.push(samples, !open);
    if (open) lesson.clock.level(rms, 1000 * at - microphone.latencyMs, lane?.positionMs ?? 0);
    if (!lane) return;
    lesson.counters.micFrames = lane.taken;
    lesson.counters.micDropped = lane.dropped;
    lesson.counters.micResent = lane.resent;
  }

  /** The tutor has just stopped playing; it is heard a little longer. */
  tutorStopped(outputLatencyMs) {
    this.quietAt = performance.now() + outputLatencyMs + ECHO_MS;
  }

  /** Mutes or opens the microphone. */
  setMuted(muted) {
    const { lesson } = this;
    this.muted = muted;
    this.microphone?.setMuted(muted);
    if (muted) lesson.micLevel = 0;
    if (this.microphone) lesson.socket?.send("input_audio.state", this.facts());
    lesson.changed();
  }

  /** Asks the tutor to wait while the learner thinks. */
  hold() {
    const { lesson } = this;
    if (!lesson.socket?.send("tutor.hold", { ms: HOLD_MS })) return;
    this.byWord = false;
    this.holdOn();
  }

  /** The learner asked for time in words; it lasts as long, or until they say more. */
  heldByWord() {
    this.byWord = true;
    this.holdOn();
  }

  holdOn() {
    this.holdUntil = performance.now() + HOLD_MS;
    setTimeout(() => this.lesson.changed(), HOLD_MS + 50);
    this.lesson.changed();
  }

  /** Words of the learner have come. */
  spoke() {
    if (this.byWord) this.holdUntil = 0;
  }

  /** Whether the tutor waits because it was asked to. */
  get holding() {
    return performance.now() < this.holdUntil;
  }

  /** The learner has said all they want to say: the tutor need not wait any longer. */
  done() {
    const { socket } = this.lesson;
    socket?.microphone.flush();
    if (socket && !socket.send("input_audio_buffer.commit")) this.owed = true;
    this.turnClosed();
  }

  /** The turn is over: nobody waits any more. */
  turnClosed() {
    this.holdUntil = 0;
    this.lesson.changed();
  }

  // Push-to-talk: hold, or tap and tap again.

  /** The button goes down. */
  press() {
    if (this.latched) {
      this.finish();
      return;
    }
    if (this.talking || this.lesson.conversation.phase !== "live") return;
    clearTimeout(this.closing);
    this.closing = 0;
    if (this.muted) this.setMuted(false);
    this.lesson.stopTutor();
    this.talking = true;
    this.pressedAt = performance.now();
    this.lesson.changed();
  }

  /** The button comes up. */
  release() {
    if (!this.talking || this.latched) return;
    if (performance.now() - this.pressedAt < TAP_MS) {
      this.latched = true;
      this.lesson.changed();
      return;
    }
    this.finish();
  }

  /** The whole button at once, as a screen reader or the Enter key presses it. */
  tap() {
    const was = this.talking;
    this.press();
    if (!was && this.talking) this.latched = true;
    this.lesson.changed();
  }

  finish() {
    this.talking = false;
    this.latched = false;
    this.closing = setTimeout(() => {
      this.closing = 0;
      this.done();
    }, TAIL_MS);
    this.lesson.changed();
  }

  /** Lets go of the word without a turn, as when the connection is lost. */
  drop() {
    clearTimeout(this.closing);
    this.closing = 0;
    this.talking = false;
    this.latched = false;
    this.holdUntil = 0;
    this.owed = false;
  }

  // What the learner chooses.

  /** Turns push-to-talk on or off, now and for the next lessons. */
  setPushToTalk(on) {
    const detection = this.lesson.conversation.session?.audio?.input?.turn_detection;
    this.drop();
    this.choose({ pushToTalk: on });
    if (on && this.muted) this.setMuted(false);
    if (on) this.patienceMs = detection?.patience_ms;
    const patient = { type: "patient", ...(this.patienceMs && { patience_ms: this.patienceMs }) };
    this.update({ audio: { input: { turn_detection: on ? null : patient } } });
  }

  /** Says what the tutor's voice comes out of; see {@link SOUND}. */
  setSound(sound) {
    this.choose({ sound });
    if (!this.microphone) return;
    this.lesson.socket?.send("input_audio.state", this.facts());
    const duplex = this.wantedDuplex();
    if (duplex) this.update({ duplex });
  }

  choose(change) {
    this.manner = { ...this.manner, ...change };
    keepManner(this.manner);
    this.lesson.changed();
  }
}
