/** The words that a learner keeps: to look for, to add, to change and to take along. */

import { Cards } from "../cards.js";
import { describe } from "../languages.js";
import { t } from "../strings.js";
import { cardForm } from "./card-form.js";
import { cardRow } from "./card-row.js";
import { deckFiles } from "./deck-files.js";
import { choice, h, icon, setText } from "./dom.js";

const TYPING_MS = 300; // the list waits until the learner has stopped typing
const ONLY = Object.freeze(["all", "due", "new", "suspended", "leech"]);

/**
 * Builds the screen.
 *
 * @param {{learning: import("../learning.js").Learning}} options
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function vocabularyView({ learning }) {
  const cards = new Cards(learning.api);
  const filter = { profile: "", text: "", only: "all" };
  const list = h("ul.kept-list", { "aria-label": t("words.title") });
  const status = h("p.note", { role: "status", data: { hook: "words-status" } });
  const more = h("button.secondary", { type: "button", hidden: true, data: { action: "more" }, onclick: () => load(list.childElementCount) }, t("words.more"));
  const writing = h("div.card.writing", { hidden: true });
  const add = h("button.primary", { type: "button", disabled: true, data: { action: "card-new" }, onclick: () => write() }, icon("plus"), t("words.add"));
  let profiles = [];
  let asked = 0;
  let typing = 0;

  const row = (card) => {
    const element = cardRow({ card, cards, learning, onGone: () => {
      const next = element.nextElementSibling;
      const undo = h("button.quiet", { type: "button", data: { action: "restore" }, onclick: async () => {
        try {
          const back = row(await cards.restore(card.id));
          list.insertBefore(back, next?.isConnected ? next : null);
          setText(status, "");
          back.querySelector("button").focus();
        } catch {
          setText(status, t("review.undo.failed"));
        }
      } }, t("review.undo"));
      element.remove();
      status.replaceChildren(`${t("words.gone")} `, undo);
      undo.focus();
    } });
    return element;
  };
  const load = async (offset = 0) => {
    const mine = ++asked;
    setText(status, t("words.loading"));
    try {
      const page = await cards.list(filter, offset);
      if (mine !== asked) return;
      const rows = page.cards.map(row);
      if (offset === 0) list.replaceChildren(...rows);
      else list.append(...rows);
      more.hidden = !page.more;
      setText(status, list.childElementCount > 0 ? "" : t(filter.text || filter.only !== "all" ? "words.none" : "words.empty"));
      if (offset > 0) rows[0]?.querySelector("button").focus();
    } catch {
      if (mine === asked) setText(status, t("words.failed"));
    }
  };
  const write = () => {
    writing.hidden = false;
    writing.replaceChildren(h("h2", {}, t("words.add")), cardForm({
      profiles, profile: filter.profile,
      onCancel: () => {
        writing.hidden = true;
        add.focus();
      },
      save: async (fields) => {
        const { outcome, card } = await cards.add(fields);
        list.querySelector(`[data-card="${CSS.escape(card.id)}"]`)?.remove();
        list.prepend(row(card));
        setText(status, "");
        return t(outcome === "merged" ? "words.known" : "words.added");
      },
    }));
    writing.querySelector('[name="front"]').focus();
  };
  const search = h("input", {
    type: "search", id: "words-search", placeholder: t("words.search"), "aria-label": t("words.search"), autocomplete: "off", maxlength: "500", dir: "auto",
    oninput: () => {
      clearTimeout(typing);
      typing = setTimeout(() => {
        filter.text = search.value.trim();
        load();
      }, TYPING_MS);
    },
  });
  const narrow = choice("words-only", t("words.only"), ONLY.map((name) => [name, t(`words.only.${name}`)]), "all", (value) => {
    filter.only = value;
    load();
  });
  const languages = h("div", { hidden: true });
  learning.profiles().then((all) => {
    profiles = all.map(({ id, target_language: code }) => ({ id, code, name: describe(code).name }));
    add.disabled = profiles.length === 0;
    if (profiles.length < 2) return;
    languages.hidden = false;
    languages.append(choice("words-profile", t("progress.language"), [["", t("progress.language.all")], ...profiles.map(({ id, name }) => [id, name])], "", (value) => {
      filter.profile = value;
      load();
    }));
  }, () => {}); // the same trouble shows in the list
  load();
  return {
    element: h("main.vocabulary", { id: "main", data: { view: "vocabulary" } },
      h("div.head", {}, h("h1", { tabindex: "-1" }, t("words.title")),
        add),
      writing,
      h("search.filters", {}, search, narrow, languages),
      status, list, more, deckFiles({ cards, profiles: () => profiles, onImported: () => load() })),
    close() {
      asked++;
      clearTimeout(typing);
    },
  };
}
