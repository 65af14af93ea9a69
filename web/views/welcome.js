/** The first screen: which language, which level, and off we go. */

import { DEFAULT_LANGUAGES, LEVELS, browserLanguage, describe, nativeLanguages } from "../languages.js";
import { choosePageLanguage, pageLanguage, pageLanguages, t } from "../strings.js";
import { accountCard } from "./account.js";
import { choice as select, h, icon, setText } from "./dom.js";

const KEY = "kalami.choice";

/** What was chosen last time, or a sensible beginning. */
export function recallChoice() {
  const fallback = { language: browserLanguage() === "es" ? "en" : "es", level: "A2", native: browserLanguage() };
  try {
    return { ...fallback, ...JSON.parse(localStorage.getItem(KEY)) };
  } catch {
    return fallback;
  }
}

/**
 * Builds the screen.
 *
 * @param {{api: import("../api.js").Api, onStart: (choice: object) => void, onScenes: (choice: object) => void, onAccount: () => void, account?: boolean}} options
 *   `onStart` is called inside the click, `onScenes` when a situation is to be chosen first, `onAccount` when somebody has signed in or out; `account` opens the account form
 */
export function welcomeView({ api, onStart, onScenes, onAccount, account = false }) {
  const choice = recallChoice();
  const languages = h("div.languages");
  const demoNote = h("p.note", { hidden: true, data: { hook: "demo-note" } });
  let offered = DEFAULT_LANGUAGES.map((code) => ({ code, demo: false }));

  const showDemoNote = () => {
    const scenes = offered.filter((language) => language.demo);
    demoNote.hidden = scenes.length === 0 || scenes.some(({ code }) => code === choice.language);
    setText(demoNote, t("welcome.demo.other", { languages: scenes.map(({ code }) => describe(code).name).join(", ") }));
  };
  const showLanguages = () => {
    if (!offered.some(({ code }) => code === choice.language)) choice.language = offered[0].code;
    languages.replaceChildren(...offered.map(({ code }) => languageOption(code, choice, showDemoNote)));
    showDemoNote();
  };
  showLanguages();
  api.languages().then((list) => {
    if (list.length > 0) offered = list;
    showLanguages();
  }, () => {}); // the usual list stays; a server that is away shows when the lesson starts

  const note = h("p.note");
  const showNote = () => setText(note, api.email
    ? t("welcome.start.note.account", { email: api.email })
    : t("welcome.start.note.guest"));
  showNote();

  const form = h("form.card.choices", {
    onsubmit: (event) => {
      event.preventDefault();
      localStorage.setItem(KEY, JSON.stringify(choice));
      if (event.submitter?.value === "scenes") onScenes({ ...choice });
      else onStart({ ...choice });
    },
  },
  h("fieldset", {}, h("legend", {}, t("welcome.language")), languages, demoNote),
  levelChoice(choice),
  nativeChoice(choice),
  h("button.primary.start", { type: "submit", data: { action: "start" } }, icon("microphone"), t("welcome.start")),
  h("button.secondary", { type: "submit", value: "scenes", data: { action: "scenes" } }, icon("flag"), t("welcome.scenes")),
  note);

  return h("main.welcome", { id: "main", data: { view: "welcome" } },
    h("div.hero", {},
      h("h1", { tabindex: "-1" }, t("app.tagline")),
      h("p.lead", {}, t("app.sentence")),
      h("ul.points", {},
        h("li", {}, icon("wait"), t("app.point.patient")),
        h("li", {}, icon("captions"), t("app.point.captions")),
        h("li", {}, icon("level"), t("app.point.level"))),
      accountCard({ api, open: account, native: () => choice.native, onChange: () => { showNote(); onAccount(); } })),
    form);
}

function languageOption(code, choice, onChange) {
  const { own, name } = describe(code);
  const input = h("input", {
    type: "radio", name: "language", value: code, checked: code === choice.language,
    onchange: () => {
      choice.language = code;
      onChange();
    },
  });
  return h("label.option", {}, input,
    h("span.face", {}, h("span.own", { lang: code, dir: "auto" }, own), own !== name && h("span.name", {}, name)));
}

function levelChoice(choice) {
  const words = h("p.level-words", { id: "level-words", "aria-live": "polite" }, t(`level.${choice.level}`));
  const options = LEVELS.map((level) => h("label.option", { title: t(`level.${level}`) },
    h("input", {
      type: "radio", name: "level", value: level, checked: level === choice.level, "aria-describedby": "level-words",
      onchange: () => {
        choice.level = level;
        setText(words, t(`level.${level}`));
      },
    }),
    h("span.face", {}, level)));
  return h("fieldset", {}, h("legend", {}, t("welcome.level")), h("div.levels", {}, options), words);
}

function nativeChoice(choice) {
  const select = h("select", { id: "native", onchange: () => { choice.native = select.value; } },
    nativeLanguages().map(({ code, own, name }) =>
      h("option", { value: code, selected: code === choice.native }, own === name ? name : `${name} · ${own}`)));
  return h("div.field", {}, h("label", { for: "native" }, t("welcome.native")), select);
}

/** In which language the page itself speaks, for the header. */
export function pageLanguageChoice() {
  const element = select("page-language", t("app.page-language"), pageLanguages.map((code) => [code, describe(code).own]), pageLanguage, (code) => {
    choosePageLanguage(code);
    location.reload();
  });
  element.dataset.action = "page-language";
  return element;
}
