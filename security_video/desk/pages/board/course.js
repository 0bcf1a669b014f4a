// What happened, with times to the millisecond: the ledger's history, and what is waited for now.
import { make } from "../../static/dom.js";
import { ageText, preciseText } from "../../static/time.js";
import { say, word } from "../../static/words.js";
import { isWaiting, originText, wantsSecond } from "./alarm.js";

const BELIEVED_MS = 3600000;
const HOT = new Set(["cancelled", "pressed_again", "unseen", "escalated", "expired", "reminded", "nobody_on_duty", "drill_was_real"]);

function tookText(took_ms) {
  return took_ms < 10000 ? say("course.ms", { n: took_ms }) : say("alarm.late", { age: ageText(took_ms) });
}

/** Split the first event: the press by the device's clock, where that can be believed, and the commit by ours. */
function beginning(alarm, event) {
  const took_ms = event.at_ms - alarm.device_ms;
  const press = say("course.pressed", { origin: originText(alarm) });
  if (took_ms < 0 || took_ms > BELIEVED_MS) return [{ at_ms: event.at_ms, mark: "hot", text: press, small: say("course.recorded") }];
  return [
    { at_ms: alarm.device_ms, mark: "hot", text: press },
    { at_ms: event.at_ms, mark: "done", text: say("course.recorded"), small: tookText(took_ms) },
  ];
}

function entries(alarm, event) {
  if (event.kind === "raised") return beginning(alarm, event);
  const facts = event.details;
  const level = Number(facts.level ?? 0);
  const values = {
    name: facts.target_name || say(`area.${level}`), age: ageText(Number(facts.late_by_s ?? 0) * 1000), n: facts.count ?? "",
    who: event.by, desk: facts.desk ?? "", to: facts.dispatched_to ?? "", origin: originText(alarm),
    verdict: facts.verdict ? word("verdict", facts.verdict) : "",
    outcome: facts.outcome ? word("outcome", facts.outcome) : "",
  };
  const kind = event.kind === "escalated" && facts.late_by_s ? "escalated.late" : event.kind === "escalated" && level === 3 ? "escalated.3" : event.kind;
  const text = event.kind === "note" ? facts.note : word("course", kind).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const small = event.kind === "note" ? event.by : (facts.note ?? "");
  const mark = HOT.has(event.kind) ? "hot" : "done";
  return [{ at_ms: event.at_ms, mark, text, small }];
}

function waitsFor(alarm) {
  if (wantsSecond(alarm)) return say("course.waits.second");
  if (isWaiting(alarm)) return say("course.waits.acknowledge");
  if (alarm.verdict === null) return say("course.waits.verify");
  if (alarm.state === "verified" && alarm.verdict === "true") return say("course.waits.dispatch");
  if (alarm.state === "dispatched") return say("course.waits.arrive");
  return alarm.state === "closed" ? "" : say("course.waits.close");
}

/** Fill `list` with the history of `detail` and the line of what is waited for. */
export function fillCourse(list, alarm, events) {
  let before = null;
  const lines = events.flatMap((event) => entries(alarm, event)).map((entry) => {
    const line = make("li", { class: entry.mark },
      make("time", {}, preciseText(entry.at_ms, before)), make("i"),
      make("p", {}, entry.text, " ", entry.small ? make("small", {}, entry.small) : null));
    before = entry.at_ms;
    return line;
  });
  const waiting = waitsFor(alarm);
  if (waiting) lines.push(make("li", { class: "now" }, make("time"), make("i"), make("p", {}, waiting)));
  list.replaceChildren(...lines);
}
