/** Practising to be understood: sentences with words that were hard to understand. */

import { describe } from "../languages.js";
import { Pronunciation } from "../pronunciation.js";
import { t } from "../strings.js";
import { trouble } from "./card-form.js";
import { choice, h, setText } from "./dom.js";
import { hearButton } from "./hear.js";
import { sayAgain } from "./say.js";

/**
 * Builds the screen.
 *
 * @param {{learning: import("../learning.js").Learning}} options
 * @returns {{element: HTMLElement, close: () => void}}
 */
export function pronunciationView({ learning }) {
  const pronunciation = new Pronunciation(learning.api);
  const status = h("p.note", { role: "status", data: { hook: "practice-status" } }, t("words.loading"));
  const languages = h("div.filters", { hidden: true });
  const own = h("div");
  const misheard = h("div.misheard");
  const drills = h("ul.kept-list", { "aria-label": t("practice.drills") });
  let open = []; // what may be recording
  let asked = 0;

  const end = () => {
    for (const one of open) one.close();
    open = [];
  };
  const practise = (tag, text, language) => {
    const again = sayAgain({ learning, text, language });
    open.push(again);
    return h(tag, { data: { drill: text } }, h("p.drill", { lang: language, dir: "auto" }, text),
      h("div.row", {}, hearButton({ learning, text, language }), again.button), again.element);
  };
  const load = async (language) => {
    end();
    const mine = ++asked;
    own.replaceChildren(ownSentence(language, practise));
    setText(status, t("words.loading"));
    try {
      const [sentences, { items, caveat }] = await Promise.all([pronunciation.drills(language), pronunciation.misheard(language)]);
      if (mine !== asked) return;
      misheard.replaceChildren(...(items.length > 0 ? [h("h2", {}, t("practice.misheard")),
        h("p.about", { lang: language }, items.map(({ value }) => h("span.tag.warm", {}, value))), h("p.note", { dir: "auto" }, caveat)] : []));
      drills.replaceChildren(...sentences.map(({ text }) => practise("li.card.drill-card", text, language)));
      setText(status, sentences.length > 0 ? "" : t("practice.none"));
    } catch {
      if (mine === asked) setText(status, t("practice.failed"));
    }
  };
  learning.profiles().then((all) => {
    const codes = all.map(({ target_language: code }) => code);
    if (codes.length === 0) {
      setText(status, t("practice.none"));
      return;
    }
    languages.hidden = codes.length < 2;
    languages.append(choice("practice-language", t("progress.language"), codes.map((code) => [code, describe(code).name]), codes[0], load));
    load(codes[0]);
  }, () => setText(status, t("practice.failed")));
  return {
    element: h("main.vocabulary", { id: "main", data: { view: "pronunciation" } },
      h("h1", { tabindex: "-1" }, t("practice.title")), h("p.note", {}, t("practice.note")), languages, own, misheard, status, drills, consentChoice(pronunciation)),
    close() {
      asked++;
      end();
    },
  };
}

/** Whether an assessor of sounds may hear what is recorded; nothing where the server does not say. */
function consentChoice(pronunciation) {
  const message = h("p.form-error", { role: "alert" });
  const input = h("input", {
    type: "checkbox", id: "practice-consent", "aria-describedby": "practice-consent-note",
    onchange: async () => {
      setText(message, "");
      input.disabled = true;
      try {
        await pronunciation.consent(input.checked);
      } catch (error) {
        input.checked = !input.checked;
        setText(message, error.status === 403 ? t("practice.consent.child") : trouble(error));
      }
      input.disabled = false;
    },
  });
  const element = h("div.field", { hidden: true, data: { hook: "consent" } },
    h("label.check", { for: "practice-consent" }, input, t("practice.consent")),
    h("p.note", { id: "practice-consent-note" }, t("practice.consent.note")), message);
  pronunciation.consented().then((granted) => {
    input.checked = granted;
    element.hidden = false;
  }, () => {}); // then nobody but the recogniser hears it
  return element;
}

/** A sentence of the learner's own to read. */
function ownSentence(language, practise) {
  const input = h("input", { type: "text", id: "practice-own", required: true, maxlength: "300", lang: language, dir: "auto", autocomplete: "off" });
  const place = h("div");
  return h("form.card.writing", {
    onsubmit: (event) => {
      event.preventDefault();
      place.replaceChildren(practise("div.drill-card", input.value.trim(), language));
      place.querySelector('[data-action="say"]').focus();
    },
  }, h("div.field", {}, h("label", { for: "practice-own" }, t("practice.own")), input),
  h("div.row", {}, h("button.secondary", { type: "submit", data: { action: "practise" } }, t("practice.take"))), place);
}
