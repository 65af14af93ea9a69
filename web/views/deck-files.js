/** Taking cards away as a file, and bringing some from one. */

import { t } from "../strings.js";
import { trouble } from "./card-form.js";
import { h, setText } from "./dom.js";

/** The forms in which cards are taken away, with the names of their files. */
const FILES = Object.freeze({
  apkg: "kalami-cards.apkg", anki_txt: "kalami-cards.txt", csv: "kalami-cards.csv", revlog: "kalami-reviews.csv",
});

/**
 * @param {{
 *   cards: import("../cards.js").Cards, profiles: () => {id: string, name: string}[], onImported: () => void,
 * }} options `profiles` are those that cards may be brought to
 */
export function deckFiles({ cards, profiles, onImported }) {
  const status = h("p.note", { role: "status", data: { hook: "files-status" } });
  const message = h("p.form-error", { role: "alert" });
  const attempt = async (what) => {
    setText(status, t("words.loading"));
    setText(message, "");
    try {
      setText(status, await what());
    } catch (error) {
      setText(status, "");
      setText(message, error.status === 422 && error.field.startsWith("line") ? t("files.broken", { line: error.field.slice("line ".length), why: error.message })
        : trouble(error));
    }
  };
  const save = (format) => attempt(async () => {
    const url = URL.createObjectURL(await cards.export(format));
    h("a", { href: url, download: FILES[format] }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000); // the browser reads it a little later
    return t("files.saved", { name: FILES[format] });
  });
  const language = h("select", { id: "import-profile" });
  const languageField = h("div.field", { hidden: true }, h("label", { for: "import-profile" }, t("card.profile")), language);
  const file = h("input", { type: "file", id: "import-file", accept: ".txt,.tsv,.csv,text/plain,text/csv", required: true });
  const form = h("form.card-form", {
    onsubmit: (event) => {
      event.preventDefault();
      attempt(async () => {
        const [chosen] = file.files;
        const { read, created } = await cards.import(language.value, chosen.name.toLowerCase().endsWith(".csv") ? "csv" : "anki_txt", chosen);
        form.reset();
        onImported();
        return t("files.imported", { read, created });
      });
    },
  }, h("div.field", {}, h("label", { for: "import-file" }, t("files.import")), file, h("p.note", {}, t("files.import.note"))), languageField,
  h("div.row", {}, h("button.secondary", { type: "submit", data: { action: "import" } }, t("files.import.go"))));
  return h("details.panel.files", {
    ontoggle: () => {
      language.replaceChildren(...profiles().map(({ id, name }) => h("option", { value: id }, name)));
      languageField.hidden = profiles().length < 2;
      form.hidden = profiles().length === 0;
    },
  }, h("summary", {}, t("files.title")),
  h("div.panel-body", {}, h("p", {}, t("files.export")),
    h("div.row", {}, Object.keys(FILES).map((format) => h("button.secondary", {
      type: "button", data: { action: "export", format }, onclick: () => save(format),
    }, t(`files.format.${format}`)))), form, status, message));
}
