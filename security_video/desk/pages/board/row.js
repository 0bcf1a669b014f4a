// One row of the queue: level, title with its marks, place, state, age, and the bars of its own chain.
import { make, setMark, setText } from "../../static/dom.js";
import { drillMark, levelMark } from "../../static/icons.js";
import { ageText, clockText, now } from "../../static/time.js";
import { say, word } from "../../static/words.js";
import { isWaiting, originText, placeWords, stateText, titleText } from "./alarm.js";
import { marksOf } from "./marks.js";
import { fillBars, makeBars } from "./next.js";

/** Return the mark of an alarm: the shape of its level, a dashed box for practice. */
export function markOf(alarm, size) {
  return alarm.is_drill ? drillMark(size, say("drill.word")) : levelMark(alarm.level, size, word("level", String(alarm.level)));
}

/** Make a row; `onSelect(alarm_id)` hears a click and the focus. */
export function makeRow(alarm, onSelect) {
  const parts = {
    title: make("h3"), place: make("p", { class: "place" }), state: make("p", { class: "state" }),
    age: make("span", { class: "age" }), bar: make("div", { class: "bar", "aria-hidden": "true" }), mark: make("span"),
  };
  parts.row = make("li", {
    class: "alarm", role: "option", tabindex: "-1", "data-alarm": alarm.alarm_id, "data-level": alarm.level,
    click: () => onSelect(alarm.alarm_id), focus: () => onSelect(alarm.alarm_id),
  },
  parts.mark, make("div", {}, parts.title, parts.place, parts.state),
  make("div", { class: "when" }, parts.age, make("time", {}, clockText(alarm.raised_ms))), parts.bar);
  return parts;
}

/** Write what a row says; nothing where neither the alarm nor its selection has changed: a storm has many rows. */
export function fillRow(parts, alarm, isSelected) {
  if (parts.alarm === alarm && parts.isSelected === isSelected) return;
  const isKnown = parts.alarm === alarm;
  Object.assign(parts, { alarm, isSelected });
  setMark(parts.row, "aria-selected", isSelected ? "true" : "false");
  setMark(parts.row, "tabindex", isSelected ? "0" : "-1");
  if (isKnown) return;
  parts.mark.replaceChildren(markOf(alarm, 34));
  parts.title.replaceChildren(titleText(alarm), ...marksOf(alarm));
  parts.place.replaceChildren(...placeWords(alarm).map((words) => make("span", {}, words)));
  setText(parts.state, [stateText(alarm), isWaiting(alarm) ? originText(alarm) : ""].filter(Boolean).join("　"));
  setMark(parts.row, "data-waiting", isWaiting(alarm));
  setMark(parts.row, "data-state", alarm.state);
  setMark(parts.row, "data-silent", alarm.is_silent);
  setMark(parts.row, "data-drill", alarm.is_drill);
  setMark(parts.row, "data-inside", alarm.storm !== "");
  makeBars(parts.bar, alarm.ladder);
  parts.bar.hidden = !isWaiting(alarm) || alarm.ladder.length === 0;
}

/** Let the row's age and bars go on. */
export function tickRow(parts) {
  const { alarm } = parts;
  setText(parts.age, ageText(now() - alarm.raised_ms));
  if (!parts.bar.hidden) fillBars(parts.bar, alarm, now());
}
