/** The REST side of learning: progress, cards and their reviews, and what came of a lesson. */

/** What one learner knows and does, as the server says. Its calls reject like those of {@link Api}. */
export class Learning {
  /** @param {import("./api.js").Api} api as whom it asks */
  constructor(api) {
    this.api = api;
  }

  /** The languages that are learned. */
  profiles() {
    return this.api.call("GET", "/users/profiles");
  }

  /** The situations that can be played; a stranger becomes a guest, since the server tells them to people alone. */
  async scenarios(nativeLanguage) {
    if (!this.api.known) await this.api.guest(nativeLanguage);
    return this.api.call("GET", "/scenarios?limit=100");
  }

  /**
   * All that is shown of some days up to today.
   *
   * @param {number} days
   * @param {string} profileId "" for all languages together
   */
  async progress(days, profileId) {
    const query = new URLSearchParams({ days: String(days) });
    if (profileId) query.set("profile_id", profileId);
    const names = ["overview", "timeline", "vocabulary", "fluency", "errors", "streak"];
    const parts = await Promise.all(names.map((name) => this.api.call("GET", `/analytics/${name}?${query}`)));
    return Object.fromEntries(names.map((name, i) => [name, parts[i]]));
  }

  /** What is to be reviewed now: `{due, new, cards: [{card, previews}]}`. */
  due() {
    return this.api.call("GET", "/reviews/due");
  }

  /** Adds reviews; sending them again changes nothing. One that is wrong is left out by the server. */
  review(reviews) {
    return this.api.call("POST", "/reviews", { json: { reviews, client_now: new Date().toISOString() } });
  }

  /** Takes a review back. */
  undoReview(id) {
    return this.api.call("POST", `/reviews/${encodeURIComponent(id)}/undo`);
  }

  /** What came of a lesson, as far as it is known by now. */
  summary(conversationId) {
    return this.api.call("GET", `/conversations/sessions/${encodeURIComponent(conversationId)}/summary`);
  }

  /** The mistakes of a lesson that may be shown. */
  corrections(conversationId) {
    return this.api.call("GET", `/conversations/sessions/${encodeURIComponent(conversationId)}/corrections?limit=500`);
  }

  /** Keeps a card that the summary suggests; keeping it again changes nothing. */
  keep({ message_id, correction_id, front, back, kind }) {
    const source = correction_id ? { message_id, correction_id } : { message_id, text: back, translation: front, kind };
    return this.api.call("POST", "/vocabulary/from-message", { json: source });
  }

  /** Makes a card of a correction of which only the conversation is known; again changes nothing. */
  async keepCorrection(conversationId, id) {
    const known = (await this.corrections(conversationId)).find((correction) => correction.id === id);
    if (!known) throw new Error("there is no such correction");
    return this.keep({ message_id: known.message_id, correction_id: id });
  }

  /** Says that a correction is wrong. */
  dispute(id) {
    return this.api.call("PATCH", `/corrections/${encodeURIComponent(id)}`, { json: { status: "disputed" } });
  }

  /** @returns {Promise<Blob>} how something sounds */
  clip(text, language) {
    const query = new URLSearchParams({ text, language });
    return this.api.call("GET", `/speech/speak?${query}`, { as: "blob" });
  }
}
