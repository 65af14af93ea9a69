/** Signing up, logging in and out. Nobody has to. */

import { requestProblem } from "../problems.js";
import { t } from "../strings.js";
import { h, icon } from "./dom.js";

/**
 * Builds the account's corner.
 *
 * @param {{api: import("../api.js").Api, open: boolean, native: () => string, onChange: () => void}} options
 */
export function accountCard({ api, open, native, onChange }) {
  const box = h("div.account");
  const show = (expanded) => {
    if (api.email) box.replaceChildren(signedIn(api, changed));
    else if (expanded) box.replaceChildren(form(api, native, changed, () => show(false)));
    else box.replaceChildren(closed(api, show, changed));
  };
  const changed = () => {
    show(false);
    onChange();
  };
  show(open);
  return box;
}

function signedIn(api, changed) {
  return h("p.account-line", {}, icon("person"), h("span", {}, api.email),
    h("button.quiet", { type: "button", data: { action: "signout" }, onclick: () => { api.signOut(); changed(); } },
      t("account.signout")));
}

function closed(api, show, changed) {
  return h("p.account-line", {}, icon("person"),
    h("button.quiet", { type: "button", data: { action: "account" }, onclick: () => show(true) },
      `${t("account.login")} / ${t("account.register")}`),
    api.known && h("button.quiet", {
      type: "button", data: { action: "signout" }, onclick: () => { api.signOut(); changed(); },
    }, t("account.forget")));
}

function form(api, native, changed, close) {
  const email = h("input", { type: "email", id: "email", required: true, autocomplete: "email" });
  const password = h("input", { type: "password", id: "password", required: true, minlength: "8", autocomplete: "current-password" });
  const message = h("p.form-error", { role: "alert" });
  const buttons = ["login", "register"].map((kind) => h(kind === "login" ? "button.secondary" : "button.quiet",
    { type: "submit", value: kind, data: { action: kind } }, t(`account.${kind}`)));
  const submit = async (event) => {
    event.preventDefault();
    const kind = event.submitter?.value ?? "login";
    message.textContent = "";
    buttons.forEach((button) => { button.disabled = true; });
    try {
      if (kind === "login") await api.login(email.value, password.value);
      else await api.register(email.value, password.value, native());
      changed();
    } catch (error) {
      const problem = requestProblem(error);
      const wrong = error.status === 401 ? t("account.wrong") : "";
      message.textContent = wrong || problem.detail || t(`problem.${problem.kind}.title`);
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
    }
  };
  const forgot = async () => {
    try {
      if (!email.value) throw new Error(t("account.forgot.email"));
      await api.forgotPassword(email.value);
      message.textContent = t("account.forgot.sent");
    } catch (error) {
      message.textContent = error.message || t("problem.unreachable.title");
    }
  };
  return h("form.account-form", { onsubmit: submit },
    h("div.form-head", {}, h("h2", {}, t("account.title")),
      h("button.quiet.round", { type: "button", onclick: close, "aria-label": t("account.close") }, icon("end"))),
    h("p.note", {}, t("account.why")),
    h("div.field", {}, h("label", { for: "email" }, t("account.email")), email),
    h("div.field", {}, h("label", { for: "password" }, t("account.password")), password),
    message,
    h("div.row", {}, buttons),
    h("button.quiet", { type: "button", data: { action: "forgot" }, onclick: forgot }, t("account.forgot")));
}
