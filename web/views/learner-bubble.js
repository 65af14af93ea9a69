/** What the learner said, what can be said better in it, and the way to say that it was misunderstood. */

import { t } from "../strings.js";
import { correctionCard } from "./correction.js";
import { h, icon, setText } from "./dom.js";

/**
 * @param {object} item
 * @param {import("../lesson.js").Lesson} lesson
 * @param {import("../learning.js").Learning} learning
 */
export function learnerBubble(item, lesson, learning) {
  const { teaching, choice } = lesson;
  const words = h("p.words", { lang: choice.language, dir: "auto" });
  const tick = h("span.tick", { hidden: true, role: "img", "aria-label": t("talk.saved"), title: t("talk.saved") }, icon("tick"));
  const line = h("div.said", {}, words, tick);
  const advice = h("div.advice", { hidden: true });
  const edit = h("button.mini", {
    type: "button", hidden: true, data: { action: "edit" }, "aria-label": t("edit.open"), title: t("edit.open"), onclick: () => open(),
  }, icon("pencil"));
  const element = h("li.bubble.you", { data: { role: "user" } }, h("div.who", {}, h("span", {}, t("talk.you")), edit), line, advice);
  let form = null;
  let corrections = null;

  const open = () => {
    if (form) return;
    form = editForm(item, lesson, close);
    line.hidden = true;
    line.after(form);
    form.querySelector("input").focus();
    form.scrollIntoView({ block: "nearest" });
  };
  const close = (text) => {
    form.remove();
    form = null;
    line.hidden = false;
    if (text) teaching.edit(item, text);
    edit.focus();
  };
  return {
    element,
    update() {
      const text = item.edited ?? item.text;
      Object.assign(element.dataset, { itemId: item.id, final: item.final && item.edited === undefined, acknowledged: item.saved });
      setText(words, item.failed && !text ? t("talk.failed") : text);
      element.hidden = words.textContent === "";
      tick.hidden = !item.saved || item.edited !== undefined;
      edit.hidden = !teaching.editable(item) && !form;
      if (item.corrections === corrections) return;
      corrections = item.corrections;
      advice.hidden = !corrections?.length;
      const conversationId = lesson.conversation.session?.conversation_id ?? "";
      advice.replaceChildren(...(corrections ?? []).map((mistake) => correctionCard({
        learning, mistake, language: choice.language, keep: () => learning.keepCorrection(conversationId, mistake.id),
      })));
    },
  };
}

/** Asks for what was really said; `close` gets it, or nothing when the learner changes their mind. */
function editForm(item, lesson, close) {
  const input = h("input", {
    type: "text", value: item.text, required: true, maxlength: "4000", autocomplete: "off", dir: "auto",
    lang: lesson.choice.language, "aria-label": t("edit.label"),
  });
  return h("form.edit", {
    onsubmit: (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (text) close(text);
    },
    onkeydown: (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault(); // it does not stop the tutor
      close();
    },
  }, h("p.note", {}, t("edit.label")), input,
  h("div.row", {},
    h("button.secondary", { type: "submit", data: { action: "edit-save" } }, t("edit.save")),
    h("button.quiet", { type: "button", data: { action: "edit-cancel" }, onclick: () => close() }, t("edit.cancel"))));
}
