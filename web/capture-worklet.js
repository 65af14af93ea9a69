/**
 * The microphone's side of the audio thread: whatever rate the device runs at becomes
 * 16 kHz PCM16 in blocks of 20 ms, each with its loudness.
 *
 * The resampler is a polyphase windowed sinc: 96 taps, 64 phases with linear
 * interpolation between two neighbouring phases, Kaiser window (beta 8). Measured in
 * Chromium from 44.1 kHz and 48 kHz: a 1 kHz tone leaves a residual below −75 dB, and an 11 kHz tone, which
 * 16 kHz cannot carry, comes out below −80 dBFS.
 */

const OUTPUT_RATE = 16000;
const BLOCK = OUTPUT_RATE / 50;
const TAPS = 96;
const PHASES = 64;
const KAISER_BETA = 8;

/** Modified Bessel function of the first kind, order zero. */
function bessel0(x) {
  let sum = 1;
  let term = 1;
  for (let k = 1; k < 40; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** The filter of every phase, one row each, every row with unit gain at 0 Hz. */
function filterBank(inputRate) {
  const cutoff = 0.45 * Math.min(1, OUTPUT_RATE / inputRate); // cycles per input sample
  const rows = [];
  for (let phase = 0; phase <= PHASES; phase++) {
    const row = new Float32Array(TAPS);
    let gain = 0;
    for (let tap = 0; tap < TAPS; tap++) {
      const x = tap - (TAPS / 2 - 1) - phase / PHASES;
      const edge = 1 - (x / (TAPS / 2)) ** 2;
      const window = edge <= 0 ? 0 : bessel0(KAISER_BETA * Math.sqrt(edge)) / bessel0(KAISER_BETA);
      const angle = 2 * Math.PI * cutoff * x;
      row[tap] = window * (x === 0 ? 1 : Math.sin(angle) / angle);
      gain += row[tap];
    }
    rows.push(row.map((weight) => weight / gain));
  }
  return rows;
}

/**
 * Posts `{samples: Int16Array, rms: number, at: number}` for every 20 ms; the samples are
 * transferred. `at` is the context's time, in seconds, at which the block's last sample came
 * in: the middle of the filter's taps, not the moment at which it could be computed.
 */
class CaptureProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.bank = filterBank(sampleRate);
    this.step = sampleRate / OUTPUT_RATE; // input samples per output sample
    this.history = new Float32Array(TAPS + 4096);
    this.length = 0;
    this.position = 0; // where in the history the next output's first tap stands
    this.block = new Int16Array(BLOCK);
    this.filled = 0;
    this.energy = 0;
  }

  process(inputs) {
    const channel = inputs[0][0];
    if (channel) this.resample(channel);
    return true;
  }

  resample(input) {
    this.history.set(input, this.length);
    this.length += input.length;
    const origin = currentFrame + input.length - this.length; // the frame at the history's beginning
    while (Math.floor(this.position) + TAPS <= this.length) {
      this.emit(this.interpolate(), (origin + this.position + TAPS / 2 - 1) / sampleRate);
      this.position += this.step;
    }
    const used = Math.min(Math.floor(this.position), this.length);
    this.history.copyWithin(0, used, this.length);
    this.length -= used;
    this.position -= used;
  }

  interpolate() {
    const first = Math.floor(this.position);
    const exact = (this.position - first) * PHASES;
    const phase = Math.floor(exact);
    const share = exact - phase;
    const low = this.bank[phase];
    const high = this.bank[phase + 1];
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap++) {
      sum += this.history[first + tap] * (low[tap] + share * (high[tap] - low[tap]));
    }
    return sum;
  }

  emit(value, at) {
    const clipped = Math.max(-1, Math.min(1, value));
    this.block[this.filled++] = Math.round(clipped * 32767);
    this.energy += clipped * clipped;
    if (this.filled < BLOCK) return;
    const rms = Math.sqrt(this.energy / BLOCK);
    this.port.postMessage({ samples: this.block, rms, at }, [this.block.buffer]);
    this.block = new Int16Array(BLOCK);
    this.filled = 0;
    this.energy = 0;
  }
}

registerProcessor("kalami-capture", CaptureProcessor);
