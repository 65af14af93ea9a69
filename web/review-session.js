/** One sitting of reviews: what is asked next, and that no rating is lost on its way. */

/** The four ratings. */
export const RATING = Object.freeze({ again: 1, hard: 2, good: 3, easy: 4 });

const SOON_S = 20 * 60; // a card that is due so soon is asked again in this sitting
const MOST_UNSENT = 500; // ratings that wait for a connection; the oldest are kept, and the sitting stops
const KEY = "kalami.unsent-reviews";

/** What is left unsent of earlier sittings, too, is kept in this browser until the server has it. */
export class ReviewSession {
  /**
   * @param {import("./learning.js").Learning} learning
   * @param {() => void} onChange
   */
  constructor(learning, onChange) {
    this.learning = learning;
    this.onChange = onChange;
    this.queue = []; // of {card, previews}
    this.done = 0;
    this.known = 0; // of these, that were not forgotten
    this.last = null; // what can be undone: {review, entry}
    this.shownAt = 0;
    this.trouble = false; // ratings wait for the server
    this.unsent = recall();
    this.sending = null;
  }

  /** Fetches what is due; rejects when the server does not tell. */
  async load() {
    await this.flush();
    const { cards } = await this.learning.due();
    const waiting = new Set(this.unsent.map((review) => review.card_id));
    this.queue = cards.filter(({ card }) => !waiting.has(card.id));
    this.shownAt = performance.now();
    this.onChange();
  }

  /** What is asked now; undefined when there is nothing left. */
  get current() {
    return this.queue[0];
  }

  /** Whether no more ratings can be kept before the server has taken some. */
  get full() {
    return this.unsent.length >= MOST_UNSENT;
  }

  /**
   * Rates what is asked now, and goes on to the next.
   *
   * @param {1 | 2 | 3 | 4} rating
   * @param {"self" | "typed" | "spoken"} mode how it was answered
   */
  rate(rating, mode = "self") {
    const entry = this.current;
    if (!entry || this.full) return;
    this.queue.shift();
    const review = {
      id: crypto.randomUUID(), card_id: entry.card.id, rating, mode,
      reviewed_at: new Date().toISOString(), duration_ms: Math.round(Math.min(3600000, performance.now() - this.shownAt)),
    };
    this.done++;
    if (rating !== RATING.again) this.known++;
    this.last = { review, entry };
    this.keep([...this.unsent, review]);
    if (entry.previews[rating - 1].interval_seconds < SOON_S) this.queue.push(entry);
    this.shownAt = performance.now();
    this.onChange();
    this.flush();
  }

  /** Takes the last rating back, and asks that card again. */
  async undo() {
    const { last } = this;
    if (!last) return;
    this.last = null;
    await this.flush(); // it may be on its way
    if (this.unsent.some(({ id }) => id === last.review.id)) {
      this.keep(this.unsent.filter(({ id }) => id !== last.review.id));
    } else {
      await this.learning.undoReview(last.review.id);
    }
    this.done--;
    if (last.review.rating !== RATING.again) this.known--;
    this.queue = [last.entry, ...this.queue.filter((entry) => entry !== last.entry)];
    this.shownAt = performance.now();
    this.onChange();
  }

  /** Sends what waits, one batch at a time; what fails stays. */
  async flush() {
    this.sending ??= this.sendAll().finally(() => { this.sending = null; });
    await this.sending;
  }

  async sendAll() {
    while (this.unsent.length > 0) {
      const batch = this.unsent.slice(0, MOST_UNSENT);
      try {
        const { cards } = await this.learning.review(batch);
        this.refresh(cards);
      } catch (error) {
        if (error.status !== 422) { // the server is away, or we are signed out: later
          this.setTrouble(true);
          return;
        }
      }
      const sent = new Set(batch.map(({ id }) => id));
      this.keep(this.unsent.filter(({ id }) => !sent.has(id)));
    }
    this.setTrouble(false);
  }

  /** Cards that come again in this sitting have another memory now, and other previews. */
  refresh(cards) {
    const now = new Map(cards.map((card) => [card.id, card]));
    for (const entry of this.queue) entry.card = now.get(entry.card.id) ?? entry.card;
  }

  setTrouble(trouble) {
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    this.onChange();
  }

  keep(unsent) {
    this.unsent = unsent;
    try {
      if (unsent.length > 0) localStorage.setItem(KEY, JSON.stringify(unsent));
      else localStorage.removeItem(KEY);
    } catch {
      // the browser keeps nothing for this page: they are sent from memory
    }
  }
}

function recall() {
  try {
    const unsent = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(unsent) ? unsent.slice(0, MOST_UNSENT) : [];
  } catch {
    return [];
  }
}
