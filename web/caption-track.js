/** The tutor's words in time with the audio: which of them have been spoken by now. */

const MS_PER_CHARACTER = 65; // a guess for the last stretch, until its end is known

/** Splits text into words; each keeps the punctuation and the space around it. */
function wordsOf(text, language) {
  const words = [];
  for (const { segment, index, isWordLike } of new Intl.Segmenter(language, { granularity: "word" }).segment(text)) {
    if (words.length > 0 && (!isWordLike || !words.at(-1).spoken)) {
      words.at(-1).text += segment;
      words.at(-1).spoken ||= isWordLike;
    } else {
      words.push({ text: segment, index, spoken: isWordLike });
    }
  }
  return words;
}

/**
 * A caption that arrives in pieces, each with the place in the audio where it starts.
 * Between two such places the words are spread by their length.
 */
export class CaptionTrack {
  /** @param {string} language of the caption; Japanese, say, has words without spaces */
  constructor(language) {
    this.language = language;
    this.pieces = []; // {text, startMs}
    this.endMs = 0; // length of the audio, once it is known
    this.cached = null;
  }

  /** The whole caption so far. */
  get text() {
    return this.pieces.map((piece) => piece.text).join("");
  }

  /** Adds a piece. */
  add(text, startMs) {
    this.pieces.push({ text, startMs });
    this.cached = null;
  }

  /** Sets the whole caption; the pieces that came before keep their places in the audio. */
  complete(text) {
    if (text === this.text) return;
    this.cached = null;
    const starts = [];
    let from = 0;
    for (const { text: piece, startMs } of this.pieces) {
      const at = text.indexOf(piece.trim(), from);
      if (at < 0) continue;
      starts.push({ at, startMs });
      from = at + piece.trim().length;
    }
    if (starts.length === 0) starts.push({ at: 0, startMs: this.pieces[0]?.startMs ?? 0 });
    starts[0].at = 0;
    this.pieces = starts.map(({ at, startMs }, i) => ({ text: text.slice(at, starts[i + 1]?.at), startMs }));
  }

  /** Forgets the pieces from this place on: they are spoken again. */
  cut(endMs) {
    this.pieces = this.pieces.filter(({ startMs }) => startMs < endMs);
    this.endMs = 0;
    this.cached = null;
  }

  /** Tells how long the audio is. */
  finish(endMs) {
    this.endMs = endMs;
    this.cached = null;
  }

  /**
   * The words with the time at which each one starts.
   *
   * @returns {{text: string, atMs: number}[]}
   */
  get words() {
    this.cached ??= this.pieces.flatMap((piece, i) => this.spread(piece, this.pieces[i + 1]));
    return this.cached;
  }

  spread({ text, startMs }, next) {
    const end = next?.startMs ?? (this.endMs > startMs ? this.endMs : startMs + text.length * MS_PER_CHARACTER);
    const perCharacter = Math.max(0, end - startMs) / Math.max(1, text.length);
    return wordsOf(text, this.language).map((word) => ({
      text: word.text, atMs: startMs + word.index * perCharacter,
    }));
  }

  /** How many words have begun at this place of the audio. */
  spokenAt(ms) {
    const later = this.words.findIndex((word) => word.atMs > ms);
    return later < 0 ? this.words.length : later;
  }
}
