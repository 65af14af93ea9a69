/** The REST side of pronunciation: what was understood of a recording, and what to practise. */

const PURPOSE = "pronunciation_provider";
const TEXT = "page-2026-11"; // of practice.consent in strings/: changes with its meaning
const ASSESS_MS = 45000; // the recording travels, and a recogniser listens

/** One learner's pronunciation. Its calls reject like those of {@link Api}. */
export class Pronunciation {
  /** @param {import("./api.js").Api} api as whom it asks */
  constructor(api) {
    this.api = api;
  }

  /** What was understood of a recording of a text. */
  assess(recording, language, text) {
    const form = new FormData();
    form.set("audio", recording, "reading.wav");
    form.set("language", language);
    form.set("reference_text", text);
    return this.api.call("POST", "/pronunciation/assess", { form, timeoutMs: ASSESS_MS });
  }

  /** Sentences to practise: `[{text, language, targets}]`. */
  drills(language) {
    return this.api.call("GET", `/pronunciation/drills?${new URLSearchParams({ language })}`);
  }

  /** Whether the learner lets an assessor of sounds have the recordings that they send. */
  async consented() {
    const decisions = await this.api.call("GET", "/me/consents");
    return decisions.find(({ purpose }) => purpose === PURPOSE)?.granted ?? false; // the newest counts
  }

  /** Says so, or takes it back. */
  consent(granted) {
    return this.api.call("POST", "/me/consents", { json: { purpose: PURPOSE, granted, text_version: TEXT } });
  }

  /** What is often hard to understand: `{items, caveat}`. */
  misheard(language) {
    return this.api.call("GET", `/pronunciation/problem-sounds?${new URLSearchParams({ language })}`);
  }
}
