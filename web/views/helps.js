/** What the learner may ask for beside the talk: an idea, the last words again, or what they mean. */

import { wordsOf } from "../items.js";
import { t } from "../strings.js";
import { h, icon, setAttribute } from "./dom.js";

/** @param {import("../lesson.js").Lesson} lesson */
export function helpBar(lesson) {
  const { conversation, teaching } = lesson;
  const button = (action, name, onclick) =>
    h("button.help", { type: "button", data: { action }, onclick }, icon(name), h("span.label", {}, t(`help.${action}`)));
  const last = () => conversation.shown.findLast((item) => item.role === "assistant" && item.complete && wordsOf(item) !== "");
  const hint = button("hint", "bulb", () => teaching.hint());
  const repeat = button("repeat", "repeat", () => teaching.repeat(true));
  const translate = button("translate", "translate", () => teaching.translate(last()));
  const wait = (element, waits) => setAttribute(element, "aria-busy", waits ? "true" : null);
  return {
    element: h("div.helps", { role: "group", "aria-label": t("help.title") }, hint, repeat, translate),
    update() {
      const live = conversation.phase === "live";
      const item = last();
      hint.disabled = !live;
      repeat.disabled = !live || !item;
      translate.disabled = !live || !item;
      wait(hint, teaching.awaits("tutor.hint"));
      wait(repeat, teaching.awaits("tutor.repeat"));
      wait(translate, item && teaching.awaits("tutor.translate", item));
      setAttribute(translate, "aria-pressed", String(item?.translation?.open ?? false));
    },
  };
}
