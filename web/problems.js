/**
 * What can go wrong, and what the learner is told. A problem is
 * `{kind, action, waitSeconds?, detail?}`: `kind` names the words (strings.js, `problem.<kind>`),
 * `action` is what the learner can do about it.
 */

/** The ways on from a problem. */
export const ACTION = Object.freeze({
  retry: "retry", // try the same again
  proceed: "continue", // a new connection for the same conversation
  signIn: "sign-in",
  none: "none",
});

/** What stands in the way before anything was tried; null when nothing does. */
export function environmentProblem() {
  if (!window.isSecureContext) return { kind: "insecure", action: ACTION.none };
  const able = navigator.mediaDevices?.getUserMedia && window.AudioWorkletNode && window.WebSocket
    && window.AbortSignal?.timeout;
  return able ? null : { kind: "unsupported", action: ACTION.none };
}

/** Why there is no microphone, from what getUserMedia rejected with. */
export function microphoneProblem(error) {
  const kinds = {
    NotAllowedError: "microphone-denied",
    SecurityError: "microphone-denied",
    NotFoundError: "microphone-absent",
    OverconstrainedError: "microphone-absent",
    NotReadableError: "microphone-busy",
    AbortError: "microphone-busy",
  };
  return { kind: kinds[error?.name] ?? "microphone-failed", action: ACTION.retry };
}

/** Why the tutor cannot be heard, from what opening the sound rejected with. */
export function soundProblem(error) {
  const kind = error?.name === "AbortError" ? "unreachable" : "sound-failed"; // the worklets come from the server
  return { kind, action: ACTION.retry };
}

/** Why a request failed, from an ApiError. */
export function requestProblem(error) {
  const { status, retryAfterSeconds: waitSeconds, message: detail } = error;
  if (status === 0) return { kind: "unreachable", action: ACTION.retry };
  if (status === 401) return { kind: "signed-out", action: ACTION.signIn };
  if (status === 402) return { kind: "quota", action: ACTION.none };
  if (error.code === "guests_off") return { kind: "guests-off", action: ACTION.signIn };
  if (status === 403) return { kind: "forbidden", action: ACTION.none };
  if (status === 429 || status === 503) return { kind: "busy", action: ACTION.retry, waitSeconds: waitSeconds || 10 };
  if (status >= 500) return { kind: "server", action: ACTION.retry };
  return { kind: "refused", action: ACTION.retry, detail };
}

const BY_CODE = Object.freeze({
  1002: { kind: "protocol", action: ACTION.none },
  1003: { kind: "protocol", action: ACTION.none },
  1007: { kind: "protocol", action: ACTION.none },
  1008: { kind: "forbidden", action: ACTION.none },
  1009: { kind: "protocol", action: ACTION.none },
  1011: { kind: "server", action: ACTION.proceed },
  1012: { kind: "restart", action: ACTION.proceed },
  1013: { kind: "busy", action: ACTION.retry, waitSeconds: 10 },
  4202: { kind: "max-duration", action: ACTION.proceed },
  4400: { kind: "protocol", action: ACTION.none },
  4401: { kind: "signed-out", action: ACTION.signIn },
  4402: { kind: "quota", action: ACTION.none },
  4403: { kind: "forbidden", action: ACTION.none },
  4404: { kind: "gone", action: ACTION.none },
  4408: { kind: "idle", action: ACTION.proceed },
  4409: { kind: "superseded", action: ACTION.none },
  4429: { kind: "busy", action: ACTION.retry, waitSeconds: 30 },
});

/** Why the voice socket closed, from its close code; unknown codes go by their range. */
export function closeProblem(code) {
  if (BY_CODE[code]) return { ...BY_CODE[code] };
  if (code >= 4300 && code < 5000) return { kind: "refused", action: ACTION.none };
  return { kind: "connection-lost", action: ACTION.proceed };
}

const NOTICES = Object.freeze({
  stt_unavailable: "no-hearing",
  llm_unavailable: "no-thinking",
  tts_unavailable: "no-voice",
  upstream_degraded: "degraded",
  input_audio_overrun: "slow-link",
  echo_suspected: "echo",
  fallback_voice: "other-voice",
  storage_delayed: "not-saved-yet",
});

/** The words for a warning or an error that does not end the conversation; null when they need none. */
export function noticeKind(code) {
  return NOTICES[code] ?? null;
}
