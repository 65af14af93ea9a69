/** The REST side: who the learner is, what they learn, and the ticket for the voice socket. */

const TIMEOUT_MS = 15000;
const KEY = "kalami.identity";
const RENEW_BEFORE_MS = 60000;

/** An answer that is not a success. `status` 0 means that no answer came. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{detail?: string, code?: string, errors?: {field: string, message: string}[]}} body
   * @param {number} retryAfterSeconds 0 when the server gave none
   */
  constructor(status, body = {}, retryAfterSeconds = 0) {
    super(body.errors?.[0]?.message ?? body.detail ?? "");
    this.name = "ApiError";
    this.status = status;
    this.code = body.code ?? "";
    this.field = body.errors?.[0]?.field ?? "";
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * Calls the server as one person. A guest is remembered in this browser; somebody with an
 * account only until the tab is closed.
 */
export class Api {
  constructor() {
    this.identity = this.recall();
    this.renewing = null; // the exchange under way
  }

  /** @returns {boolean} whether somebody is signed in, be it as a guest */
  get known() {
    return this.identity !== null;
  }

  /** @returns {string} the e-mail address of an account; empty for guests and strangers */
  get email() {
    return this.identity?.email ?? "";
  }

  /**
   * The languages on offer; rejects when the server does not tell.
   *
   * @returns {Promise<{code: string, demo: boolean}[]>} `demo`: the demo tutor has a role play in it
   */
  async languages() {
    const body = await this.call("GET", "/languages");
    const list = Array.isArray(body) ? body : body?.languages;
    if (!Array.isArray(list)) throw new ApiError(0);
    return list
      .map((entry) => (typeof entry === "string" ? { code: entry, demo: false } : { code: entry.code, demo: Boolean(entry.demo) }))
      .filter((language) => language.code);
  }

  /** Signs in as a new guest. */
  async guest(nativeLanguage) {
    const tokens = await this.send("POST", "/auth/guest", { json: { native_language: nativeLanguage } });
    this.remember({ ...held(tokens), email: "", guest: true });
  }

  /** Makes an account and signs in to it. */
  async register(email, password, nativeLanguage) {
    await this.send("POST", "/auth/register", { json: { email, password, native_language: nativeLanguage } });
    await this.login(email, password);
  }

  /** Signs in to an account. */
  async login(email, password) {
    const form = new URLSearchParams({ username: email, password });
    const tokens = await this.send("POST", "/auth/login", { form });
    this.remember({ ...held(tokens), email, guest: false });
  }

  /** Has the server end this sign-in, and forgets it whether that succeeds or not. */
  signOut() {
    const refresh = this.identity?.refresh;
    this.forget();
    if (refresh) this.send("POST", "/auth/logout", { json: { refresh_token: refresh } }).catch(() => {});
  }

  /** Proves that a mailbox is the learner's, with the token out of a mail. */
  async verifyEmail(token) {
    await this.send("POST", "/auth/email/verify", { json: { token } });
  }

  /** Chooses a new password, with the token out of a mail. */
  async resetPassword(token, password) {
    await this.send("POST", "/auth/password/reset", { json: { token, new_password: password } });
  }

  /** Has a mail with a link for a new password sent. */
  async forgotPassword(email) {
    await this.send("POST", "/auth/password/forgot", { json: { email } });
  }

  /** Shows the server a fresh access token, over the socket of a conversation that outlasts its first one. */
  async extend(socket) {
    try {
      await this.renew(this.identity?.token);
      if (this.identity) socket.send("auth.update", { access_token: this.identity.token });
    } catch {
      // the server tells when it is too late
    }
  }

  forget() {
    this.identity = null;
    for (const storage of [sessionStorage, localStorage]) storage.removeItem(KEY);
  }

  /**
   * The profile of this language at this level, made or changed where needed. A guest whose
   * token has ended becomes a new guest, once.
   *
   * @returns {Promise<{id: string, target_language: string, cefr_level: string}>}
   */
  async profile(language, level, nativeLanguage) {
    if (!this.known) await this.guest(nativeLanguage);
    try {
      return await this.ensureProfile(language, level);
    } catch (error) {
      if (error.status !== 401 || !this.identity?.guest) throw error;
      this.forget();
      await this.guest(nativeLanguage);
      return this.ensureProfile(language, level);
    }
  }

  async ensureProfile(language, level) {
    const profiles = await this.call("GET", "/users/profiles");
    const mine = profiles.find((profile) => profile.target_language === language);
    if (!mine) {
      return this.call("POST", "/users/profiles", { json: { target_language: language, cefr_level: level } });
    }
    if (mine.cefr_level === level) return mine;
    return this.call("PATCH", `/users/profiles/${encodeURIComponent(mine.id)}`, { json: { cefr_level: level } });
  }

  /** Begins a conversation in which the tutor asks the cards that are due; resolves to its id. */
  async beginReview(profileId) {
    const { id } = await this.call("POST", "/conversations/sessions", { json: { profile_id: profileId, mode: "review" } });
    return id;
  }

  /**
   * A ticket for one voice socket; it is good for a minute.
   *
   * @param {string} profileId
   * @param {{conversationId?: string, scenarioId?: string}} [which] a conversation to go on with, or what a new one plays
   * @returns {Promise<{url: string, ticket: string}>} `url` is absolute
   */
  async ticket(profileId, { conversationId, scenarioId } = {}) {
    const json = { profile_id: profileId };
    if (conversationId) json.conversation_id = conversationId;
    else if (scenarioId) json.scenario_id = scenarioId;
    const grant = await this.call("POST", "/v1/voice/tickets", { json });
    const url = new URL(grant.url || "/v1/voice", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    return { url: url.href, ticket: grant.ticket };
  }

  /** Sends a request as who is signed in, with a new access token when the old one has ended. */
  async call(method, path, content) {
    const { token, refresh, until } = this.identity ?? {};
    if (refresh && Date.now() > until - RENEW_BEFORE_MS) await this.renew(token);
    try {
      return await this.send(method, path, content);
    } catch (error) {
      if (error.status !== 401 || !refresh || this.identity?.token !== token) throw error;
      await this.renew(token);
      return this.send(method, path, content);
    }
  }

  /**
   * Exchanges the refresh token for new tokens, unless `stale` has been replaced already. A refresh
   * token is good once, so one tab does it at a time, with what the last one has stored.
   */
  async renew(stale) {
    const exchange = async () => {
      const stored = this.recall();
      if (stored) this.identity = stored;
      if (!this.identity?.refresh || this.identity.token !== stale) return;
      try {
        const tokens = await this.send("POST", "/auth/refresh", { json: { refresh_token: this.identity.refresh } });
        this.remember({ ...this.identity, ...held(tokens) });
      } catch (error) {
        if (error.status === 401 && !this.identity.guest) this.forget();
        throw error;
      }
    };
    this.renewing ??= (navigator.locks ? navigator.locks.request(KEY, exchange) : exchange())
      .finally(() => { this.renewing = null; });
    await this.renewing;
  }

  async send(method, path, { json, form, file, type, as = "json", timeoutMs = TIMEOUT_MS } = {}) {
    const headers = { Accept: as === "blob" ? "*/*" : "application/json" };
    if (json) headers["Content-Type"] = "application/json";
    if (file) headers["Content-Type"] = type;
    if (this.identity) headers.Authorization = `Bearer ${this.identity.token}`;
    let response;
    let body;
    try {
      response = await fetch(path, {
        method, headers, body: json ? JSON.stringify(json) : form ?? file, signal: AbortSignal.timeout(timeoutMs),
      });
      if (response.status === 204) body = null;
      else body = await (as === "blob" && response.ok ? response.blob() : response.json());
    } catch {
      if (!response || response.ok) throw new ApiError(0);
      body = {}; // a proxy's error page
    }
    if (!response.ok) throw new ApiError(response.status, body ?? {}, Number(response.headers.get("Retry-After")) || 0);
    return body;
  }

  recall() {
    for (const storage of [sessionStorage, localStorage]) {
      try {
        const identity = JSON.parse(storage.getItem(KEY));
        if (identity?.token) return identity;
      } catch {
        storage.removeItem(KEY);
      }
    }
    return null;
  }

  remember(identity) {
    this.forget();
    this.identity = identity;
    (identity.guest ? localStorage : sessionStorage).setItem(KEY, JSON.stringify(identity));
  }
}

/** What is kept of an answer with tokens; `until` is when the access token ends. */
function held({ access_token, expires_in, refresh_token }) {
  return { token: access_token, refresh: refresh_token ?? "", until: Date.now() + (expires_in ?? 0) * 1000 };
}
