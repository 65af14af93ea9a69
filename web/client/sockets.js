/** The sockets that one conversation goes over, one after the other, and how the next one comes to be. */

import { Backoff, CODE, REMEDY, remedyFor } from "./comeback.js";
import { Link } from "./link.js";
import { MicLane } from "./mic-lane.js";
import { Session } from "./session.js";
import { TypedLane } from "./typed-lane.js";

const TICKET_DEADLINE_MS = 10000;
const RESUME_DEADLINE_MS = 5000;
const MOVE_MS = 1000; // how long the next socket may take before it is worth a word that the last is lost
const SETTLED_MS = 1000; // a socket that lasted this long was worth having
const MOST_RENEWALS = 5; // new sessions in a row of which none lasted

/**
 * At most two sockets at a time: {@link Sockets#link}, over which the session goes, and
 * {@link Sockets#opening}, which may become it. The class above it reads what the server says
 * (`take`), and knows what to do when the state changes (`enter`) and at the end (`finish`).
 */
export class Sockets {
  /** @param {object} handlers as the constructor of KalamiClient takes them */
  constructor(handlers) {
    this.handlers = handlers;
    /** Takes the microphone's sound, see mic-lane.js; before the first session it is left out. */
    this.microphone = new MicLane();
    this.typed = new TypedLane();
    this.link = null; // the socket whose session is ours
    this.opening = null; // the one that may become it
    this.held = null; // events of the last one, since the next has said which it has seen
    this.url = "";
    this.session = new Session();
    this.lostAt = 0;
    this.backoff = new Backoff();
    this.renewals = 0;
    this.afterMs = 0; // the wait that session.goaway asked for
    this.ending = null;
    /** How often it had a session: the first socket, and every return. */
    this.connections = 0;
  }

  /** Whether the token is good still. */
  get resumable() {
    return this.session.resumable(this.link ? 0 : performance.now() - this.lostAt);
  }

  networkChanged() {
    this.backoff.reset();
    if (this.link) this.move();
    else if (this.retry) this.tryAgain();
    else if (this.connections > 0) this.opening?.lose(CODE.lost, "network changed");
  }

  /** Opens the next socket while the old one is still there. */
  move() {
    clearTimeout(this.moving);
    if (!this.opening && this.resumable) this.resume();
  }

  tryAgain() {
    clearTimeout(this.retry);
    this.retry = 0;
    if (this.remedy === REMEDY.resume && this.resumable) this.resume();
    else this.renew();
  }

  resume() {
    const { session, handlers, microphone } = this;
    const { token } = session;
    this.open(token, RESUME_DEADLINE_MS, (link) => {
      link.token = token;
      if (this.link) this.held = [];
      link.send("session.resume", {
        session_id: session.id, last_seq: session.lastSeq, input: microphone.next,
        playback: handlers.playback ? handlers.playback() : session.playback,
      });
    });
  }

  /** Takes what was held of the last socket, because the next one did not come to be. */
  letGo() {
    const held = this.held ?? [];
    this.held = null;
    for (const event of held) this.take(this.link, event);
  }

  async renew() {
    const asking = this.asking = {}; // a later word cancels it
    try {
      const { url, ticket } = await this.handlers.ticket(this.session.conversationId);
      if (this.asking !== asking) return;
      this.url = url;
      this.open(ticket, TICKET_DEADLINE_MS, () => {});
    } catch (error) {
      if (this.asking === asking) this.finish({ code: 0, reason: "ticket", error });
    }
  }

  open(credential, deadlineMs, onOpen) {
    const onEvent = (link, event) => this.take(link, event);
    const onAudio = (link, frame) => link === this.link && this.session.takes(frame) && this.handlers.onAudio(frame);
    const onLost = (link, end) => this.lost(link, end);
    this.opening = new Link(this.url, credential, deadlineMs, { onOpen, onEvent, onAudio, onLost });
  }

  lost(link, { code, reason }) {
    if (link === this.opening) {
      this.opening = null;
      if (code === CODE.lost && link.token) this.session.giveUp(link.token);
      if (this.link) { // a move that did not work: the old one is there still
        this.letGo();
        this.moving = setTimeout(() => this.move(), this.backoff.next());
        return;
      }
    } else {
      if (code === CODE.internal) this.typed.giveUp();
      this.detached();
      const taken = code === CODE.superseded || remedyFor(code) !== REMEDY.stop;
      if (this.opening && taken) { // the next one is on its way, and may be why
        this.late = setTimeout(() => this.enter("reconnecting"), MOVE_MS);
        return;
      }
      this.opening?.leave();
      this.opening = null;
    }
    this.comeBack(code, reason, link.retryAfterMs);
  }

  detached() {
    const now = performance.now();
    const lasted = now - this.link.upAt > SETTLED_MS;
    this.backoff.reset(lasted ? 0 : Math.max(1, this.backoff.attempts));
    this.renewals = lasted ? 0 : this.renewals;
    this.link = null;
    this.held = null; // the return tells them again
    this.lostAt = now;
    this.microphone.detach();
  }

  comeBack(code, reason, retryAfterMs) {
    let remedy = code === CODE.superseded && this.session.ownDoing() ? REMEDY.resume : remedyFor(code);
    const never = this.connections === 0 && remedy === REMEDY.resume; // there was no session to come back to
    if (remedy === REMEDY.resume && !this.resumable) remedy = REMEDY.renew;
    const renews = remedy === REMEDY.renew || remedy === REMEDY.renewOnce;
    if (this.ending && renews) { // it has ended; only the answer was lost
      this.finish({ code: CODE.normal, reason: "ended" });
      return;
    }
    if (renews) this.renewals++;
    if (remedy === REMEDY.stop || never || this.renewals > (remedy === REMEDY.renewOnce ? 1 : MOST_RENEWALS)) {
      this.finish({ code, reason, retryAfterMs });
      return;
    }
    clearTimeout(this.late);
    if (this.connections > 0) this.enter("reconnecting");
    this.remedy = remedy;
    const least = Math.max(retryAfterMs, code === CODE.restart ? this.afterMs : 0);
    this.retry = setTimeout(() => this.tryAgain(), Math.max(least, this.backoff.next(code === CODE.overloaded)));
  }

  /** No next socket: what was to happen later does not happen. */
  cancel() {
    this.asking = null;
    for (const timer of [this.retry, this.moving, this.late]) clearTimeout(timer);
  }
}
