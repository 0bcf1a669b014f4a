// The queue: one row for each open alarm, kept in place by its id, gravest and unanswered first.
import { make, setMark, setText } from "../../static/dom.js";
import { levelMark } from "../../static/icons.js";
import { ageText, clockText, now } from "../../static/time.js";
import { say, word } from "../../static/words.js";
import { isWaiting, originText, placeWords, stateText, titleText } from "./alarm.js";

/** Order of the work: level, then unanswered before answered, then the newest. */
export function inOrder(alarms) {
  return [...alarms].sort((one, other) => one.level - other.level
    || Number(isWaiting(other)) - Number(isWaiting(one)) || other.raised_ms - one.raised_ms);
}

/** Fill three bars of equal spans from seconds waited: `limits` [30, 60, 90]. */
export function fillBars(bars, limits, waited_s) {
  bars.forEach((bar, index) => {
    const from = index === 0 ? 0 : limits[index - 1];
    const share = Math.min(Math.max((waited_s - from) / (limits[index] - from), 0), 1);
    bar.style.width = `${(share * 100).toFixed(1)}%`;
  });
}

function makeRow(alarm, onSelect) {
  const parts = {
    title: make("h3"), place: make("p", { class: "place" }), state: make("p", { class: "state" }),
    age: make("span", { class: "age" }), bars: [make("i"), make("i"), make("i")],
  };
  parts.bar = make("div", { class: "bar", "aria-hidden": "true" }, parts.bars.map((bar) => make("span", {}, bar)));
  parts.row = make("li", {
    class: "alarm", role: "option", tabindex: "-1", "data-alarm": alarm.alarm_id, "data-level": alarm.level,
    click: () => onSelect(alarm.alarm_id), focus: () => onSelect(alarm.alarm_id),
  },
  levelMark(alarm.level, 34, word("level", String(alarm.level))),
  make("div", {}, parts.title, parts.place, parts.state),
  make("div", { class: "when" }, parts.age, make("time", {}, clockText(alarm.raised_ms))), parts.bar);
  return parts;
}

/** Write what a row says; nothing where neither the alarm nor its selection has changed: a storm has many rows. */
function fillRow(parts, alarm, isSelected) {
  if (parts.alarm === alarm && parts.isSelected === isSelected) return;
  Object.assign(parts, { alarm, isSelected });
  const wantsCheck = alarm.cancelled_ms !== null && alarm.verdict === null;
  parts.title.replaceChildren(titleText(alarm));
  if (wantsCheck) parts.title.append(make("span", { class: "pill p2" }, say("state.to_verify")));
  if (alarm.press_count > 1) parts.title.append(make("span", { class: "pill" }, say("alarm.presses", { n: alarm.press_count })));
  parts.place.replaceChildren(...placeWords(alarm).map((words) => make("span", {}, words)));
  setText(parts.state, [stateText(alarm), isWaiting(alarm) ? originText(alarm) : ""].filter(Boolean).join("　"));
  setMark(parts.row, "data-waiting", isWaiting(alarm));
  setMark(parts.row, "data-state", alarm.state);
  setMark(parts.row, "aria-selected", isSelected ? "true" : "false");
  setMark(parts.row, "tabindex", isSelected ? "0" : "-1");
  parts.bar.hidden = !isWaiting(alarm) || alarm.level !== 1;
}

/** Make the queue inside `list`; `limits` are the seconds of the three bars. */
export function makeQueue(list, limits, onSelect) {
  const rows = new Map();
  let shown = [];

  function tick() {
    for (const alarm of shown) {
      const parts = rows.get(alarm.alarm_id);
      setText(parts.age, ageText(now() - alarm.raised_ms));
      if (!parts.bar.hidden) fillBars(parts.bars, limits, (now() - alarm.raised_ms) / 1000);
    }
  }

  function show(alarms, selected) {
    shown = inOrder(alarms);
    const wanted = new Set(shown.map((alarm) => alarm.alarm_id));
    for (const [id, parts] of rows) {
      if (!wanted.has(id)) { parts.row.remove(); rows.delete(id); }
    }
    shown.forEach((alarm, index) => {
      if (!rows.has(alarm.alarm_id)) rows.set(alarm.alarm_id, makeRow(alarm, onSelect));
      const parts = rows.get(alarm.alarm_id);
      fillRow(parts, alarm, alarm.alarm_id === selected);
      if (list.children[index] !== parts.row) list.insertBefore(parts.row, list.children[index] ?? null);
    });
    tick();
  }

  return {
    show,
    tick,
    rowOf: (id) => rows.get(id)?.row ?? null,
    neighbour: (id, step) => shown[shown.findIndex((alarm) => alarm.alarm_id === id) + step]?.alarm_id ?? null,
  };
}
