/** A help that the server offers to a learner who does not find an answer, near the button. */

import { t } from "../strings.js";
import { h, icon, setText } from "./dom.js";

/** @param {import("../conversation.js").Conversation} conversation */
export function nudgeCard(conversation) {
  const lead = h("span");
  const words = h("span.nudge-words", { lang: conversation.language, dir: "auto" });
  const card = h("p.nudge", { hidden: true }, icon("bulb"), h("span", {}, lead, " ", words));
  return {
    element: h("div.nudges", { role: "status" }, card), // always there: a screen reader tells what comes into it
    update() {
      const { nudge } = conversation;
      card.hidden = !nudge;
      if (!nudge) return;
      card.dataset.nudge = nudge.kind;
      const ours = { hint: "nudge.hint", pause: "nudge.pause", asked: "nudge.asked" }[nudge.kind];
      setText(lead, ours ? t(ours) : "");
      words.lang = nudge.language ?? conversation.language;
      setText(words, nudge.text);
    },
  };
}
