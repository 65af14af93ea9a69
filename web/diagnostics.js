/**
 * `window.kalami`: what the page measures about itself, for tests and for curious people. It is read-only
 * and holds no words and no secrets.
 */

/** @param {() => (import("./lesson.js").Lesson | null)} current the lesson that is shown, if any */
export function exposeDiagnostics(current) {
  const player = () => current()?.player;
  const totals = () => player()?.totals ?? {};
  const counters = () => current()?.counters ?? {};
  const numbers = {
    playedSamples: () => totals().played ?? 0,
    nonZeroPlayedSamples: () => totals().nonZero ?? 0,
    underruns: () => totals().underruns ?? 0,
    pauses: () => totals().pauses ?? 0,
    flushes: () => totals().flushes ?? 0,
    lateFrames: () => totals().late ?? 0,
    lastClearMs: () => counters().lastClearMs ?? 0,
    micFrames: () => counters().micFrames ?? 0,
    micFramesDropped: () => counters().micDropped ?? 0,
    micFramesResent: () => counters().micResent ?? 0,
    connections: () => counters().connections ?? 0,
    contextRate: () => player()?.context.sampleRate ?? 0,
    turns: () => (current() ? current().conversation.spokenTurns + current().conversation.typedTurns : 0),
    state: () => current()?.conversation.state ?? "idle",
    speed: () => current()?.conversation.session?.audio?.output?.speed ?? 0,
    states: () => [...(current()?.conversation.states ?? [])],
    latencies: () => (current()?.clock.turns ?? []).map(({ heardMs, stages, draftMs, report }) => (
      { heardMs, draftMs, stages: Object.fromEntries(stages), report: { ...report } })),
    problem: () => current()?.problem?.kind ?? "",
    lastClose: () => ({ ...current()?.lastClose }),
  };
  const kalami = {};
  for (const [name, get] of Object.entries(numbers)) Object.defineProperty(kalami, name, { get, enumerable: true });
  Object.defineProperty(window, "kalami", { value: Object.freeze(kalami) });
}
