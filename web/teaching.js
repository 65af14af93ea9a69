/**
 * What is taught beside the talk: hints, translations and repetitions on demand, corrections of what
 * was said, cards and goals. It asks over the lesson's socket, and keeps what is shown with the items
 * of the conversation; nothing of it stands between the learner and the tutor.
 */

const ANSWER_MS = 12000; // the server gives a model half of that
const NEWS_MS = 12000;
const MOST_NEWS = 3;
const ASKED = "asked"; // a nudge that the learner asked for
const BEGINNINGS = new Set(["session.created", "session.resumed", "session.restarted"]);
const HARMLESS = new Set(["response_not_active", "item_not_found"]); // of a repetition: the answer comes first, or there is none

/** Serves one lesson. Fires "tell" with what a screen reader is to say: `corrections`, or a `translation`. */
export class Teaching extends EventTarget {
  /** @param {import("./lesson.js").Lesson} lesson */
  constructor(lesson) {
    super();
    this.lesson = lesson;
    this.asked = new Map(); // by the event's id: {type, fields, item, timer}, what has no answer yet
    this.count = 0;
    /** What has just come to be, newest last: `{key, about}`, with a `text` in the language that is learned or `texts` in several. */
    this.news = [];
    this.timers = new Set();
    /** The goals of the scenario that are reached: the learner's words that show it, by the goals' ids. */
    this.met = new Map();
  }

  get conversation() {
    return this.lesson.conversation;
  }

  /** Whether an answer to such an event is awaited, of an item if one is given. */
  awaits(type, item) {
    return [...this.asked.values()].some((question) => question.type === type && (!item || question.item === item));
  }

  /** Asks what the learner could say; the conversation's nudge tells. */
  hint() {
    if (!this.awaits("tutor.hint")) this.ask("tutor.hint", {});
  }

  /** Has the tutor say its last reply again. */
  repeat(slow) {
    this.ask("tutor.repeat", { slow });
  }

  /** Shows an item in the learner's own language, or hides what is shown of it. */
  translate(item) {
    if (item.translation) this.touch(item, { translation: { ...item.translation, open: !item.translation.open } });
    else if (!this.awaits("tutor.translate", item)) this.ask("tutor.translate", { item_id: item.id }, item);
  }

  /** The id of the item that is being said again, or "". */
  get repeated() {
    const { sounding } = this.conversation;
    return this.conversation.responseOf(sounding)?.item.repeats ?? "";
  }

  /** Whether the learner may say that an item was misunderstood: one that was spoken and is stored, in this session. */
  editable(item) {
    const { conversation } = this;
    return conversation.phase === "live" && item.saved && !item.typed && conversation.byKey.get(conversation.key(item.id)) === item;
  }

  /** Says what the learner has said instead of what was understood; it shows at once. */
  edit(item, text) {
    if (text === item.text) return;
    item.edited = text;
    this.ask("tutor.transcript.edit", { item_id: item.id, text }, item);
  }

  ask(type, fields, item = null) {
    const id = `help-${++this.count}`;
    this.asked.set(id, { type, fields, item, timer: setTimeout(() => this.failed(id), ANSWER_MS) });
    if (item) this.touch(item, {});
    this.lesson.socket?.send(type, { event_id: id, ...fields }); // else it is said at the return
    this.lesson.changed();
  }

  /** Takes one event of the server; true when it is an error that answers one of ours. */
  take(event) {
    if (BEGINNINGS.has(event.type)) this.again();
    if (event.type === "error" && this.asked.has(event.error.event_id)) {
      if (!event.error.fatal) this.failed(event.error.event_id, event.error.code);
      return true;
    }
    this.handlers[event.type]?.call(this, event);
    return false;
  }

  handlers = Object.freeze({
    "tutor.hint"({ text, language }) {
      this.conversation.nudge = { kind: ASKED, text, language };
      this.answered("tutor.hint");
    },
    "tutor.translation"({ text, language, item_id: id }) {
      const item = this.conversation.find(id);
      if (!item) return;
      this.answered("tutor.translate", item);
      const translation = { text, language, open: true };
      this.touch(item, { translation });
      this.dispatchEvent(new CustomEvent("tell", { detail: { translation } }));
    },
    "tutor.feedback"({ item_id: id, corrections }) {
      const item = this.conversation.find(id);
      if (!item) return;
      this.touch(item, { corrections });
      if (corrections.length > 0) this.dispatchEvent(new CustomEvent("tell", { detail: { corrections } }));
    },
    "conversation.item.done"({ item: { id, role } }) {
      const item = role === "user" && this.conversation.find(id);
      if (!item || item.edited === undefined) return;
      this.answered("tutor.transcript.edit", item);
      this.touch(item, { edited: undefined });
    },
    "response.created"({ response }) {
      if (response.repeats) this.answered("tutor.repeat");
    },
    "input_audio_buffer.speech_started"() {
      this.answered("tutor.repeat"); // who speaks does not wait for it any more
    },
    "tutor.card.added"({ card }) {
      this.tell({ key: `card-${card.id}`, about: "card", text: card.back });
    },
    "tutor.goal.met"({ goal_id: id, quote }) {
      const goal = this.lesson.choice.scenario?.goals.find((one) => one.id === id);
      if (!goal || this.met.has(id)) return;
      this.met.set(id, quote);
      this.tell({ key: `goal-${id}`, about: "goal", texts: goal.text });
    },
  });

  /** Something is new: shown for a while. */
  tell(news) {
    this.news = [...this.news.filter(({ key }) => key !== news.key), news].slice(-MOST_NEWS);
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.news = this.news.filter((one) => one !== news);
      this.lesson.changed();
    }, NEWS_MS);
    this.timers.add(timer);
  }

  /** Forgets the questions of a kind, of an item if one is given: they have their answer. */
  answered(type, item) {
    for (const [id, question] of this.asked) {
      if (question.type !== type || (item && question.item !== item)) continue;
      clearTimeout(question.timer);
      this.asked.delete(id);
    }
    this.lesson.notices.delete("help-failed");
    this.lesson.notices.delete("help-busy");
  }

  failed(id, code = "") {
    const { type, item, timer } = this.asked.get(id);
    clearTimeout(timer);
    this.asked.delete(id);
    if (item) this.touch(item, { edited: undefined });
    if (type === "tutor.repeat" && (code === "" || HARMLESS.has(code))) this.lesson.changed();
    else this.lesson.notice(code === "rate_limited" ? "help-busy" : "help-failed");
  }

  /** Another node may know nothing of what was asked: what has no answer is asked again, which changes nothing twice. */
  again() {
    for (const [id, { type, fields }] of this.asked) {
      if (type !== "tutor.repeat") this.lesson.socket?.send(type, { event_id: id, ...fields });
    }
  }

  touch(item, fields) {
    Object.assign(item, fields);
    item.version++;
    this.conversation.changed();
  }

  /** Lets go of everything that is awaited. */
  close() {
    for (const { timer } of this.asked.values()) clearTimeout(timer);
    for (const timer of this.timers) clearTimeout(timer);
    this.asked.clear();
    this.timers.clear();
  }
}
