/**
 * Smoke: a handful of learners at once, one turn each. It asks whether the server under test
 * works at all, not how fast it is: every turn and every check must succeed.
 *
 *   KALAMI_URL=http://127.0.0.1:8000 LEARNERS=5 TURNS=1 k6 run deploy/k6/smoke.js
 */

import { recording } from "./microphone.js";
import { converse, pause, setting } from "./voice.js";

const LEARNERS = setting("LEARNERS", 5);
const TURNS = setting("TURNS", 1);
const TABLE_FOR_TWO = recording(open("../bench/speech/en-01-clean.wav", "b"));

export const options = {
  scenarios: {
    smoke: { executor: "per-vu-iterations", vus: LEARNERS, iterations: 1, maxDuration: `${2 + TURNS}m` },
  },
  thresholds: {
    turns_ok: ["rate==1"],
    checks: ["rate==1"],
    "calls{close_code:1000}": [`count==${LEARNERS}`],
  },
};

/** One learner, who comes within the first second. */
export default async function () {
  await pause(1000 * Math.random());
  await converse({ language: "en", level: "B2", turns: TURNS, recording: TABLE_FOR_TWO });
}
