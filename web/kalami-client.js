/**
 * A client of Kalami's voice socket that comes back by itself, for web pages and for apps with
 * a browser's engine. It is this file and the folder `client` beside it, and needs nothing else.
 *
 *   import { KalamiClient } from "./kalami-client.js";
 *
 *   const client = new KalamiClient({
 *     // POST /v1/voice/tickets, with conversation_id when there is one
 *     ticket: async (conversationId) => ({ url: "wss://…/v1/voice", ticket: "kt_…" }),
 *     onEvent: (event) => {},   // every event of the server, once and in order
 *     onAudio: (frame) => {},   // every frame of the tutor's voice, once: PCM16 in frame.audio
 *     onState: (state) => {},   // "connecting", "live", "reconnecting", "closed"
 *     onClose: (end) => {},     // it is over: {code, reason} or {error} of ticket()
 *   });
 *   client.connect();
 *   client.microphone.push(samples, muted);   // PCM16 at 16 kHz, in blocks of any length
 *   client.report("output_audio_buffer.position", { response_id, played_ms, buffered_ms });
 *   client.type("¿Y esto?");                  // a message that is written: it is not lost with a socket
 *   client.end();                             // the server answers session.ended
 *
 * What happens when the socket is lost: the microphone's last 15 s are kept, the tutor's audio
 * that is there plays on, and the client returns with its resume token. After
 * `session.resumed` the events that were missed follow as if nothing had been. Its
 * `response.action` is for the player: "continue": the rest of the audio comes; "truncated":
 * the reply is over at `audio_end_ms`; "respeak": play what is there up to `audio_end_ms`, the
 * rest comes in another stream, which `response.created` announces under the same id, with
 * places that count on from there. `session.restarted` instead says that what was missed cannot
 * be proven: its `items` replace what is shown, and a reply that it does not name is void; of one
 * with `captions_anew` all captions are, and come again. A
 * `session.created` that is not the first one is a new session of the same conversation.
 *
 * The player's reports have to pass through {@link KalamiClient#report}, also while there is no
 * socket: the server learns of the last ones at the return.
 */

import { CODE, watchNetwork } from "./client/comeback.js";
import { Sockets } from "./client/sockets.js";

const ACK_EVERY_MS = 2000;
const ACK_EVERY_EVENTS = 32;
const WATCH_EVERY_MS = 1000;
const BEGINNINGS = new Set(["session.created", "session.resumed", "session.restarted"]);

/** One conversation, which outlives its sockets. */
export class KalamiClient extends Sockets {
  /**
   * @param {{
   *   ticket: (conversationId: string) => Promise<{url: string, ticket: string}>,
   *   onEvent: (event: object) => void,
   *   onAudio: (frame: {flags: number, stream: number, seq: number, pos: number, audio: Int16Array}) => void,
   *   onState?: (state: "connecting" | "live" | "reconnecting" | "closed") => void,
   *   onClose?: (end: {code: number, reason: string, retryAfterMs: number, error?: Error}) => void,
   *   playback?: () => ({response_id: string, played_ms: number, buffered_ms: number} | null),
   * }} handlers `ticket` gets "" for a new conversation, and its rejection ends the client.
   *   `onClose` is called once, unless {@link close} was called first; `retryAfterMs` is what the
   *   server asked for, or 0. `playback` tells how far the player is; the last report does without it.
   */
  constructor(handlers) {
    super(handlers);
    this.state = "";
    this.ackedSeq = 0;
  }

  /** Connects. Call it once. */
  connect() {
    this.acks = setInterval(() => this.acknowledge(), ACK_EVERY_MS);
    this.watch = setInterval(() => this.look(), WATCH_EVERY_MS);
    const lost = () => this.link?.lose(CODE.lost, "offline");
    this.unwatch = watchNetwork({ changed: () => this.networkChanged(), lost, seen: () => this.look() });
    this.enter("connecting");
    this.renew();
  }

  /** Sends one event; false when there is no connection, and then it is not sent later either. */
  send(type, fields = {}) {
    return this.link?.send(type, fields) ?? false;
  }

  /** Passes on a report of the player: `output_audio_buffer.*`. While there is no connection it is remembered. */
  report(type, fields) {
    this.session.played(type, fields);
    return this.send(type, fields);
  }

  /**
   * Sends what the learner has written, now or as soon as the connection is back, and again until
   * the server has named it. False before the first session, after the last, and when too many wait.
   */
  type(text) {
    if (this.state !== "live" && this.state !== "reconnecting") return false;
    const event = this.typed.add(text);
    if (event) this.send(event.type, event.fields);
    return event !== null;
  }

  /** Asks the server to end the lesson, now or as soon as the connection is back. */
  end(reason = "learner") {
    this.ending = { reason };
    return this.send("session.end", this.ending);
  }

  /** Leaves without a word to the handlers. */
  close() {
    this.stop();
    this.opening?.leave();
    this.link?.leave();
    this.link = null;
  }

  // What the server says.

  take(link, event) {
    if (link === this.opening && BEGINNINGS.has(event.type)) {
      this.attach(link, event);
      return;
    }
    const { session } = this;
    if (this.held && link === this.link) {
      // Another node may number its own events like these, which it does not know of.
      this.held.push(event);
      return;
    }
    if (link !== this.link || event.seq <= session.lastSeq) return; // another socket's, or it came before
    if (event.seq > session.lastSeq + 1) {
      link.lose(CODE.lost, "events are missing"); // the return tells what is true
      return;
    }
    session.lastSeq = event.seq;
    const offered = session.offered(event);
    this.typed.confirm(event);
    if (event.type === "input_audio_buffer.ack") this.microphone.acknowledge(event.input.stream, event.input.seq);
    if (event.type === "session.goaway") this.goAway(event.reconnect);
    this.handlers.onEvent(event);
    if (offered || session.lastSeq - this.ackedSeq >= ACK_EVERY_EVENTS) this.acknowledge();
  }

  /** The session is at this socket. */
  attach(link, event) {
    const old = this.link;
    this.opening = null;
    this.held = null;
    this.link = link;
    link.attached();
    old?.leave();
    clearTimeout(this.moving);
    clearTimeout(this.late);
    this.connections++;
    this.afterMs = 0;
    this.session.begin(event);
    if (event.type === "session.created") this.microphone.begin();
    this.acknowledge(true);
    const { lastWord } = this.session;
    if (lastWord) this.send(lastWord.type, lastWord.fields); // it may have been lost with the socket before
    this.typed.confirm(event);
    for (const { type, fields } of this.typed.waiting) this.send(type, fields);
    this.microphone.attach(link.socket, event.input ?? this.microphone.next);
    this.handlers.onEvent(event);
    if (this.ending) this.send("session.end", this.ending);
    this.enter("live");
  }

  /** The server asks to come back elsewhere; without `resume` it only says when the session ends. */
  goAway({ resume, after_ms: afterMs = 0, url } = {}) {
    if (!resume) return;
    if (url) this.url = new URL(url, this.url).href;
    this.afterMs = afterMs;
    clearTimeout(this.moving);
    this.backoff.reset();
    this.moving = setTimeout(() => this.move(), afterMs);
  }

  acknowledge(always = false) {
    const { lastSeq } = this.session;
    if ((always || lastSeq > this.ackedSeq) && this.send("ack", { seq: lastSeq })) this.ackedSeq = lastSeq;
  }

  look() {
    if (this.link && performance.now() - this.link.lastInbound > this.session.timeoutMs) {
      this.link.lose(CODE.silent, "heartbeat_timeout");
    }
  }

  enter(state) {
    if (state !== this.state) this.handlers.onState?.(this.state = state);
  }

  finish({ code, reason, retryAfterMs = 0, error }) {
    this.stop();
    this.enter("closed");
    this.handlers.onClose?.({ code, reason, retryAfterMs, error });
  }

  stop() {
    this.cancel();
    clearInterval(this.acks);
    clearInterval(this.watch);
    this.unwatch?.();
    this.microphone.detach();
  }
}
