/** What the tutor remembers of the learner, to be put right or forgotten, and the level that it sees. */

import { describe } from "../languages.js";
import { Memories } from "../memories.js";
import { pageLanguage, t } from "../strings.js";
import { trouble } from "./card-form.js";
import { h, icon, setText } from "./dom.js";
import { levelCard } from "./level.js";

/**
 * Builds the screen.
 *
 * @param {{learning: import("../learning.js").Learning}} options
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function memoriesView({ learning }) {
  const memories = new Memories(learning.api);
  const status = h("p.note", { role: "status", data: { hook: "memories-status" } }, t("memories.loading"));
  const levels = h("div.levels-seen");
  const lists = h("div.remembered");
  const all = h("div.row");
  let closed = false;

  const languages = new Map(); // names by profile
  const heading = h("h1", { tabindex: "-1" }, t("memories.title"));
  const settle = (words) => {
    for (const group of lists.querySelectorAll("section")) if (!group.querySelector("li")) group.remove();
    const none = lists.childElementCount === 0;
    all.hidden = none;
    setText(status, words || (none ? t("memories.none") : ""));
    heading.focus();
  };
  const show = (found) => {
    const groups = Map.groupBy ? Map.groupBy(found, (one) => one.profile_id) : groupBy(found, (one) => one.profile_id);
    lists.replaceChildren(...[...groups].map(([profile, some]) => h("section", {},
      groups.size > 1 && h("h2", {}, languages.get(profile) ?? ""),
      h("ul.kept-list", {}, some.map((memory) => memoryRow({ memory, memories, onGone: () => settle(t("memories.gone")) }))))));
    forgetAll(all, async () => {
      await memories.forgetAll();
      lists.replaceChildren();
      settle(t("memories.gone.all"));
    });
    all.hidden = found.length === 0;
    setText(status, found.length > 0 ? "" : t("memories.none"));
  };
  const load = async () => {
    try {
      const profiles = await learning.profiles();
      for (const { id, target_language: code } of profiles) languages.set(id, describe(code).name);
      levels.replaceChildren(...profiles.map((profile) => levelCard({ memories, profile })));
      const found = await memories.list();
      if (!closed) show(found);
    } catch {
      if (!closed) setText(status, t("memories.failed"));
    }
  };
  load();
  return {
    element: h("main.vocabulary", { id: "main", data: { view: "memories" } },
      heading, levels, h("h2", {}, t("memories.heading")), h("p.note", {}, t("memories.note")), status, lists, all),
    close() {
      closed = true;
    },
  };
}

function groupBy(list, key) {
  const groups = new Map();
  for (const one of list) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
}

/** The button that has everything forgotten, which asks first. */
function forgetAll(row, forget) {
  const ask = h("button.quiet.danger", { type: "button", data: { action: "forget-all" } }, t("memories.forget.all"));
  const message = h("p.form-error", { role: "alert" });
  ask.addEventListener("click", () => {
    const no = h("button.secondary", { type: "button", onclick: () => { row.replaceChildren(ask); ask.focus(); } }, t("card.cancel"));
    row.replaceChildren(h("p", {}, t("memories.forget.ask")), no, h("button.quiet.danger", {
      type: "button", data: { action: "forget-all-yes" },
      onclick: () => forget().catch((error) => setText(message, trouble(error))),
    }, t("memories.forget.all")), message);
    no.focus();
  });
  row.replaceChildren(ask);
}

/** One memory. */
function memoryRow({ memory: first, memories, onGone }) {
  let memory = first;
  const element = h("li.card.kept", { data: { memory: memory.id } });
  const message = h("p.form-error", { role: "alert" });
  const show = (focus) => {
    const button = (action, name, label, onclick) => h("button.mini", {
      type: "button", data: { action }, onclick, title: t(`memories.${label}`), "aria-label": t(`memories.${label}.of`, { text: memory.text }),
    }, icon(name));
    element.replaceChildren(h("div.words", { dir: "auto" }, memory.text), h("p.about", {}, about(memory).map((text) => h("span.tag", {}, text))), message,
      h("div.tools", {}, button("memory-edit", "pencil", "edit", edit), button("memory-forget", "bin", "forget", forget)));
    if (focus) element.querySelector(`[data-action="${focus}"]`).focus();
  };
  const forget = async () => {
    setText(message, "");
    try {
      await memories.forget(memory.id);
      element.remove();
      onGone();
    } catch (error) {
      setText(message, trouble(error));
    }
  };
  const edit = () => {
    setText(message, "");
    const input = h("input", { type: "text", value: memory.text, required: true, maxlength: "160", dir: "auto", autocomplete: "off", "aria-label": t("memories.edit") });
    element.replaceChildren(h("form.card-form", {
      onsubmit: async (event) => {
        event.preventDefault();
        setText(message, "");
        try {
          memory = await memories.change(memory.id, input.value.trim());
          show("memory-edit");
        } catch (error) {
          setText(message, error.status === 409 ? t("memories.twin") : error.status === 422 ? t("memories.private") : trouble(error));
        }
      },
      onkeydown: (event) => {
        if (event.key === "Escape") show("memory-edit");
      },
    }, input, message, h("div.row", {},
      h("button.primary", { type: "submit", data: { action: "memory-save" } }, t("card.save")),
      h("button.quiet", { type: "button", onclick: () => show("memory-edit") }, t("card.cancel")))));
    input.focus();
  };
  show();
  return element;
}

function about({ kind, expires_at: until, edited_at: edited }) {
  const parts = [t(`memories.kind.${kind}`)];
  if (edited) parts.push(t("memories.edited"));
  if (until) parts.push(t("memories.until", { day: new Date(until).toLocaleDateString(pageLanguage, { day: "numeric", month: "long" }) }));
  return parts;
}
