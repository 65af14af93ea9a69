/** Holding the big button, or the space bar, to talk. */

const WRITES = "input, textarea, select, [contenteditable]";
const PRESSES = "button, summary, a[href], [role=button]"; // what the space bar would press itself

/**
 * Listens to the button and the keyboard while push-to-talk is on.
 *
 * @param {HTMLElement} button
 * @param {import("../uplink.js").Uplink} uplink
 * @returns {() => void} stops listening
 */
export function listenForTalk(button, uplink) {
  const stop = new AbortController();
  const on = (target, type, handler) => target.addEventListener(type, handler, { signal: stop.signal });
  const live = () => uplink.pushToTalk && uplink.lesson.conversation.phase === "live" && !uplink.lesson.suspended;

  on(button, "pointerdown", (event) => {
    if (!live() || event.button !== 0) return;
    button.setPointerCapture(event.pointerId); // the finger may slip
    uplink.press();
  });
  for (const type of ["pointerup", "pointercancel"]) on(button, type, () => uplink.release());
  on(button, "contextmenu", (event) => {
    if (live()) event.preventDefault(); // what a long press means on a phone
  });

  let held = false;
  on(document, "keydown", (event) => {
    if (event.key !== " " || !live() || !isOurs(event.target, button)) return;
    event.preventDefault(); // neither scrolls nor clicks
    if (event.repeat || held) return;
    held = true;
    uplink.press();
  });
  on(document, "keyup", (event) => {
    if (event.key !== " " || !held) return;
    event.preventDefault();
    held = false;
    uplink.release();
  });
  on(window, "blur", () => { // nobody will tell us that the key comes up
    if (held) uplink.release();
    held = false;
  });
  return () => stop.abort();
}

function isOurs(target, button) {
  return target === button || !target.closest?.(`${WRITES}, ${PRESSES}`);
}
