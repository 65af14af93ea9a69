/** The REST side: who the learner is, what they learn, and the ticket for the voice socket. */

const TIMEOUT_MS = 15000;
const KEY = "kalami.identity";

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
    const { access_token } = await this.call("POST", "/auth/guest", { json: { native_language: nativeLanguage } });
    this.remember({ token: access_token, email: "", guest: true });
  }

  /** Makes an account and signs in to it. */
  async register(email, password, nativeLanguage) {
    await this.call("POST", "/auth/register", { json: { email, password, native_language: nativeLanguage } });
    await this.login(email, password);
  }

  /** Signs in to an account. */
  async login(email, password) {
    const form = new URLSearchParams({ username: email, password });
    const { access_token } = await this.call("POST", "/auth/login", { form });
    this.remember({ token: access_token, email, guest: false });
  }

  /** Forgets who was signed in. */
  signOut() {
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
      this.signOut();
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

  /**
   * A ticket for one voice socket; it is good for a minute.
   *
   * @param {string} profileId
   * @param {string} [conversationId] to go on with a conversation
   * @returns {Promise<{url: string, ticket: string}>} `url` is absolute
   */
  async ticket(profileId, conversationId) {
    const json = { profile_id: profileId };
    if (conversationId) json.conversation_id = conversationId;
    const grant = await this.call("POST", "/v1/voice/tickets", { json });
    const url = new URL(grant.url || "/v1/voice", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    return { url: url.href, ticket: grant.ticket };
  }

  async call(method, path, { json, form } = {}) {
    const headers = { Accept: "application/json" };
    if (json) headers["Content-Type"] = "application/json";
    if (this.identity) headers.Authorization = `Bearer ${this.identity.token}`;
    let response;
    let body;
    try {
      response = await fetch(path, {
        method, headers, body: json ? JSON.stringify(json) : form, signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      body = response.status === 204 ? null : await response.json();
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
    this.signOut();
    this.identity = identity;
    (identity.guest ? localStorage : sessionStorage).setItem(KEY, JSON.stringify(identity));
  }
}
