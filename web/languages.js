/** Languages and levels, as a learner chooses them. */

import { pageLanguage } from "./strings.js";

/** What is on offer when the server does not say. */
export const DEFAULT_LANGUAGES = Object.freeze(["es", "fr", "de", "it", "pt", "ja", "ko", "zh", "ar", "ru", "en"]);

/** The levels of the Common European Framework, easiest first. */
export const LEVELS = Object.freeze(["A1", "A2", "B1", "B2", "C1", "C2"]);

const NATIVE = Object.freeze([
  "en", "es", "fr", "de", "it", "pt", "ja", "ko", "zh", "ar", "ru",
  "hi", "bn", "id", "tr", "vi", "pl", "uk", "nl", "fa", "sw", "th", "el", "cs", "sv", "ro", "hu", "he",
]);

function nameIn(locale, code) {
  try {
    const name = new Intl.DisplayNames([locale], { type: "language" }).of(code) ?? code;
    return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
  } catch {
    return code; // not a language code
  }
}

/**
 * A language's names: its own ("Español") and what the page calls it ("Spanish").
 *
 * @param {string} code such as "es"
 * @returns {{code: string, own: string, name: string}}
 */
export function describe(code) {
  return { code, own: nameIn(code, code), name: nameIn(pageLanguage, code) };
}

/** The learner's own language, as far as the browser knows it. */
export function browserLanguage() {
  return (navigator.language || "en").split("-")[0].toLowerCase();
}

/** The languages that a learner may name as their own, by name in the page's language. */
export function nativeLanguages() {
  return [...new Set([browserLanguage(), ...NATIVE])]
    .map(describe)
    .sort((a, b) => a.name.localeCompare(b.name, pageLanguage));
}
