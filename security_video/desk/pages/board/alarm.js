// What an alarm's facts are called on this page: titles, places, states, and which step comes next.
import { say, word } from "../../static/words.js";

/** Tell whether it lies in a spool because the database is away: seen, not recorded, nothing can be done to it yet. */
export const isUnrecorded = (alarm) => alarm.state === "unrecorded";

/** Tell whether nobody has signed for it yet. */
export const isWaiting = (alarm) => alarm.state === "raised" || alarm.state === "notified" || isUnrecorded(alarm);

/** Tell whether it may be red: nobody has signed, and it is real. */
export const isHot = (alarm) => isWaiting(alarm) && !alarm.is_drill;

/** Tell whether the bell goes on until somebody signs: level 1, and real. */
export const isRinging = (alarm) => alarm.level === 1 && !alarm.is_drill && isWaiting(alarm);

/** Order of the work: unrecorded on top, silent before anything else, drills last; level, unanswered before answered, then the newest. */
export function byUrgency(one, other) {
  return Number(isUnrecorded(other)) - Number(isUnrecorded(one))
    || Number(other.is_silent) - Number(one.is_silent) || Number(one.is_drill) - Number(other.is_drill)
    || one.level - other.level || Number(isWaiting(other)) - Number(isWaiting(one)) || other.raised_ms - one.raised_ms;
}

export const inOrder = (alarms) => [...alarms].sort(byUrgency);

export function titleText(alarm) {
  const title = alarm.cancelled_ms === null ? word("kind", alarm.kind) : say("alarm.cancelled");
  return alarm.is_drill ? say("drill.title", { title }) : title;
}

export const placeWords = (alarm) => [alarm.address, alarm.resident].filter(Boolean);

export const placeText = (alarm) => placeWords(alarm).join("　");

/** Say what pressed or noticed: the red key of the TV, a rule, or the device by its name. */
export function originText(alarm) {
  if (alarm.source === "rule") return say("origin.rule");
  if (alarm.kind === "sos" && (alarm.source === "https" || alarm.device_kind === "stb")) return say("origin.tv");
  return alarm.device_name || say("origin.device");
}

/** Say where the work stands and who has it. */
export function stateText(alarm) {
  const values = {
    who: alarm.acknowledged_name ?? "", to: alarm.dispatched_to ?? "", resolver: alarm.resolved_name ?? "",
    verdict: alarm.verdict === null ? "" : word("verdict", alarm.verdict),
    outcome: alarm.outcome === null ? "" : word("outcome", alarm.outcome),
  };
  return say(wantsSecond(alarm) ? "state.second" : `state.${alarm.state}`, values);
}

/** Tell whether one person has written the outcome and another has to look at it. */
export const wantsSecond = (alarm) => alarm.state === "resolved" && alarm.needs_second_person;

/** Say the state alone, without the name beside it. */
export const shortStateText = (alarm) => isUnrecorded(alarm) ? say("mark.unrecorded") : stateText({ ...alarm, acknowledged_name: "" }).trim();

/** Return the one step that is red: the next in the order of the work, as the verdict asks for it. */
export function nextAction(alarm) {
  const has = (action) => alarm.actions.includes(action);
  if (has("acknowledge")) return "acknowledge";
  if (alarm.verdict === null && has("verify")) return "verify";
  if (alarm.verdict === "true" && has("dispatch")) return "dispatch";
  if (has("arrive")) return "arrive";
  return ["close", "resolve"].find(has) ?? alarm.actions[0] ?? null;
}
