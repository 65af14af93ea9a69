/** What is shown when the server says what is stored, because what was missed cannot be proven. */

/** The words of an item as the server stores it. */
export const textOf = (item) => (item.content ?? []).map((part) => part.text ?? "").join("").trim();

/**
 * Shows what is stored, and nothing else that the server does not know to be true: what the
 * snapshot does not reach back to, and the reply under way.
 *
 * @param {import("./conversation.js").Conversation} conversation
 * @param {object[]} stored the latest items of the history, oldest first
 * @param {string} [responseId] of the reply under way
 */
export function replaceItems(conversation, stored, responseId) {
  const underWay = conversation.responses.get(responseId);
  conversation.responses = new Map(underWay ? [[underWay.id, underWay]] : []);
  conversation.streams = new Map([...conversation.streams].filter(([, known]) => known === underWay));
  if (!conversation.streams.has(conversation.sounding)) conversation.sounding = 0;
  conversation.awaiting = Boolean(underWay) && !conversation.sounding;
  conversation.hearing = false;
  conversation.saying = false;
  const ids = new Set(stored.map(({ id }) => id));
  const first = conversation.items.findIndex((item) => ids.has(item.id));
  const older = first < 0 ? [] : conversation.items.slice(0, first);
  const shown = stored.map((item) => show(conversation, item));
  const after = underWay && !ids.has(underWay.item.id) ? [underWay.item] : [];
  conversation.items = [...older, ...shown, ...after];
  const kept = new Set(conversation.items);
  for (const [key, item] of conversation.byKey) if (!kept.has(item)) conversation.byKey.delete(key);
}

/** Shows one item as it is stored. */
function show(conversation, { id, role, status, ...item }) {
  const text = textOf(item);
  const known = conversation.items.find((one) => one.id === id);
  if (known) conversation.byKey.set(conversation.key(id), known);
  if (role === "user") return conversation.update(id, role, { text, final: true, saved: true });
  const shown = conversation.update(id, role, {});
  if (!known) shown.track.add(text, 0);
  const cut = status === "incomplete" || (!shown.complete && shown.track.text !== text);
  if (shown.heard === null) Object.assign(shown, { heard: cut ? text : null, complete: true });
  return shown;
}
