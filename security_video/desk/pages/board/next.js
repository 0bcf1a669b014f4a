// What happens to an alarm by itself and when: the bars of its own chain, and one sentence that is true now.
import { make } from "../../static/dom.js";
import { ageText } from "../../static/time.js";
import { say } from "../../static/words.js";
import { isUnrecorded, isWaiting, stateText } from "./alarm.js";
import { escalatedText } from "./marks.js";

const GRACE_MS = 2000;
const SOON_MS = 60000;
const IN_SECONDS_MS = 120000;
const LEVEL_OF = { unseen: 1, street: 1, district: 2, supervisor: 3 };

/** Say a span that is waited for: in seconds up to two minutes, as the chain counts them. */
const spanText = (span_ms) => (span_ms < IN_SECONDS_MS ? say("time.seconds", { n: Math.ceil(span_ms / 1000) }) : ageText(span_ms));

/** Make `holder` hold one bar for each step of `ladder`. */
export function makeBars(holder, ladder, barClass = null) {
  if (holder.childElementCount === ladder.length) return;
  holder.replaceChildren(...ladder.map(() => make("span", { class: barClass }, make("i"))));
}

/** Fill the bars of `holder` from the time that nobody has signed. */
export function fillBars(holder, alarm, at_ms) {
  [...holder.children].forEach((bar, index) => {
    const from = index === 0 ? alarm.waits_since_ms : alarm.ladder[index - 1].at_ms;
    const span = alarm.ladder[index].at_ms - from;
    const share = span <= 0 ? Number(at_ms >= from) : Math.min(Math.max((at_ms - from) / span, 0), 1);
    bar.firstElementChild.style.width = `${(share * 100).toFixed(1)}%`;
  });
}

/** Say under a bar when and to whom: 30 秒 镇. */
export function rungText(rung) {
  const when = rung.after_s === 0 ? say("ladder.at_once") : spanText(rung.after_s * 1000);
  return say(`ladder.${rung.kind}`, { age: when });
}

/** Return {text, isLate} for a step that the clock brings; `isSure` is false while the page cannot know. */
function stepSentence(step, at_ms, isSure) {
  const name = step.name || say(`area.${LEVEL_OF[step.kind] ?? 0}`);
  const left_ms = step.at_ms - at_ms;
  if (left_ms > 0) return { text: say(`next.${step.kind}`, { name, age: spanText(left_ms) }), isLate: false };
  if (!isSure) return { text: say("next.unknown"), isLate: true };
  if (left_ms > -GRACE_MS) return { text: say(`next.${step.kind}.now`, { name }), isLate: false };
  return { text: say(`next.${step.kind}.late`, { name, age: ageText(-left_ms) }), isLate: true };
}

/** Return {text, isLate}: the one sentence beside the timer. */
export function sentenceOf(alarm, at_ms, isSure) {
  const step = alarm.next_step;
  if (isUnrecorded(alarm)) return { text: stateText(alarm), isLate: true };
  if (isWaiting(alarm)) {
    if (step !== null) return stepSentence(step, at_ms, isSure);
    if (alarm.ladder.length === 0) return { text: say("next.none"), isLate: false };
    return { text: say("next.all", { done: escalatedText(alarm) }), isLate: true };
  }
  if (step !== null && step.at_ms - at_ms < SOON_MS) return stepSentence(alarm.state === "acknowledged" ? step : { ...step, kind: "reminder" }, at_ms, isSure);
  if (alarm.acknowledged_ms === null) return { text: stateText(alarm), isLate: false };
  return { text: say("timer.signed", { who: alarm.acknowledged_name, age: ageText(alarm.acknowledged_ms - alarm.raised_ms) }), isLate: false };
}
