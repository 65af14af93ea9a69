/** The REST side of the cards that a learner keeps. */

const PAGE = 50;
const FILE_MS = 60000; // a file takes longer than an answer

/** What the list can be narrowed to, as the server's query says it. */
const NARROWED = Object.freeze({
  all: {}, due: { due: "true" }, new: { state: "new" }, suspended: { suspended: "true" }, leech: { leech: "true" },
});

/** One learner's cards. Its calls reject like those of {@link Api}. */
export class Cards {
  /** @param {import("./api.js").Api} api as whom it asks */
  constructor(api) {
    this.api = api;
  }

  /**
   * A page of the cards, newest first.
   *
   * @param {{profile?: string, text?: string, only?: string}} filter `only` is all, due, new, suspended or leech
   * @param {number} offset how many are left out
   * @returns {Promise<{cards: object[], more: boolean}>}
   */
  async list({ profile = "", text = "", only = "all" }, offset = 0) {
    const query = new URLSearchParams({ limit: String(PAGE + 1), offset: String(offset), ...NARROWED[only] });
    if (profile) query.set("profile_id", profile);
    if (text) query.set("text", text);
    const cards = await this.api.call("GET", `/vocabulary?${query}`);
    return { cards: cards.slice(0, PAGE), more: cards.length > PAGE };
  }

  /**
   * Adds a card: `{profile_id, kind, front, back, context, tags}`.
   *
   * @returns {Promise<{outcome: string, card: object}>} `merged`: there was one of that kind and answer
   */
  add(card) {
    return this.api.call("POST", "/vocabulary", { json: card });
  }

  /** Changes some fields of a card; resolves to the card. */
  change(id, fields) {
    return this.api.call("PATCH", path(id), { json: fields });
  }

  /** All cards as a file in one of the server's formats, or of "revlog" the reviews: a Blob. */
  export(format) {
    return this.api.call("GET", `/vocabulary/export?format=${format}`, { as: "blob", timeoutMs: FILE_MS });
  }

  /** Adds the cards of a file, all or none: resolves to `{read, created, merged}`. */
  import(profileId, format, file) {
    const query = new URLSearchParams({ profile_id: profileId, format });
    return this.api.call("POST", `/vocabulary/import?${query}`, { file, type: format === "csv" ? "text/csv" : "text/plain", timeoutMs: FILE_MS });
  }

  /** Takes the deletion of a card back; resolves to the card. */
  restore(id) {
    return this.api.call("POST", `${path(id)}/restore`);
  }

  /** Deletes a card. */
  remove(id) {
    return this.api.call("DELETE", path(id));
  }
}

const path = (id) => `/vocabulary/${encodeURIComponent(id)}`;
