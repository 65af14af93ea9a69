/** Saying a sentence, and seeing which of its words were understood. */

import { Pronunciation } from "../pronunciation.js";
import { microphoneProblem } from "../problems.js";
import { Recorder } from "../recorder.js";
import { t } from "../strings.js";
import { trouble } from "./card-form.js";
import { h, icon, setAttribute, setText } from "./dom.js";

/**
 * A button that records until it is pressed again, and what comes of it.
 *
 * @param {{learning: import("../learning.js").Learning, text: string, language: string}} what
 * @returns {{button: HTMLElement, element: HTMLElement, close: () => void}} `element` is where the result stands
 */
export function sayAgain({ learning, text, language }) {
  const pronunciation = new Pronunciation(learning.api);
  const label = h("span", {}, t("say"));
  const button = h("button.quiet.say", { type: "button", data: { action: "say" }, onclick: () => (recorder ? finish() : begin()) }, icon("microphone"), label);
  const element = h("div.said-again", { "aria-live": "polite" });
  let recorder = null;

  const show = (recording) => {
    setAttribute(button, "aria-pressed", recording ? "true" : null);
    setText(label, t(recording ? "say.stop" : "say"));
  };
  const begin = async () => {
    const mine = new Recorder({ onEnd: () => finish(), onLevel: (rms) => button.style.setProperty("--level", rms.toFixed(3)) });
    recorder = mine;
    element.replaceChildren();
    show(true);
    try {
      await mine.start();
    } catch (error) {
      recorder = null;
      show(false);
      await mine.close();
      element.replaceChildren(h("p.form-error", {}, t(`problem.${microphoneProblem(error).kind}.title`)));
    }
  };
  const finish = async () => {
    const mine = recorder;
    if (!mine) return;
    recorder = null;
    show(false);
    button.disabled = true;
    element.replaceChildren(h("p.note", {}, t("say.listening")));
    try {
      element.replaceChildren(...outcome(await pronunciation.assess(await mine.stop(), language, text), language));
    } catch (error) {
      element.replaceChildren(h("p.form-error", {}, trouble(error)));
    }
    button.disabled = false;
  };
  return {
    button,
    element,
    close() {
      recorder?.close();
      recorder = null;
    },
  };
}

/** What was understood, word by word, with what the figures are not. */
function outcome({ words, fluency, suggestions, caveat, scores }, language) {
  const known = words.filter(({ status }) => status === "match").length;
  const asked = words.filter(({ ref_index: place }) => place !== null).length;
  return [
    h("p", {}, t("say.understood", { known, asked })),
    h("p.said-words", { lang: language, dir: "auto" }, words.flatMap((word) => [wordElement(word), " "])),
    scores?.accuracy !== null && scores?.accuracy !== undefined && h("p", {}, t("say.accuracy", { accuracy: Math.round(scores.accuracy) })),
    fluency?.words_per_minute && h("p.note", {}, t("say.fluency", { rate: Math.round(fluency.words_per_minute), pauses: fluency.pauses.count })),
    ...suggestions.map(({ text, language: own }) => h("p", { lang: own, dir: "auto" }, text)),
    h("p.note", { dir: "auto" }, caveat),
  ].filter(Boolean);
}

function wordElement({ word, heard, status }) {
  const name = t(`say.status.${status ?? "match"}`, { heard: heard ?? "" });
  if (status === "match" || !status) return h("span.said-word", { data: { status: "match" } }, word);
  const shown = status === "substitution" ? [h("s", {}, word), " ", heard] : [word];
  return h("span.said-word", { data: { status }, title: name }, ...shown, h("span.visually-hidden", {}, ` (${name})`));
}
