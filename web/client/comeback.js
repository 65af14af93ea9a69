/** How {@link KalamiClient} comes back: what helps against the end of a socket, how long to wait, and when not to. */

/** The close codes that a client needs to know beside their ranges. */
export const CODE = Object.freeze({
  normal: 1000, leaving: 1001, lost: 1006, internal: 1011, restart: 1012, overloaded: 1013,
  silent: 4100, maxDuration: 4202, ticket: 4401, superseded: 4409,
});

/** What a client does when it has lost its socket; `renew` is a new ticket, `renewOnce` not twice in a row. */
export const REMEDY = Object.freeze({ stop: "stop", resume: "resume", renew: "renew", renewOnce: "renew once" });

const RESUMABLE = new Set([CODE.leaving, CODE.lost, CODE.internal, CODE.restart]);

/** What helps against the end of a socket, by its close code; unknown ones count by their range. */
export function remedyFor(code) {
  if (RESUMABLE.has(code) || (code >= 4100 && code < 4200)) return REMEDY.resume;
  if (code === CODE.maxDuration) return REMEDY.stop; // whether to go on is the learner's to say
  if (code === CODE.overloaded || (code >= 4200 && code < 4300)) return REMEDY.renew;
  return code === CODE.ticket ? REMEDY.renewOnce : REMEDY.stop;
}

const WAITS_MS = [0, 100, 250, 500, 1000, 2000, 5000];
const WAITS_WHEN_OVERLOADED = 4; // attempts that are passed over

/** The waits before attempts to come back: each is drawn anew from 0 to its most, so that a crowd does not come in step. */
export class Backoff {
  constructor() {
    this.attempts = 0;
  }

  /** Begins anew; `from` attempts count as made already. */
  reset(from = 0) {
    this.attempts = from;
  }

  /** The next wait, in milliseconds. */
  next(overloaded = false) {
    if (overloaded) this.attempts = Math.max(this.attempts, WAITS_WHEN_OVERLOADED);
    return Math.random() * WAITS_MS[Math.min(this.attempts++, WAITS_MS.length - 1)];
  }
}

/**
 * Watches how the device reaches the network; returns what ends that.
 *
 * @param {{changed: () => void, lost: () => void, seen: () => void}} handlers `changed`: there is a
 *   network again, or another one; `lost`: there is none; `seen`: the page is looked at again, whose
 *   timers may have slept
 */
export function watchNetwork({ changed, lost, seen }) {
  const { connection } = navigator;
  let type = connection?.type; // its other figures change all the time
  const rerouted = () => {
    if (connection.type === type) return;
    type = connection.type;
    changed();
  };
  const shown = () => { if (document.visibilityState === "visible") seen(); };
  const all = [[window, "online", changed], [window, "offline", lost], [document, "visibilitychange", shown]];
  if (connection?.addEventListener) all.push([connection, "change", rerouted]);
  for (const [target, name, listener] of all) target.addEventListener(name, listener);
  return () => { for (const [target, name, listener] of all) target.removeEventListener(name, listener); };
}
