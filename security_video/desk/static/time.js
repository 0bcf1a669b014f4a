// One clock for the page: the server's, so that two desks and the ledger agree; and the words of time.
import { say } from "./words.js";

const ZONE = document.body.dataset.zone;
const shape = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: ZONE, hour12: false, ...options });
const CLOCK = shape({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MINUTE = shape({ hour: "2-digit", minute: "2-digit" });
const inLanguage = (options) => new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: ZONE, ...options });
const DATE = inLanguage({ month: "long", day: "numeric" });
const WEEKDAY = inLanguage({ weekday: "short" });

let ahead_ms = 0;

/** Take the server's time as it arrives with a message. */
export function setServerTime(server_ms) {
  ahead_ms = server_ms - Date.now();
}

/** Return the server's time now, in ms. */
export function now() {
  return Date.now() + ahead_ms;
}

export const clockText = (at_ms) => CLOCK.format(at_ms);
export const minuteText = (at_ms) => MINUTE.format(at_ms);
export const dayText = (at_ms) => `${DATE.format(at_ms)} ${WEEKDAY.format(at_ms)}`;

/** Return `02:14:18.204`, or `18.204` when `before_ms` lies in the same minute: repeats are not read. */
export function preciseText(at_ms, before_ms = null) {
  const whole = CLOCK.format(at_ms);
  const thousandth = String(Math.floor(at_ms) % 1000).padStart(3, "0");
  const isSame = before_ms !== null && MINUTE.format(before_ms) === MINUTE.format(at_ms) && at_ms - before_ms < 60000;
  return `${isSame ? whole.slice(6) : whole}.${thousandth}`;
}

/** Return how long something lasted in one unit: 18 秒, 4 分, 3 小时, 2 天. */
export function ageText(age_ms) {
  const age_s = Math.max(0, Math.floor(age_ms / 1000));
  if (age_s < 60) return say("time.seconds", { n: age_s });
  if (age_s < 3600) return say("time.minutes", { n: Math.floor(age_s / 60) });
  if (age_s < 86400) return say("time.hours", { n: Math.floor(age_s / 3600) });
  return say("time.days", { n: Math.floor(age_s / 86400) });
}

/** Return a running timer: 00:18, 12:05, 3:00:09. */
export function timerText(age_ms) {
  const age_s = Math.max(0, Math.floor(age_ms / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const rest = `${two(Math.floor(age_s / 60) % 60)}:${two(age_s % 60)}`;
  return age_s < 3600 ? rest : `${Math.floor(age_s / 3600)}:${rest}`;
}

/** Call `tick` at once and at every full second. */
export function everySecond(tick) {
  tick();
  setTimeout(() => everySecond(tick), 1000 - (now() % 1000) + 5);
}
