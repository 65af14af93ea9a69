/** Recording a sentence, as a WAV file of 16 kHz. */

import { Microphone } from "./microphone.js";

const RATE = 16000;
const MOST_MS = 30000; // a sentence; the server takes two minutes

/** One recording. Make it inside a click or key press. */
export class Recorder {
  /** @param {{onEnd: () => void, onLevel: (rms: number) => void}} handlers `onEnd`: it has lasted as long as it may */
  constructor(handlers) {
    this.handlers = handlers;
    this.blocks = [];
    this.context = new AudioContext();
    this.resumed = this.context.resume();
    this.microphone = new Microphone(this.context, {
      onBlock: ({ samples, rms }) => this.take(samples, rms), onDevice() {}, onMicrophoneLost: () => handlers.onEnd(),
    });
  }

  /** Asks for the microphone and begins; rejects like getUserMedia. */
  async start() {
    await Promise.all([this.microphone.request(), this.context.audioWorklet.addModule(new URL("./capture-worklet.js", import.meta.url)), this.resumed]);
    this.microphone.connect();
    this.timer = setTimeout(() => this.handlers.onEnd(), MOST_MS);
  }

  take(samples, rms) {
    this.blocks.push(samples.slice());
    this.handlers.onLevel(rms);
  }

  /** Ends it; resolves to the file. */
  async stop() {
    await this.close();
    return wav(this.blocks);
  }

  /** Frees the microphone; what was recorded is still there. */
  async close() {
    clearTimeout(this.timer);
    this.microphone.close();
    if (this.context.state !== "closed") await this.context.close();
  }
}

/** Blocks of PCM16 with one channel as a WAV file. */
function wav(blocks) {
  const bytes = blocks.reduce((sum, block) => sum + block.byteLength, 0);
  const head = new DataView(new ArrayBuffer(44));
  const name = (at, text) => [...text].forEach((c, i) => head.setUint8(at + i, c.charCodeAt(0)));
  name(0, "RIFF");
  head.setUint32(4, 36 + bytes, true);
  name(8, "WAVEfmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true); // PCM
  head.setUint16(22, 1, true); // one channel
  head.setUint32(24, RATE, true);
  head.setUint32(28, RATE * 2, true);
  head.setUint16(32, 2, true);
  head.setUint16(34, 16, true);
  name(36, "data");
  head.setUint32(40, bytes, true);
  return new Blob([head, ...blocks], { type: "audio/wav" });
}
