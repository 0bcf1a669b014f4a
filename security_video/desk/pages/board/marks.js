// The marks of an alarm, each a shape and a word: silent, late, doubted, pressed again and again, handed on.
import { make } from "../../static/dom.js";
import { icon } from "../../static/icons.js";
import { ageText } from "../../static/time.js";
import { say, word } from "../../static/words.js";
import { isUnrecorded, isWaiting, wantsSecond } from "./alarm.js";

function pill(kind, sign, text, title = "") {
  return make("span", { class: `pill mark ${kind}`, title: title || null }, sign === null ? null : icon(sign, 15, 5), text);
}

/** Say to whom an alarm has been handed on, empty while it is the community's own. */
export function escalatedText(alarm) {
  if (alarm.escalation_level === 0) return "";
  return say(`escalated.${alarm.escalation_level}`, { name: alarm.escalated_to || say(`area.${alarm.escalation_level}`) });
}

/** Return the marks of `alarm`, what changes an operator's mind first. */
export function marksOf(alarm) {
  const marks = [];
  if (isUnrecorded(alarm)) marks.push(pill("p1", "doubt", say("mark.unrecorded"), say("state.unrecorded")));
  if (alarm.is_silent) marks.push(pill("silent", "muted", say("mark.silent"), say("silent.warning")));
  if (alarm.cancelled_ms !== null && alarm.verdict === null) marks.push(pill("p2", null, say("state.to_verify")));
  if (wantsSecond(alarm)) marks.push(pill("p2", null, say("mark.second")));
  if (alarm.escalation_level > 0) marks.push(pill(isWaiting(alarm) ? "p1" : "", "up", escalatedText(alarm)));
  if (alarm.suspicion !== "") marks.push(pill("p3", "doubt", say("mark.doubt", { why: word("suspicion", alarm.suspicion) })));
  if (alarm.late_by_s > 0) marks.push(pill("p2", "clock", say("alarm.late", { age: ageText(alarm.late_by_s * 1000) })));
  if (alarm.is_clock_wrong) marks.push(pill("p3", "doubt", say("mark.clock"), say("mark.clock.why")));
  if (alarm.presses_in_minute > 0) marks.push(pill("p2", "again", say("mark.burst", { n: alarm.press_count })));
  else if (alarm.press_count > 1) marks.push(pill("", null, say("alarm.presses", { n: alarm.press_count })));
  if (alarm.spooled_ms !== null && !isUnrecorded(alarm)) marks.push(pill("", null, say("mark.spooled"), say("mark.spooled.why")));
  return marks;
}
