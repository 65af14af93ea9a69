/** What a client has to remember of its session to come back to it. */

const SILENT_SERVER_MS = 15000;
const RIVAL_MS = 30000; // for which an attempt that was given up may still come to be
const NO_FRAME = Object.freeze({ stream: 0, seq: -1 });

/** One conversation's session, the first or one that took its place. */
export class Session {
  constructor() {
    this.id = "";
    this.conversationId = "";
    this.token = "";
    this.windowMs = 0; // for which the token is good without a socket
    /** How long a server may say nothing. */
    this.timeoutMs = SILENT_SERVER_MS;
    /** The number of the last event. */
    this.lastSeq = 0;
    this.frame = NO_FRAME; // the newest one of the tutor's
    /** How far the player is, by its last report; null before the first. */
    this.playback = null;
    /** The last report about the end of a reply: saying it again changes nothing. */
    this.lastWord = null;
    this.rival = null;
  }

  /** Takes the event that a socket begins with: session.created, .resumed or .restarted. */
  begin(event) {
    if (event.type === "session.created") {
      Object.assign(this, new Session());
      this.timeoutMs = event.heartbeat?.timeout_ms || this.timeoutMs;
    }
    // The old socket may have brought more than the answer to session.resume knows of.
    this.lastSeq = event.type === "session.resumed" ? Math.max(event.seq, this.lastSeq) : event.seq;
    if (event.session) {
      this.id = event.session.id;
      this.conversationId = event.session.conversation_id;
    }
    this.offered(event);
  }

  /** Takes the token that an event may carry; says whether it does. */
  offered({ resume }) {
    if (!resume) return false;
    if (resume.token) this.token = resume.token;
    this.windowMs = resume.window_ms;
    return true;
  }

  /**
   * Notes an attempt to come back that was given up without an answer. A slow server may take it for
   * the newer of two after another has succeeded: then it supersedes that, and its token is good.
   */
  giveUp(token) {
    this.rival = { token, at: performance.now() };
  }

  /** Whether it was superseded by such an attempt, and takes its token; somebody else's word is believed. */
  ownDoing() {
    const { rival } = this;
    if (!rival || performance.now() - rival.at > RIVAL_MS) return false;
    this.token = rival.token;
    this.rival = null;
    return true;
  }

  /** Whether it can be taken up again after so many milliseconds without a socket. */
  resumable(awayMs) {
    return this.token !== "" && awayMs < this.windowMs;
  }

  /** Whether a frame of the tutor's is new. */
  takes({ stream, seq }) {
    const { frame } = this;
    if (stream < frame.stream || (stream === frame.stream && seq <= frame.seq)) return false;
    this.frame = { stream, seq };
    return true;
  }

  /** Notes a report of the player. */
  played(type, fields) {
    const { response_id: id, played_ms: playedMs, buffered_ms: bufferedMs = 0 } = fields;
    if (playedMs !== undefined) this.playback = { response_id: id, played_ms: playedMs, buffered_ms: bufferedMs };
    if (type === "output_audio_buffer.stopped" || type === "output_audio_buffer.cleared") this.lastWord = { type, fields };
  }
}
