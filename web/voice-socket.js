/**
 * The voice socket, protocol `kalami.v1`: JSON events and binary audio over one WebSocket.
 * This module keeps the connection alive and in order; what the events mean is decided elsewhere.
 */

import { TUTOR, decodeFrame } from "./frames.js";
import { MicLane } from "./mic-lane.js";

const PROTOCOL = "kalami.v1";
const OPEN_DEADLINE_MS = 10000;
const ACK_EVERY_MS = 2000;
const ACK_EVERY_EVENTS = 32;
const WATCH_EVERY_MS = 1000;
const SILENT_SERVER_MS = 15000;

/** The code that {@link VoiceSocket} reports when it gave up on a server that says nothing. */
export const NO_HEARTBEAT = 4100;

/** One connection. It does not come back by itself: a new conversation attempt is a new VoiceSocket. */
export class VoiceSocket {
  /**
   * Connects at once.
   *
   * @param {{url: string, ticket: string}} grant from POST /v1/voice/tickets
   * @param {{
   *   onEvent: (event: object) => void,
   *   onAudio: (frame: {flags: number, stream: number, seq: number, pos: number, audio: Int16Array}) => void,
   *   onClose: (end: {code: number, reason: string, opened: boolean}) => void,
   * }} handlers `onClose` is called exactly once, unless {@link close} was called first
   */
  constructor({ url, ticket }, handlers) {
    this.handlers = handlers;
    this.socket = new WebSocket(url, [PROTOCOL, `kalami.token.${ticket}`]);
    this.socket.binaryType = "arraybuffer";
    this.microphone = new MicLane(this.socket);
    this.opened = false;
    this.created = false;
    this.lastSeq = 0;
    this.ackedSeq = 0;
    this.lastInbound = performance.now();
    this.timeoutMs = SILENT_SERVER_MS;
    this.deadline = setTimeout(() => this.finish(1006, "connect_timeout"), OPEN_DEADLINE_MS);
    this.acks = setInterval(() => this.ack(), ACK_EVERY_MS);
    this.watch = setInterval(() => this.checkHeartbeat(), WATCH_EVERY_MS);
    this.socket.onopen = () => { this.opened = true; };
    this.socket.onmessage = ({ data }) => this.receive(data);
    this.socket.onclose = ({ code, reason }) => this.finish(code, reason);
  }

  /** Sends one event; false when the connection is not open. */
  send(type, fields = {}) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify({ type, ...fields }));
    return true;
  }

  /** Leaves without a word to the handlers. */
  close() {
    this.stop();
    this.socket.close(1000);
  }

  receive(data) {
    this.lastInbound = performance.now();
    if (data instanceof ArrayBuffer) {
      const frame = decodeFrame(data);
      if (frame?.kind === TUTOR) this.handlers.onAudio(frame);
      return;
    }
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      this.finish(1002, "invalid_json");
      return;
    }
    this.consume(event);
  }

  consume(event) {
    this.lastSeq = event.seq;
    switch (event.type) {
      case "session.created":
        this.created = true;
        clearTimeout(this.deadline);
        this.timeoutMs = event.heartbeat?.timeout_ms || SILENT_SERVER_MS;
        break;
      case "ping": // answered here and now: timers sleep in a hidden tab, messages don't
        this.send("pong", { id: event.id, ts: event.ts });
        break;
      case "input_audio_buffer.ack":
        this.microphone.acknowledge(event.input.stream, event.input.seq);
        break;
    }
    this.handlers.onEvent(event);
    if (this.lastSeq - this.ackedSeq >= ACK_EVERY_EVENTS) this.ack();
  }

  ack() {
    if (this.lastSeq > this.ackedSeq && this.send("ack", { seq: this.lastSeq })) this.ackedSeq = this.lastSeq;
  }

  checkHeartbeat() {
    if (this.created && performance.now() - this.lastInbound > this.timeoutMs) {
      this.finish(NO_HEARTBEAT, "heartbeat_timeout");
    }
  }

  finish(code, reason) {
    if (this.stopped) return;
    this.stop();
    if (this.socket.readyState <= WebSocket.OPEN) this.socket.close();
    this.handlers.onClose({ code, reason, opened: this.created });
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.deadline);
    clearInterval(this.acks);
    clearInterval(this.watch);
    this.socket.onmessage = null;
    this.socket.onclose = null;
  }
}
