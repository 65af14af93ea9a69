/**
 * The lane of what the learner writes: each message has an id and is kept until the server has
 * named it. What is sent on a socket that is about to be left may reach nobody; the server tells
 * messages by their ids, so that one that is sent again counts once. Those that were not named
 * when a session broke down are given up: they may be why, and would break it again.
 */

const MOST = 32;

/** Numbers and remembers written messages. */
export class TypedLane {
  constructor() {
    /** Events that nobody has confirmed, oldest first. */
    this.waiting = [];
  }

  /** Takes a message and returns the event that says it; null when too many wait. */
  add(text) {
    if (this.waiting.length === MOST) return null;
    const id = `it_${[...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    const item = { id, type: "message", role: "user", content: [{ type: "input_text", text }] };
    const event = { id, type: "conversation.item.create", fields: { event_id: id, item } };
    this.waiting.push(event);
    return event;
  }

  /** Forgets the messages that an event of the server names. */
  confirm({ type, item, items, error }) {
    if (type === "conversation.item.added" || type === "conversation.item.done") this.forget(item.id);
    if (type === "session.restarted") for (const { id } of items ?? []) this.forget(id);
    if (type === "error") this.forget(error.event_id);
  }

  /** Forgets all. */
  giveUp() {
    this.waiting = [];
  }

  forget(id) {
    this.waiting = this.waiting.filter((event) => event.id !== id);
  }
}
