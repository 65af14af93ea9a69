/**
 * The binary frames of the voice socket: a 12-byte big-endian header and PCM16 audio.
 *
 *   byte 0     high nibble: version 1; low nibble: 1 microphone, 2 tutor
 *   byte 1     flags
 *   bytes 2–3  stream: capture epoch (microphone) or response number (tutor)
 *   bytes 4–7  number of the frame in its stream
 *   bytes 8–11 sample offset of the first sample in its stream
 */

/** Kinds of frames. */
export const MICROPHONE = 1;
export const TUTOR = 2;

/** Flag bits of a frame. */
export const FLAG = Object.freeze({
  discontinuity: 1, // frames were dropped before this one, or the device changed
  endOfStream: 2,
  retransmission: 4,
  silence: 8, // muted; the audio may be empty
});

const VERSION = 1;
const HEADER_BYTES = 12;

/**
 * Packs one frame.
 *
 * @param {{kind: number, flags: number, stream: number, seq: number, pos: number, audio: Int16Array}} frame
 * @returns {ArrayBuffer}
 */
export function encodeFrame({ kind, flags, stream, seq, pos, audio }) {
  const buffer = new ArrayBuffer(HEADER_BYTES + audio.byteLength);
  const head = new DataView(buffer);
  head.setUint8(0, (VERSION << 4) | kind);
  head.setUint8(1, flags);
  head.setUint16(2, stream);
  head.setUint32(4, seq);
  head.setUint32(8, pos >>> 0);
  new Int16Array(buffer, HEADER_BYTES).set(audio);
  return buffer;
}

/**
 * Unpacks one frame. The samples are a view of the buffer, not a copy.
 *
 * @param {ArrayBuffer} buffer
 * @returns {{kind: number, flags: number, stream: number, seq: number, pos: number, audio: Int16Array} | null}
 *   null when this is not a whole frame of a version that we know.
 */
export function decodeFrame(buffer) {
  const bytes = buffer.byteLength - HEADER_BYTES;
  if (bytes < 0 || bytes % 2 !== 0) return null;
  const head = new DataView(buffer);
  const first = head.getUint8(0);
  if (first >> 4 !== VERSION) return null;
  return {
    kind: first & 0x0f,
    flags: head.getUint8(1),
    stream: head.getUint16(2),
    seq: head.getUint32(4),
    pos: head.getUint32(8),
    audio: new Int16Array(buffer, HEADER_BYTES),
  };
}
