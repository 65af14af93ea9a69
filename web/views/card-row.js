/** One of the cards that a learner keeps, with what can be done with it. */

import { pageLanguage, t } from "../strings.js";
import { cardForm, trouble } from "./card-form.js";
import { h, icon, setText } from "./dom.js";
import { hearButton } from "./hear.js";

/**
 * @param {{
 *   card: object, cards: import("../cards.js").Cards, learning: import("../learning.js").Learning, onGone: () => void,
 * }} options `onGone` is called when it was deleted
 */
export function cardRow({ card: first, cards, learning, onGone }) {
  let card = first;
  const element = h("li.card.kept", { data: { card: card.id } });
  const message = h("p.form-error", { role: "alert" });

  const show = (focus) => {
    element.replaceChildren(...face());
    element.dataset.state = card.suspended_at ? "suspended" : card.state;
    if (focus) element.querySelector(`[data-action="${focus}"]`).focus();
  };
  const act = async (change, after) => {
    setText(message, "");
    try {
      await change();
      after();
    } catch (error) {
      setText(message, trouble(error));
    }
  };
  const edit = () => {
    element.replaceChildren(cardForm({
      card, onCancel: () => show("card-edit"),
      save: async (fields) => {
        card = await cards.change(card.id, fields);
        show("card-edit");
      },
    }));
    element.querySelector('[name="front"]').focus();
  };
  const suspend = () => act(async () => { card = await cards.change(card.id, { suspended: !card.suspended_at }); }, () => show("card-suspend"));
  const ask = () => {
    const no = h("button.secondary", { type: "button", data: { action: "card-keep" }, onclick: () => show("card-delete") }, t("card.keep"));
    element.replaceChildren(h("p", {}, t("card.delete.ask", { word: learnedSide(card).text })),
      message, h("div.row", {}, no, h("button.quiet.danger", {
        type: "button", data: { action: "card-delete-yes" }, onclick: () => act(() => cards.remove(card.id), onGone),
      }, t("card.delete"))));
    no.focus();
  };
  const face = () => {
    const learned = learnedSide(card);
    const own = card.kind === "recognise" ? card.back : card.front;
    const button = (action, name, onclick, pressed) => h("button.mini", {
      type: "button", data: { action }, onclick, title: t(`card.${name}`), "aria-label": t(`card.${name}.of`, { word: learned.text }), "aria-pressed": pressed,
    }, icon(ICON[action]));
    return [
      h("div.words", {}, h("b", { lang: card.language, dir: "auto" }, learned.text), h("span", { dir: "auto" }, own)),
      card.context && h("p.note", { lang: card.language, dir: "auto" }, card.context),
      h("p.about", {}, about(card).map((part) => h("span.tag", part.data, part.text))),
      message,
      h("div.tools", {}, hearButton({ learning, text: learned.text, language: card.language }),
        button("card-edit", "edit", edit),
        button("card-suspend", card.suspended_at ? "resume" : "suspend", suspend),
        button("card-delete", "delete", ask)),
    ].filter(Boolean);
  };
  show();
  return element;
}

const ICON = Object.freeze({ "card-edit": "pencil", "card-suspend": "pause", "card-delete": "bin" });

/** The side of a card that is in the language that is learned. */
function learnedSide(card) {
  return { text: card.kind === "recognise" ? card.front : card.back };
}

/** What there is to know of a card, in a few words each. */
function about(card) {
  const parts = [{ text: card.suspended_at ? t("card.state.suspended") : t(`card.state.${card.state}`) }];
  if (!card.suspended_at && card.due_at) parts.push({ text: due(card.due_at) });
  if (card.leech) parts.push({ text: t("card.leech"), data: { class: "tag warm" } });
  if (card.level) parts.push({ text: card.level });
  return [...parts, ...card.tags.map((tag) => ({ text: `#${tag}` }))];
}

/** When a card is asked again, as people say it. */
function due(at) {
  const hours = (Date.parse(at) - Date.now()) / 3600000;
  if (hours <= 0) return t("card.due.now");
  const relative = new Intl.RelativeTimeFormat(pageLanguage, { numeric: "auto" });
  if (hours < 1) return relative.format(Math.ceil(hours * 60), "minute");
  if (hours < 24) return relative.format(Math.round(hours), "hour");
  if (hours < 24 * 60) return relative.format(Math.round(hours / 24), "day");
  return relative.format(Math.round(hours / 24 / 30), "month");
}
