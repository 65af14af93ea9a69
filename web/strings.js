/**
 * Every word that the page shows stands in strings/, in a table for each language with the same
 * keys. The page speaks the first of the browser's languages that has one, unless somebody has
 * chosen; to translate it, add the tables and name them here.
 */

import { en } from "./strings/en.js";
import { enLearning } from "./strings/en-learning.js";
import { enMemories } from "./strings/en-memories.js";
import { enProblems } from "./strings/en-problems.js";
import { enTeaching } from "./strings/en-teaching.js";
import { enWords } from "./strings/en-words.js";
import { es } from "./strings/es.js";
import { esLearning } from "./strings/es-learning.js";
import { esMemories } from "./strings/es-memories.js";
import { esProblems } from "./strings/es-problems.js";
import { esTeaching } from "./strings/es-teaching.js";
import { esWords } from "./strings/es-words.js";

const KEY = "kalami.page-language";
const TABLES = Object.freeze({
  en: { ...en, ...enLearning, ...enMemories, ...enProblems, ...enTeaching, ...enWords },
  es: { ...es, ...esLearning, ...esMemories, ...esProblems, ...esTeaching, ...esWords },
});

/** The languages that the page can speak, by their BCP-47 codes. */
export const pageLanguages = Object.freeze(Object.keys(TABLES));

/** The one that it speaks. */
export const pageLanguage = [chosen(), ...(navigator.languages ?? [])]
  .map((tag) => (tag ?? "").split("-")[0].toLowerCase())
  .find((code) => pageLanguages.includes(code)) ?? "en";

const table = TABLES[pageLanguage];
document.documentElement.lang = pageLanguage;

function chosen() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // the browser keeps nothing for this page
  }
}

/** Has the page speak another of its languages, from the next time it is loaded. */
export function choosePageLanguage(code) {
  localStorage.setItem(KEY, code);
}

/**
 * The text for a key.
 *
 * @param {string} key
 * @param {Record<string, string | number>} [values] for the names in braces
 * @returns {string} the key itself when there is no such text
 */
export function t(key, values = {}) {
  return (table[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/** Whether there is a text for a key. */
export function has(key) {
  return key in table;
}
