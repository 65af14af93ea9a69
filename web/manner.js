/** How the learner likes to talk with the tutor; kept in this browser. */

const KEY = "kalami.manner";

/** What the tutor's voice comes out of, as far as the learner says. */
export const SOUND = Object.freeze({
  auto: "auto", // the page judges by the device
  headphones: "headphones", // nothing comes back: the learner may talk over the tutor
  speaker: "speaker", // the microphone waits while the tutor speaks
});

/**
 * What was chosen last time.
 *
 * @returns {{pushToTalk: boolean, sound: string}}
 */
export function recallManner() {
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    // unreadable: as if nothing was chosen
  }
  return { pushToTalk: kept.pushToTalk === true, sound: SOUND[kept.sound] ?? SOUND.auto };
}

/** Keeps a choice for the next lesson. */
export function keepManner(manner) {
  localStorage.setItem(KEY, JSON.stringify(manner));
}
