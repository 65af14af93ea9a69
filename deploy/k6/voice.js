/**
 * A learner for load tests: signs up, opens the voice socket, speaks a recording, listens to
 * the answer at the pace of a loudspeaker and reports what was heard, as a real client does.
 *
 * A scenario is a script beside this one that decides how many learners come when. Most need
 * {@link converse} alone; those that interrupt or come back drive a {@link Call} themselves.
 * Learners take no thread while they wait, so several of them can share a virtual user.
 *
 * Metrics, one sample for each turn or call:
 *
 *   connect_ms           from opening the socket to session.created
 *   time_to_first_audio  from the last sound that the learner sent to the first of the answer that came
 *   underrun_ms          how long a reply kept the loudspeaker waiting, all in all
 *   turns_ok             turns that were understood, stored, answered and heard whole; one that
 *                        never began counts as failed
 *   calls                by the tag close_code: the server's, "left" when the learner gave up, "lost"
 *                        without a close, "none" when there was no socket
 *   mic_frames_dropped   frames that the link was too slow for, where there were any
 */

import { check } from "k6";
import exec from "k6/execution";
import { Counter, Rate, Trend } from "k6/metrics";
import { WebSocket } from "k6/websockets";

import { guestTicket } from "./account.js";
import { Loudspeaker, Reply } from "./loudspeaker.js";
import { FRAME_MS, Microphone } from "./microphone.js";

const PROTOCOL = "kalami.v1";
const OPEN = 1;
const STEP_LIMIT_MS = 60000; // for one thing to happen, on a machine that is busy
const ACK_EVERY_MS = 2000;
const ACK_EVERY_EVENTS = 32;
const HEADER_BYTES = 12;
const TUTOR = 0x12; // version 1, the tutor's audio
const END_OF_STREAM = 2;

const connectMs = new Trend("connect_ms", true);
const timeToFirstAudio = new Trend("time_to_first_audio", true);
const underrunMs = new Trend("underrun_ms", true);
const turnsOk = new Rate("turns_ok");
const calls = new Counter("calls");
const micFramesDropped = new Counter("mic_frames_dropped");

/** The server under test: KALAMI_URL, or where "make run" serves. */
export const SERVER = (__ENV.KALAMI_URL || "http://127.0.0.1:8000").replace(/\/+$/, "");

/** A whole number of at least 1 from the environment. */
export function setting(name, otherwise) {
  const value = Number(__ENV[name] || otherwise);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} must be a whole number of at least 1`);
  return value;
}

/** Waits without holding up the other learners of this virtual user. */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Holds one conversation as a new guest: hears the greeting, takes turns, hangs up. What goes
 * wrong is counted and said on the console, not thrown.
 *
 * @param {{language: string, level: string, turns: number, recording: object}} plan `recording`
 *   is spoken in every turn; see microphone.js
 */
export async function converse({ language, level, turns, recording }) {
  let call = null;
  let taken = 0;
  try {
    call = new Call(await guestTicket(SERVER, { language, level }));
    await call.greeted();
    for (; taken < turns; taken++) turnsOk.add(await call.turn(recording));
    await call.hangUp();
  } catch (error) {
    console.error(`learner ${exec.vu.idInTest}: ${error.message}`);
  }
  for (; taken < turns; taken++) turnsOk.add(false);
  call?.leave();
  const code = call ? await call.closed : "none";
  calls.add(1, { close_code: String(code) });
  if (call?.microphone?.dropped > 0) micFramesDropped.add(call.microphone.dropped);
  check(code, { "the call ends normally": (c) => c === 1000 });
}

/** An open voice socket with a microphone and a loudspeaker. It connects at once. */
export class Call {
  constructor({ url, ticket }) {
    this.began = Date.now();
    this.socket = new WebSocket(url, [PROTOCOL, `kalami.token.${ticket}`]);
    this.socket.binaryType = "arraybuffer";
    this.speaker = new Loudspeaker((type, fields) => this.send(`output_audio_buffer.${type}`, fields));
    this.microphone = null;
    this.created = false; // the session has begun
    this.ended = false; // and is over, by the server's word
    this.left = false;
    this.quiet = false; // nothing is sent any more; see hush
    this.code = undefined; // see closed
    this.replies = []; // in the order in which they began
    this.understood = 0; // the learner's turns with words
    this.stored = 0; // and those that are on disk
    this.seq = 0;
    this.ackedSeq = 0;
    this.ackedAt = this.began;
    this.inOrder = true;
    this.trouble = ""; // the last error that the server told
    this.waiting = null; // see until
    /** Resolves when the connection is over: to the server's close code, "left" or "lost". */
    this.closed = new Promise((resolve) => { this.resolveClosed = resolve; });
    this.timer = setInterval(() => this.tick(), FRAME_MS);
    this.socket.onmessage = (message) => this.receive(message);
    this.socket.onerror = ({ error }) => { this.trouble ||= error; };
    this.socket.onclose = ({ code }) => this.over(code ?? "lost");
  }

  /** Resolves when the tutor's greeting was heard. */
  async greeted() {
    await this.until("session.created", () => this.created);
    check(this.socket, { [`the server speaks ${PROTOCOL}`]: ({ protocol }) => protocol === PROTOCOL });
    await this.until("the greeting", () => this.replies[0]?.status && this.replies[0].stopped);
  }

  /**
   * Speaks, and listens to the answer.
   *
   * @returns {Promise<boolean>} whether the turn went well; it rejects when the call cannot go on
   */
  async turn(recording) {
    const before = { replies: this.replies.length, understood: this.understood, stored: this.stored };
    this.trouble = "";
    this.microphone.say(recording);
    await this.until("the end of the learner's own speech", () => this.microphone.spokenAt);
    // An answer that was begun too early is cancelled, and another follows it.
    const answer = () => this.replies.slice(before.replies).find(({ status }) => status && status !== "cancelled");
    await this.until("the answer", () => answer()?.stopped);
    const reply = answer();
    if (reply.firstAt > 0) {
      timeToFirstAudio.add(reply.firstAt - this.microphone.spokenAt);
      underrunMs.add(reply.underrunMs);
    }
    const ok = check(this, {
      "the learner was understood": () => this.understood > before.understood,
      "the learner's words are stored": () => this.stored > before.stored,
      "the tutor answered": () => reply.status === "completed" && reply.samples > 0,
      "the answer came whole": () => reply.whole && Math.abs(reply.receivedMs - reply.announcedMs) <= 1,
      "nothing went wrong meanwhile": () => this.trouble === "" && this.inOrder,
    });
    if (!ok) console.error(`learner ${exec.vu.idInTest}: a turn failed: ${this.story(reply)}`);
    return ok;
  }

  /** Ends the lesson and waits until the server has closed the socket. */
  async hangUp() {
    this.send("session.end", {});
    this.hush();
    await this.until("session.ended", () => this.ended);
    await this.until("the close", () => this.code !== undefined);
  }

  /** Closes the socket if it is open; one that is still connecting ends by itself. */
  leave() {
    if (this.socket.readyState !== OPEN) return;
    this.left = true;
    this.socket.close(1000);
  }

  /**
   * Sends nothing more, since the server is about to close: when k6 fails to write after the
   * server's close frame, it forgets the code that came with that.
   */
  hush() {
    this.quiet = true;
  }

  get canSend() {
    return !this.quiet && this.socket.readyState === OPEN;
  }

  /** Sends one event if the connection is open. */
  send(type, fields) {
    if (this.canSend) this.socket.send(JSON.stringify({ type, ...fields }));
  }

  /**
   * Waits until what only time or the server can change is so; one caller at a time. Rejects
   * when the connection is over before that, or after a minute.
   */
  until(what, happened) {
    return new Promise((resolve, reject) => {
      this.waiting = { what, happened, resolve, reject, by: Date.now() + STEP_LIMIT_MS };
      this.look();
    });
  }

  look() {
    const { waiting } = this;
    if (!waiting) return;
    const happened = waiting.happened();
    if (!happened && this.code === undefined && Date.now() < waiting.by) return;
    this.waiting = null;
    if (happened) waiting.resolve();
    else waiting.reject(new Error(`${waiting.what} did not come: ${this.story(this.replies.at(-1))}`));
  }

  /** What is known of the call, for the console; no words of the conversation. */
  story(reply) {
    const { code, trouble, understood, stored, inOrder } = this;
    const { status, samples, whole, announcedMs } = reply ?? {};
    return JSON.stringify({ code, trouble, understood, stored, inOrder, dropped: this.microphone?.dropped,
      replies: this.replies.length, reply: { status, samples, whole, announcedMs } });
  }

  tick() {
    const now = Date.now();
    if (this.canSend) this.microphone?.tick(now);
    this.speaker.tick(now);
    if (now - this.ackedAt >= ACK_EVERY_MS) this.ack(now);
    this.look();
  }

  ack(now) {
    this.ackedAt = now;
    if (this.seq > this.ackedSeq) this.send("ack", { seq: this.seq });
    this.ackedSeq = this.seq;
  }

  over(code) {
    clearInterval(this.timer);
    this.code = this.left ? "left" : code;
    this.resolveClosed(this.code);
    this.look();
  }

  /** Takes a message; its timestamp is when it came, not when there was time for it. */
  receive({ data, timestamp }) {
    if (data instanceof ArrayBuffer) {
      this.audio(data, timestamp);
    } else {
      const event = JSON.parse(data);
      this.inOrder &&= event.seq === this.seq + 1;
      this.seq = event.seq;
      HANDLERS[event.type]?.(this, event, timestamp);
      if (this.seq - this.ackedSeq >= ACK_EVERY_EVENTS) this.ack(Date.now());
    }
    this.look();
  }

  audio(data, now) {
    const head = new DataView(data);
    if (head.getUint8(0) !== TUTOR) throw new Error(`a frame of an unknown kind: ${head.getUint8(0)}`);
    this.speaker.take({
      stream: head.getUint16(2), seq: head.getUint32(4), pos: head.getUint32(8),
      samples: (data.byteLength - HEADER_BYTES) / 2, last: (head.getUint8(1) & END_OF_STREAM) !== 0,
    }, now);
  }

  reply(id) {
    return this.replies.find((reply) => reply.id === id);
  }
}

/** What a learner's client does about each event that came at `now`; the rest is for people. */
const HANDLERS = Object.freeze({
  "session.created"(call, event, now) {
    call.created = true;
    connectMs.add(now - call.began);
    call.microphone = new Microphone(call.socket, now);
  },
  "session.ended"(call) {
    call.ended = true;
    call.hush();
  },
  "conversation.item.input_audio_transcription.completed"(call, { transcript }) {
    if (transcript !== "") call.understood++;
  },
  "conversation.item.done"(call, { item }) {
    if (item.role === "user") call.stored++;
  },
  "response.created"(call, { response, stream, audio }) {
    const reply = new Reply(response.id, stream, audio.format.rate);
    call.replies.push(reply);
    call.speaker.announce(reply);
  },
  "output_audio_buffer.mark"(call, { response_id: id, name, at_ms: atMs }) {
    call.speaker.mark(id, name, atMs);
  },
  "response.output_audio.done"(call, { response_id: id, audio_ms: audioMs }) {
    const reply = call.reply(id);
    if (reply) reply.announcedMs = audioMs;
  },
  "output_audio_buffer.clear"(call, { response_id: id, stream }, now) {
    call.speaker.clear(id, stream, now);
  },
  "response.done"(call, { response: { id, status } }) {
    const reply = call.reply(id);
    if (!reply) return;
    reply.status = status;
    if (status !== "completed" || reply.samples === 0) call.speaker.end(id);
  },
  error(call, { error }) {
    call.trouble = error.code;
    if (error.fatal) call.hush();
  },
  ping(call, { id, ts }) {
    call.send("pong", { id, ts });
  },
});
