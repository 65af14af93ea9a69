/** A mistake of the learner's and its right form, with what can be done about it. */

import { t } from "../strings.js";
import { h, setText } from "./dom.js";
import { hearButton } from "./hear.js";
import { sayAgain } from "./say.js";

/**
 * @param {{
 *   learning: import("../learning.js").Learning, mistake: object, language: string,
 *   keep: () => Promise<any>, closers?: (() => void)[],
 * }} options `keep` makes a card of it; with `closers`, to which it adds what ends it, the right form can be heard and
 *   said again, where no lesson has the microphone
 */
export function correctionCard({ learning, mistake, language, keep, closers = null }) {
  const { id, original, corrected, explanation, explanation_language: explained, status } = mistake;
  const learned = { lang: language, dir: "auto" };
  const dispute = h("button.quiet", { type: "button", data: { action: "dispute" } }, t("correction.dispute"));
  const disputed = () => {
    setText(dispute, t("correction.disputed"));
    dispute.disabled = true;
  };
  if (status === "disputed") disputed();
  dispute.addEventListener("click", () => learning.dispute(id).then(disputed, () => {})); // it may be pressed again
  const again = closers && sayAgain({ learning, text: corrected, language });
  closers?.push(again.close);
  return h("article.item", { data: { correction: id }, "aria-label": t("correction.name") },
    h("p", learned, h("del", {}, original), " ", h("ins", {}, corrected)),
    explanation && h("p.note", { lang: explained, dir: "auto" }, explanation),
    h("div.row", {}, again && hearButton({ learning, text: corrected, language }), again?.button, keepButton(keep), dispute), again?.element);
}

/** A button that keeps something as a card; `keep` does it. */
export function keepButton(keep) {
  const button = h("button.secondary", { type: "button", data: { action: "keep" } }, t("keep"));
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await keep();
      button.dataset.kept = "";
      setText(button, t("keep.done"));
    } catch {
      button.disabled = false;
      setText(button, t("keep.failed"));
    }
  });
  return button;
}
