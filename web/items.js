/** What is said, as the page keeps it: an item for each message of either side. */

import { CaptionTrack } from "./caption-track.js";

/**
 * Makes an item of which nothing is known yet. `version` counts its changes, so that only what has
 * changed is drawn again.
 *
 * @param {string} key tells it from every other of the conversation
 * @param {string} id as the server calls it
 * @param {"user" | "assistant"} role
 * @param {string} language being learned
 */
export function newItem(key, id, role, language) {
  const item = { key, id, role, failed: false, version: 0 };
  if (role === "user") return { ...item, text: "", final: false, saved: false, typed: false };
  return { ...item, track: new CaptionTrack(language), heard: null, complete: false, repeats: "" };
}

/** The words of an item: of the tutor's those that were heard, when it was interrupted. */
export function wordsOf(item) {
  return item.role === "user" ? item.text : item.heard ?? item.track.text;
}
