// What every page beside the board does: the top bar, the bell, and saying aloud that alarms wait elsewhere.
import { fillHealth, prepareMenu, prepareSound, tickClock } from "../pages/board/topbar.js";
import { isRinging, isWaiting } from "../pages/board/alarm.js";
import { setRinging } from "./bell.js";
import { setMark, setText } from "./dom.js";
import { openFeed } from "./feed.js";
import { ageText, clockText, everySecond, now } from "./time.js";
import { say } from "./words.js";

const part = (id) => document.getElementById(id);
const { me } = JSON.parse(document.body.dataset.desk);

/**
 * Open the page's line; `onChange()` hears that an alarm has moved. This page draws no alarm, so it confirms none:
 * only the board tells the ledger that a person's screen shows one.
 */
export function openSheet(onChange) {
  const alarms = new Map();
  let groups = [];
  let items = [];
  let blindSince = null;
  let link = { state: "connecting", since: Date.now() };

  function show() {
    const isLive = link.state === "live";
    const open = [...alarms.values()];
    const waiting = open.filter(isWaiting).length + groups.reduce((sum, group) => sum + (group.kind === "" ? 0 : group.count), 0);
    part("waiting").hidden = waiting === 0;
    setText(part("waiting-title"), say("sheet.waiting", { n: waiting }));
    setRinging(open.some(isRinging) || groups.some((group) => group.kind !== "" && group.level === 1 && !group.is_drill));
    setMark(document.body, "data-link", isLive && blindSince === null ? "live" : "lost");
    setMark(document.body, "data-waiting", String(waiting));
    tick();
  }

  function tick() {
    tickClock(part("clock"), part("day"));
    const isLive = link.state === "live";
    fillHealth(part("health"), items, isLive);
    const since = isLive ? blindSince : link.since;
    part("alert").hidden = link.state === "connecting" || (isLive && blindSince === null);
    part("sign-in").hidden = link.state !== "signed_out";
    if (part("alert").hidden) return;
    const key = isLive ? "blind" : link.state;
    const shownOf = (isLive ? blindSince : link.heard_ms) ?? null;
    setText(part("alert-title"), say(`link.${key}`, { age: since ? ageText((isLive ? now() : Date.now()) - since) : "" }));
    setText(part("alert-text"), say(`link.${key}.why`, { n: link.attempt ?? 0, at: shownOf === null ? "—" : clockText(shownOf) }));
  }

  function hear(status) {
    items = status.items;
    blindSince = status.blind_since_ms ?? null;
  }

  function take(changed, gone, newGroups) {
    groups = newGroups;
    for (const alarm of changed) {
      if (alarm.state === "closed") alarms.delete(alarm.alarm_id);
      else alarms.set(alarm.alarm_id, alarm);
    }
    for (const id of gone) alarms.delete(id);
    show();
    onChange();
  }

  openFeed(`${location.origin.replace(/^http/, "ws")}/feed`, "/api/v1/me", {
    snapshot(message) {
      alarms.clear();
      hear(message.status);
      take(message.alarms, [], message.groups);
    },
    selected: () => null,
    alarm: (message) => take([message.alarm], [], groups),
    changes: (message) => take(message.alarms, message.gone, message.groups),
    status(message) { hear(message.status); show(); },
    link(said) { link = said; show(); },
  });
  prepareSound(part("sound"));
  prepareMenu(part("operator"), part("menu"), me);
  everySecond(tick);
}

/**
 * Keep the part `id` of the page equal to what `address()` answers: at once when `renew()` is called, and every
 * `every_ms`. Old figures are never shown as new ones: the page says of when they are.
 */
export function keepFresh(id, address, every_ms) {
  let heard_ms = now();
  let timer = 0;
  let isAsking = false;
  let isWanted = false;

  async function ask() {
    clearTimeout(timer);
    isWanted = isAsking;
    if (isAsking) return;
    isAsking = true;
    try {
      const answer = await fetch(address(), { credentials: "same-origin", signal: AbortSignal.timeout(8000) });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
      part(id).replaceChildren(...fresh.childNodes);
      heard_ms = now();
      part("stale").hidden = true;
    } catch {
      setText(part("stale-title"), say("sheet.stale", { at: clockText(heard_ms) }));
      part("stale").hidden = false;
    }
    isAsking = false;
    timer = setTimeout(ask, isWanted ? 300 : every_ms);
  }

  timer = setTimeout(ask, every_ms);
  return {
    /** Ask again soon; many calls in a row ask once. */
    renew() {
      clearTimeout(timer);
      timer = setTimeout(ask, 300);
    },
    /** Ask at once and return when the answer is drawn. */
    ask,
  };
}
