/** A button that says something aloud. */

import { t } from "../strings.js";
import { h, icon } from "./dom.js";

/** @param {{learning: import("../learning.js").Learning, text: string, language: string}} what */
export function hearButton({ learning, text, language }) {
  let playing = null;
  const button = h("button.quiet.hear", {
    type: "button", data: { action: "hear" }, "aria-label": t("hear.label", { text }),
    onclick: async () => {
      playing?.pause();
      button.disabled = true;
      button.removeAttribute("data-failed");
      try {
        const url = URL.createObjectURL(await learning.clip(text, language));
        playing = new Audio(url);
        playing.onended = () => URL.revokeObjectURL(url);
        await playing.play();
      } catch {
        button.dataset.failed = ""; // it may be pressed again
      }
      button.disabled = false;
    },
  }, icon("play"), h("span", {}, t("hear")));
  return button;
}
