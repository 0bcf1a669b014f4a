// The queue: one row for each open alarm, kept in place by its id, gravest and unanswered first; a storm is one line.
import { byUrgency } from "./alarm.js";
import { fillRow, makeRow, tickRow } from "./row.js";

/** A group stands where its gravest alarm would stand, before the single ones; what is merely in hand stands last. */
function placeOf(group) {
  return group.kind === ""
    ? { is_silent: false, is_drill: true, level: 9, state: "acknowledged", raised_ms: 0 }
    : { is_silent: false, is_drill: group.is_drill, level: group.level, state: "raised", raised_ms: Infinity };
}

/** Return the queue as a list of {alarm} and {group}, alarms of an open group behind its line. */
function linesOf(alarms, groups, rowsInside) {
  const inGroups = new Set(groups.map((group) => group.key));
  const single = alarms.filter((alarm) => !inGroups.has(alarm.storm)).map((alarm) => ({ alarm, place: alarm }));
  const lines = [...single, ...groups.map((group) => ({ group, place: placeOf(group) }))];
  lines.sort((one, other) => byUrgency(one.place, other.place));
  return lines.flatMap((line) => (line.group === undefined ? [line]
    : [line, ...rowsInside(line.group).map((alarm) => ({ alarm }))]));
}

/** Make the queue inside `list`; `storms` draws the groups, `onSelect(alarm_id)` hears what was chosen. */
export function makeQueue(list, storms, onSelect) {
  const rows = new Map();
  let lines = [];

  function elementOf(line, selected) {
    if (line.group !== undefined) return storms.element(line.group);
    const { alarm } = line;
    if (!rows.has(alarm.alarm_id)) rows.set(alarm.alarm_id, makeRow(alarm, onSelect));
    const parts = rows.get(alarm.alarm_id);
    fillRow(parts, alarm, alarm.alarm_id === selected);
    return parts.row;
  }

  function show(alarms, groups, selected) {
    lines = linesOf([...alarms.values()], groups, (group) => storms.rowsInside(group, alarms));
    const wanted = new Set(lines.map((line) => line.alarm?.alarm_id));
    for (const [id, parts] of rows) {
      if (!wanted.has(id)) { parts.row.remove(); rows.delete(id); }
    }
    storms.forget(groups);
    const elements = lines.map((line) => elementOf(line, selected));
    elements.forEach((element, index) => {
      if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
    });
    tick();
  }

  function tick() {
    for (const parts of rows.values()) tickRow(parts);
    storms.tick();
  }

  /** Return the element `step` lines away from the focused one, or from the selected row. */
  function neighbour(selected, step) {
    const focused = document.activeElement?.closest?.("#queue > li");
    const from = focused ?? rows.get(selected)?.row ?? null;
    return list.children[[...list.children].indexOf(from) + step] ?? null;
  }

  return { show, tick, neighbour, rowOf: (id) => rows.get(id)?.row ?? null };
}
