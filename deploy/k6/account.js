/** The REST side of a learner: a guest's account, a profile, and the ticket for the voice socket. */

import { check } from "k6";
import http from "k6/http";

const TIMEOUT = "30s";

/**
 * Makes a new guest who learns a language, and buys a ticket. Requests do not block the
 * other learners of the same virtual user.
 *
 * @param {string} base the server's address, such as http://127.0.0.1:8000
 * @param {{language: string, level: string}} wish what is learned, and how much of it is known
 * @returns {Promise<{url: string, ticket: string}>} rejects when the server refuses
 */
export async function guestTicket(base, { language, level }) {
  const post = poster(base);
  const { access_token: token } = await post("/auth/guest", { native_language: "en" }, 200);
  const profile = await post("/users/profiles", { target_language: language, cefr_level: level }, 201, token);
  return post("/v1/voice/tickets", { profile_id: profile.id }, 201, token);
}

/** Returns a function that posts JSON and resolves to the answer's. */
function poster(base) {
  return async (path, body, expected, token) => {
    const headers = { "Content-Type": "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    const response = await http.asyncRequest("POST", base + path, JSON.stringify(body), {
      headers, timeout: TIMEOUT, tags: { name: path },
    });
    if (!check(response, { [`POST ${path} is granted`]: ({ status }) => status === expected })) {
      throw new Error(`${path}: ${response.status} ${response.body ?? response.error}`);
    }
    return response.json();
  };
}
