/** A review by voice: which card is asked, and what came of the one before. The tutor asks, and the learner's words answer. */

/** Serves one lesson of the mode "review". */
export class Recall {
  /** @param {import("./lesson.js").Lesson} lesson */
  constructor(lesson) {
    this.lesson = lesson;
    /** What is asked: `{id, kind, front, language}`; null when nothing is. */
    this.card = null;
    /** Cards that are due after it. */
    this.left = 0;
    /** What came of the card before, as `tutor.review.result` tells it; null before the first. */
    this.result = null;
    /** The front of that card. */
    this.front = "";
    /** `{reviewed, right}` when nothing is due any more, else null. */
    this.over = null;
    this.fronts = new Map(); // of all cards that were asked
    this.ratings = new Map(); // by review
  }

  /** Takes one event of the server. */
  take(event) {
    this.handlers[event.type]?.call(this, event);
  }

  handlers = Object.freeze({
    "tutor.review.card"({ card, left }) {
      this.card = card;
      this.left = left;
      this.over = null;
      this.fronts.set(card.id, card.front);
    },
    "tutor.review.result"(result) {
      this.result = result;
      if (result.replaces) this.ratings.delete(result.replaces);
      this.ratings.set(result.review_id, result.rating);
      if (this.card?.id === result.card_id && !result.replaces) this.card = null;
      this.front = this.fronts.get(result.card_id) ?? "";
    },
    "tutor.review.done"({ reviewed, right }) {
      this.card = null;
      this.left = 0;
      this.over = { reviewed, right };
    },
  });

  /** How many cards were reviewed so far, and how many of them were known. */
  get totals() {
    return { done: this.ratings.size, known: [...this.ratings.values()].filter((rating) => rating > 1).length };
  }

  /** Rates the card that is asked without an answer, or the one before anew. */
  rate(cardId, rating) {
    this.lesson.socket?.send("tutor.review.answer", { card_id: cardId, rating });
  }
}
