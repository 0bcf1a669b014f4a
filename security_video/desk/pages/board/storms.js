// Storms: many alarms of one kind and area as one line that opens; fifty rows at a time, the gravest and oldest first.
import { make, setMark, setText } from "../../static/dom.js";
import { drillMark, levelMark } from "../../static/icons.js";
import { read } from "../../static/requests.js";
import { ageText, now } from "../../static/time.js";
import { say, word } from "../../static/words.js";

const AGAIN_MS = 1000;

function addressOf(group, after) {
  const query = new URLSearchParams({ area: group.area_id, kind: group.kind, drill: String(group.is_drill), after });
  return `/api/alarms?${query}`;
}

function titleOf(group) {
  if (group.kind === "") return say("storm.in_hand", { n: group.count });
  return say("storm.title", { area: group.area_name, kind: word("kind", group.kind), n: group.count });
}

/** Make the storms of the queue; `onChange()` hears that another window of rows is there, `onWrong(text)` a refusal. */
export function makeStorms({ onChange, onWrong }) {
  const elements = new Map();
  let open = { key: "", rows: [], after: "", from: "" };
  let known = [];
  let asked = 0;
  let retry = 0;

  async function fetchRows(group, from) {
    const question = asked += 1;
    try {
      const page = await read(addressOf(group, from));
      if (question !== asked || open.key !== group.key) return;
      open = { ...open, rows: page.rows, after: page.after, from, seen: group, read_ms: Date.now() };
      onChange();
    } catch (refusal) {
      onWrong(refusal.message);
    }
  }

  function toggle(group) {
    const isOpen = open.key === group.key;
    open = { key: isOpen ? "" : group.key, rows: [], after: "", from: "", seen: null, read_ms: 0 };
    if (isOpen) onChange();
    else fetchRows(group, "");
  }

  function makeElement(group) {
    const parts = { group, title: make("h3"), state: make("p", { class: "state" }) };
    parts.word = make("span");
    parts.open = make("button", { type: "button", class: "button small", "aria-keyshortcuts": "E", click: () => toggle(parts.group) }, parts.word, make("kbd", {}, "E"));
    parts.first = make("button", { type: "button", class: "button small", click: () => fetchRows(parts.group, "") }, say("storm.first"));
    parts.next = make("button", { type: "button", class: "button small", click: () => fetchRows(parts.group, open.after) }, say("storm.next"));
    parts.element = make("li", { class: "group", "data-group": group.key, "data-level": group.level },
      group.kind === "" ? make("span") : group.is_drill ? drillMark(34, say("drill.word")) : levelMark(group.level, 34, word("level", String(group.level))),
      make("div", {}, parts.title, parts.state), make("div", { class: "row" }, parts.open, parts.first, parts.next));
    elements.set(group.key, parts);
    return parts;
  }

  function fill(parts, group) {
    const isOpen = open.key === group.key;
    parts.group = group;
    setText(parts.title, titleOf(group));
    setMark(parts.element, "data-waiting", group.kind !== "");
    setMark(parts.element, "data-drill", group.is_drill);
    setText(parts.word, say(isOpen ? "storm.close" : "storm.open"));
    setMark(parts.open, "aria-expanded", String(isOpen));
    parts.first.hidden = !isOpen || open.from === "";
    parts.next.hidden = !isOpen || open.after === "";
  }

  /** Read the open window again when its group has changed, at most once a second. */
  function refresh() {
    const group = known.find((one) => one.key === open.key);
    if (open.key === "" || group === undefined || open.seen === group) return;
    clearTimeout(retry);
    const wait_ms = AGAIN_MS - (Date.now() - open.read_ms);
    if (wait_ms > 0) retry = setTimeout(refresh, wait_ms);
    else {
      open.read_ms = Date.now();
      fetchRows(group, open.from);
    }
  }

  return {
    element(group) {
      const parts = elements.get(group.key) ?? makeElement(group);
      fill(parts, group);
      return parts.element;
    },

    /** Return the rows behind a group's line: the open window, and before it what the panel shows of the group. */
    rowsInside(group, alarms) {
      const inside = open.key === group.key ? open.rows.map((row) => alarms.get(row.alarm_id) ?? row) : [];
      const ids = new Set(inside.map((alarm) => alarm.alarm_id));
      const kept = [...alarms.values()].filter((alarm) => alarm.storm === group.key && !ids.has(alarm.alarm_id));
      return [...kept, ...inside.filter((alarm) => alarm.storm === group.key)];
    },

    forget(groups) {
      known = groups;
      const wanted = new Set(groups.map((group) => group.key));
      for (const [key, parts] of elements) {
        if (!wanted.has(key)) { parts.element.remove(); elements.delete(key); }
      }
      if (!wanted.has(open.key)) open = { key: "", rows: [], after: "", from: "" };
      refresh();
    },

    tick() {
      for (const { group, state } of elements.values()) {
        setText(state, group.kind === "" ? "" : say("storm.state", { age: ageText(now() - group.oldest_ms), homes: group.households }));
      }
    },

    rows: () => open.rows,
    find: (id) => open.rows.find((row) => row.alarm_id === id) ?? known.map((group) => group.first).find((row) => row.alarm_id === id),
    /** Open or close the group whose line has the focus, else the first. */
    toggleFirst() {
      const focused = document.activeElement?.closest?.("[data-group]")?.dataset.group;
      const group = known.find((one) => one.key === focused) ?? known.find((one) => one.key === open.key) ?? known[0];
      if (group !== undefined) toggle(group);
    },
  };
}
