// Requests to the desk's server; a refusal comes back as an Error whose message says what to do.
import { say } from "./words.js";

const csrf = () => document.querySelector('meta[name="csrf-token"]').content;

/** A refusal: `status` of HTTP (0: no answer), `code` and `reason` of the house's error shape. */
export class Refusal extends Error {
  constructor(status, error) {
    super([error.message, error.cure].filter(Boolean).join(" "));
    this.status = status;
    this.code = error.code;
    this.reason = error.reason ?? "";
  }
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", signal: AbortSignal.timeout(8000), ...options });
  } catch {
    throw new Refusal(0, { code: "no_answer", message: say("error.no_answer"), cure: say("error.no_answer.cure") });
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const known = say(`error.${answer.error?.reason || answer.error?.code || response.status}`);
  const isKnown = !known.startsWith("error.");
  throw new Refusal(response.status, {
    ...answer.error,
    message: isKnown ? known : (answer.error?.message ?? say("error.other", { status: response.status })),
    cure: isKnown ? "" : (answer.error?.cure ?? ""),
  });
}

/** Read typed facts. */
export function read(path) {
  return ask(path, {});
}

/** Change something: JSON body, the page's CSRF token. */
export function send(path, body) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf() },
    body: JSON.stringify(body),
  });
}
