/** The REST side of what the tutor remembers of a learner, and of the level that it sees. */

const MOST = 200; // in one answer

/** What is known of one learner. Its calls reject like those of {@link Api}. */
export class Memories {
  /** @param {import("./api.js").Api} api as whom it asks */
  constructor(api) {
    this.api = api;
  }

  /** All memories, newest first. */
  async list() {
    const all = [];
    let page = null;
    do {
      page = await this.api.call("GET", `/memories?limit=${MOST}&offset=${all.length}`);
      all.push(...page);
    } while (page.length === MOST);
    return all;
  }

  /** Puts a memory right; resolves to it. */
  change(id, text) {
    return this.api.call("PATCH", `/memories/${encodeURIComponent(id)}`, { json: { text } });
  }

  /** Has the tutor forget something. */
  forget(id) {
    return this.api.call("DELETE", `/memories/${encodeURIComponent(id)}`);
  }

  /** Has the tutor forget everything. */
  forgetAll() {
    return this.api.call("DELETE", "/memories");
  }

  /** What the conversations say of a profile's level. */
  level(profileId) {
    return this.api.call("GET", `/users/profiles/${encodeURIComponent(profileId)}/level`);
  }

  /** Accepts ("accept") or declines ("reject") an estimate of it. */
  decide(profileId, estimateId, decision) {
    return this.api.call("POST", `/users/profiles/${encodeURIComponent(profileId)}/level/decision`, { json: { estimate_id: estimateId, decision } });
  }
}
