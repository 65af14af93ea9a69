/** One socket of the protocol `kalami.v1`, for {@link KalamiClient}: JSON events and binary audio. */

import { TUTOR, decodeFrame } from "./frames.js";

const PROTOCOL = "kalami.v1";
const LOST = 1006;
const LOST_BY_US = 4100; // what the server is told of a socket that we give up

/** One socket. Its handlers hear nothing after it was lost or left. */
export class Link {
  /**
   * Connects at once.
   *
   * @param {string} url
   * @param {string} credential a ticket or a resume token
   * @param {number} deadlineMs until when it must have been {@link attached}
   * @param {{
   *   onOpen: (link: Link) => void,
   *   onEvent: (link: Link, event: object) => void,
   *   onAudio: (link: Link, frame: object) => void,
   *   onLost: (link: Link, end: {code: number, reason: string}) => void,
   * }} handlers
   */
  constructor(url, credential, deadlineMs, handlers) {
    this.handlers = handlers;
    this.lastInbound = performance.now();
    this.upAt = 0;
    /** How long to wait before the next attempt, from the server's last fatal error. */
    this.retryAfterMs = 0;
    this.deadline = setTimeout(() => this.lose(LOST, "connect_timeout"), deadlineMs);
    this.socket = new WebSocket(url, [PROTOCOL, `kalami.token.${credential}`]);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => handlers.onOpen(this);
    this.socket.onmessage = ({ data }) => this.receive(data);
    this.socket.onclose = ({ code, reason }) => this.lose(code, reason);
  }

  /** The session is here: it need not hurry any more. */
  attached() {
    this.upAt = performance.now();
    clearTimeout(this.deadline);
  }

  /** Sends one event; false when the socket is not open. */
  send(type, fields = {}) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify({ type, ...fields }));
    return true;
  }

  /** Gives it up, or notes that it is gone. */
  lose(code, reason) {
    if (!this.deafen()) return;
    this.socket.close(LOST_BY_US);
    this.handlers.onLost(this, { code, reason });
  }

  /** Closes it normally. */
  leave() {
    if (this.deafen()) this.socket.close(1000);
  }

  deafen() {
    if (this.over) return false;
    this.over = true;
    clearTimeout(this.deadline);
    this.socket.onopen = null;
    this.socket.onmessage = null;
    this.socket.onclose = null;
    return true;
  }

  receive(data) {
    this.lastInbound = performance.now();
    if (data instanceof ArrayBuffer) {
      const frame = decodeFrame(data);
      if (frame?.kind === TUTOR) this.handlers.onAudio(this, frame);
      return;
    }
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      this.lose(1002, "invalid_json");
      return;
    }
    // Answered here and now: timers sleep in a hidden tab, messages don't.
    if (event.type === "ping") this.send("pong", { id: event.id, ts: event.ts });
    if (event.type === "error" && event.error.fatal) this.retryAfterMs = event.error.retry_after_ms ?? 0;
    this.handlers.onEvent(this, event);
  }
}
