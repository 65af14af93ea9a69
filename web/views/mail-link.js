/** What a link out of a mail opens: `#verify=…` or `#reset=…`. */

import { requestProblem } from "../problems.js";
import { t } from "../strings.js";
import { h, setText } from "./dom.js";

/**
 * Takes the link out of the address, so that the token is neither in the history nor used twice.
 *
 * @returns {{purpose: "verify" | "reset", token: string} | null}
 */
export function takeMailLink() {
  const [, purpose, token] = /^#(verify|reset)=([\w-]+)$/.exec(location.hash) ?? [];
  if (!token) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return { purpose, token };
}

/**
 * Builds the screen.
 *
 * @param {{api: import("../api.js").Api, link: {purpose: string, token: string}, onDone: () => void}} options
 */
export function mailLinkView({ api, link, onDone }) {
  const message = h("p", { role: "status", data: { hook: "mail-message" } });
  const go = h("button.primary", { type: "button", hidden: true, data: { action: "mail-go" }, onclick: onDone }, t("mail.go"));
  const content = link.purpose === "reset" ? resetForm(api, link.token, message, go) : null;
  if (!content) {
    setText(message, t("mail.verify.asking"));
    api.verifyEmail(link.token).then(() => setText(message, t("mail.verify.done")), (error) => setText(message, words(error)))
      .finally(() => { go.hidden = false; });
  }
  return h("main.welcome", { id: "main", data: { view: "mail-link" } },
    h("div.card.choices", {}, h("h1", { tabindex: "-1" }, t(`mail.${link.purpose}.title`)), content, message, go));
}

function resetForm(api, token, message, go) {
  const password = h("input", { type: "password", id: "new-password", required: true, minlength: "8", autocomplete: "new-password" });
  const save = h("button.primary", { type: "submit", data: { action: "mail-save" } }, t("mail.reset.save"));
  const form = h("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      save.disabled = true;
      try {
        await api.resetPassword(token, password.value);
        api.forget(); // the server has signed everybody out
        setText(message, t("mail.reset.done"));
        form.hidden = true;
        go.hidden = false;
      } catch (error) {
        setText(message, words(error));
        save.disabled = false;
      }
    },
  }, h("div.field", {}, h("label", { for: "new-password" }, t("mail.reset.password")), password), save);
  return form;
}

function words(error) {
  const problem = requestProblem(error);
  return problem.detail || t(`problem.${problem.kind}.title`);
}
