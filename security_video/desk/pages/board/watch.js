// The quiet hour: what deserves a look, what came before, who is on duty; and the figures of the shift.
import { make, setText } from "../../static/dom.js";
import { ageText, minuteText, now } from "../../static/time.js";
import { say, word } from "../../static/words.js";
import { placeText, stateText, titleText } from "./alarm.js";

function presenceText(trouble) {
  const age = trouble.since_ms === null ? "" : ageText(now() - trouble.since_ms);
  return trouble.kind === "camera" ? `${word("camera", trouble.presence)} ${age}` : say(`presence.${trouble.presence}`, { age });
}

function troubleLines(troubles) {
  return troubles.flatMap((trouble) => [
    make("dt", {}, [trouble.address, trouble.name || say("origin.device")].filter(Boolean).join("　")),
    make("dd", { class: "poor" }, presenceText(trouble)),
  ]);
}

function recentLine(alarm) {
  return make("li", { class: alarm.state === "closed" ? "done" : "now" }, make("time", {}, minuteText(alarm.raised_ms)), make("i"),
    make("p", {}, `${titleText(alarm)}　${placeText(alarm)} `, make("small", {}, stateText(alarm))));
}

/** Fill the panel of a quiet hour. */
export function fillWatch(panel, watch) {
  const find = (name) => panel.querySelector(`[data-part="${name}"]`);
  find("troubles").replaceChildren(...troubleLines(watch.troubles));
  find("no-troubles").hidden = watch.troubles.length > 0;
  find("unheard").hidden = watch.unheard === 0;
  setText(find("unheard"), say("watch.unheard", { n: watch.unheard }));
  find("recent").replaceChildren(...watch.recent.map(recentLine));
  find("no-recent").hidden = watch.recent.length > 0;
  find("seats").replaceChildren(...watch.seats.flatMap((seat) => [
    make("dt", {}, seat.name), make("dd", { class: seat.is_looking ? null : "poor" }, say(seat.is_looking ? "seat.n" : "seat.covered", { n: seat.seat }))]));
}

/** Return one sentence about the newest alarm, for the calm queue. */
export function lastSentence(recent) {
  if (recent.length === 0) return say("calm.first");
  const last = recent[0];
  return [say("calm.last"), minuteText(last.raised_ms), titleText(last), stateText(last)].join("　");
}

/** Fill the four figures of the shift. */
export function fillTonight(list, tonight) {
  const set = (name, text) => setText(list.querySelector(`[data-part="${name}"]`), text);
  set("alarms", String(tonight.alarms));
  set("closed", String(tonight.closed));
  set("false", String(tonight.false_alarms));
  set("median", tonight.median_sign_ms === null ? "—" : ageText(tonight.median_sign_ms));
  set("shift", say(`shift.${tonight.shift}`));
}
