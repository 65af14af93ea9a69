/** Writing a card, be it a new one. */

import { requestProblem } from "../problems.js";
import { t } from "../strings.js";
import { h, setText } from "./dom.js";

/** The kinds of cards, in the order in which they are offered. */
const KINDS = Object.freeze(["produce", "recognise", "speak", "fix"]);

let forms = 0; // so that ids differ

/**
 * @param {{
 *   card?: object, profiles?: {id: string, name: string, code: string}[], profile?: string,
 *   save: (fields: object) => Promise<string | void>, onCancel: () => void,
 * }} options `card` is to be changed, else a new one is written, for one of the `profiles`; `save` may resolve to
 *   words about what came of it
 */
export function cardForm({ card, profiles = [], profile = "", save, onCancel }) {
  const n = ++forms;
  const field = (name, element, note) => h("div.field", {}, h("label", { for: element.id }, t(`card.${name}`)), element, note && h("p.note", {}, note));
  const text = (name, value, most, required) => h("input", {
    type: "text", id: `card-${name}-${n}`, name, value: value ?? "", maxlength: String(most), required, autocomplete: "off", dir: "auto",
  });
  const front = text("front", card?.front, 500, true);
  const back = text("back", card?.back, 500, true);
  const context = text("context", card?.context, 1000, false);
  const tags = text("tags", card?.tags?.join(" "), 200, false);
  const options = (list, chosen) => list.map(([value, label]) => h("option", { value, selected: value === chosen }, label));
  const kind = !card && h("select", { id: `card-kind-${n}` }, options(KINDS.map((name) => [name, t(`card.kind.${name}`)]), "produce"));
  const language = !card && profiles.length > 1
    && h("select", { id: `card-profile-${n}` }, options(profiles.map(({ id, name }) => [id, name]), profile || profiles[0].id));
  const message = h("p.form-error", { role: "alert" });
  const done = h("p.note", { role: "status" });
  const submit = h("button.primary", { type: "submit", data: { action: "card-save" } }, t(card ? "card.save" : "card.add"));
  return h("form.card-form", {
    onsubmit: async (event) => {
      event.preventDefault();
      setText(message, "");
      setText(done, "");
      submit.disabled = true;
      const fields = { front: front.value, back: back.value, context: context.value, tags: tags.value.split(/[\s,]+/).filter(Boolean) };
      if (!card) Object.assign(fields, { kind: kind.value, profile_id: language ? language.value : profile || profiles[0].id });
      try {
        const words = await save(fields);
        if (!card) for (const input of [front, back, context, tags]) input.value = "";
        if (!card) front.focus();
        setText(done, words ?? "");
      } catch (error) {
        setText(message, trouble(error));
      }
      submit.disabled = false;
    },
    onkeydown: (event) => {
      if (event.key === "Escape") onCancel();
    },
  }, language && field("language", language), kind && field("kind", kind), field("front", front), field("back", back),
  field("context", context), field("tags", tags, t("card.tags.note")), message, done,
  h("div.row", {}, submit, h("button.quiet", { type: "button", data: { action: "card-cancel" }, onclick: onCancel }, t("card.cancel"))));
}

/** What is wrong, in the learner's words where there are some. */
export function trouble(error) {
  if (error.status === 409) return t("card.twin");
  const problem = requestProblem(error);
  return problem.detail || t(`problem.${problem.kind}.title`);
}
