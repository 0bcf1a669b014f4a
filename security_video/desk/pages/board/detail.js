// The panel of the selected alarm: timer, the next step in red, household, course of events, what to do first.
import { make, setMark, setText } from "../../static/dom.js";
import { icon, levelMark } from "../../static/icons.js";
import { read, send } from "../../static/requests.js";
import { ageText, now, timerText } from "../../static/time.js";
import { say, sentences, word } from "../../static/words.js";
import { isWaiting, nextAction, originText, shortStateText, stateText, titleText } from "./alarm.js";
import { QUESTIONS } from "./ask.js";
import { fillCourse } from "./course.js";
import { fillHousehold } from "./household.js";
import { fillBars } from "./queue.js";

const SLOTS = [["acknowledge", "Space"], ["verify", "KeyH"], ["dispatch", "KeyP"], ["close", "KeyJ"]];
const KEY_WORDS = { Space: say("key.space"), KeyH: "H", KeyP: "P", KeyJ: "J" };
const LATE_MS = 10000;

/** Say how it came: by which device, held how long, pressed how often. */
function cameText(alarm) {
  const held_ms = Number(alarm.details.held_ms);
  return [originText(alarm),
    held_ms > 0 ? say("alarm.held", { s: (held_ms / 1000).toFixed(1) }) : "",
    alarm.kind === "sos" ? say("alarm.pressed", { n: alarm.press_count }) : "",
    alarm.raised_ms - alarm.device_ms > LATE_MS ? say("alarm.late", { age: ageText(alarm.raised_ms - alarm.device_ms) }) : "",
  ].filter(Boolean).join(say("comma"));
}

/**
 * Make the panel inside `panel`. `options` has `limits`, `responders`, `me`; `onChange(alarm)` hears what a step made
 * of the alarm, `onDetail(detail)` which cameras and place belong to it.
 */
export function makeDetail(panel, options, { onChange, onDetail }) {
  const find = (name) => panel.querySelector(`[data-part="${name}"]`);
  const parts = Object.fromEntries(["mark", "title", "came", "state", "timer", "running", "says", "limits", "steps", "ask",
    "wrong", "household", "course", "first", "note"].map((name) => [name, find(name)]));
  const bars = [...parts.limits.querySelectorAll("i")];
  let alarm = null;
  let asking = null;
  const running = new Set();

  function complain(sentence) {
    parts.wrong.hidden = !sentence;
    parts.wrong.querySelector("p").textContent = sentence;
  }

  function leaveQuestion() {
    asking = null;
    parts.ask.replaceChildren();
  }

  /** Send a step or a note; the same one a second time, while the first is on its way, is a held key. */
  async function change(path, body) {
    const what = body.action ?? "note";
    if (running.has(what)) return null;
    running.add(what);
    setMark(parts.steps, "aria-busy", "true");
    try {
      const answer = await send(path, body);
      complain("");
      return answer;
    } catch (refusal) {
      complain(refusal.message);
      return refusal;
    } finally {
      running.delete(what);
      setMark(parts.steps, "aria-busy", running.size > 0 ? "true" : false);
    }
  }

  async function step(action, facts = {}) {
    const id = alarm.alarm_id;
    const asked = asking;
    const answer = await change(`/api/alarms/${id}/steps`, { action, version: alarm.version, ...facts });
    if (answer === null) return;
    if (answer instanceof Error) return void (answer.status === 409 && refetch(id));
    // The feed may have been faster than this answer: a question that was opened since then is the operator's own.
    if (asking === asked) leaveQuestion();
    onChange(answer.alarm);
    // Not after Enter: a key that is still held would press the next button, and 到场 asks nothing.
    if (action === "verify" && asking === null) parts.steps.querySelector(".hot:enabled")?.focus();
  }

  /** Somebody was faster: show who owns it now, and leave the question that no longer fits. */
  async function refetch(id) {
    const detail = await read(`/api/alarms/${id}`).catch(() => null);
    if (detail === null || alarm?.alarm_id !== id) return;
    leaveQuestion();
    onChange(detail.alarm);
    if (detail.alarm.acknowledged_by !== null && detail.alarm.acknowledged_by !== options.me) {
      complain(say("wrong.owned", { who: detail.alarm.acknowledged_name, state: stateText(detail.alarm) }));
    }
  }

  function act(action) {
    if (alarm === null || !alarm.actions.includes(action)) return;
    if (!(action in QUESTIONS)) return void step(action);
    if (asking === action) return leaveQuestion();
    asking = action;
    const question = QUESTIONS[action](alarm, options, (facts) => step(action, facts));
    parts.ask.replaceChildren(question.element);
    question.first.focus();
  }

  function slotAction(action) {
    if (action === "dispatch" && alarm.actions.includes("arrive")) return "arrive";
    if (action === "close" && !alarm.actions.includes("close") && alarm.actions.includes("resolve")) return "resolve";
    return action;
  }

  function fillSteps() {
    const next = nextAction(alarm);
    const focused = document.activeElement?.dataset?.slot;
    parts.steps.replaceChildren(...SLOTS.map(([slot, code]) => {
      const action = slotAction(slot);
      const isNext = action === next;
      return make("button", {
        type: "button", class: isNext ? "button hot" : "button", "data-slot": slot, "data-action": action,
        disabled: !alarm.actions.includes(action), "aria-keyshortcuts": code === "Space" ? "Space" : code.slice(3),
        click: () => act(action),
      }, isNext ? icon("check", 22, 5) : null, say(`action.${action}`), make("kbd", {}, KEY_WORDS[code]));
    }));
    if (focused) (parts.steps.querySelector(`[data-slot="${focused}"]:enabled`) ?? parts.steps.querySelector(".hot:enabled"))?.focus();
  }

  function tick() {
    if (alarm === null) return;
    const waited_s = (now() - alarm.raised_ms) / 1000;
    setText(parts.running, timerText((alarm.closed_ms ?? now()) - alarm.raised_ms));
    parts.limits.hidden = !isWaiting(alarm);
    if (isWaiting(alarm)) fillBars(bars, options.limits, waited_s);
    setText(parts.says, timerSentence(waited_s));
  }

  function timerSentence(waited_s) {
    if (!isWaiting(alarm)) return alarm.acknowledged_ms === null ? stateText(alarm) : say("timer.signed", { who: alarm.acknowledged_name, age: ageText(alarm.acknowledged_ms - alarm.raised_ms) });
    const limit = options.limits.find((limit_s) => waited_s < limit_s);
    return limit === undefined ? say("timer.over", { limit: options.limits.at(-1) }) : say("timer.left", { n: Math.ceil(limit - waited_s), limit });
  }

  function fillHead() {
    setMark(panel, "data-level", alarm.level);
    setMark(panel, "data-waiting", isWaiting(alarm));
    setMark(panel, "data-alarm", alarm.alarm_id);
    setMark(parts.timer, "data-waiting", isWaiting(alarm));
    parts.mark.replaceChildren(levelMark(alarm.level, 46, word("level", String(alarm.level))));
    setText(parts.title, `${titleText(alarm)}　${alarm.no}`);
    setText(parts.came, cameText(alarm));
    setText(parts.state, shortStateText(alarm));
    parts.state.className = isWaiting(alarm) ? "pill p1 line" : "pill line";
    parts.first.replaceChildren(...sentences("first", alarm.kind, { who: alarm.resident || say("household.unnamed") }).map((text) => make("li", {}, text)));
  }

  async function fetchDetail(id, version) {
    try {
      const detail = await read(`/api/alarms/${id}`);
      if (alarm?.alarm_id !== id || alarm.version > Math.max(version, detail.alarm.version)) return;
      fillHousehold(parts.household, detail, complain);
      fillCourse(parts.course, detail.alarm, detail.course);
      onDetail(detail);
    } catch (refusal) {
      if (alarm?.alarm_id === id) complain(refusal.message);
    }
  }

  parts.wrong.querySelector("button").addEventListener("click", () => complain(""));
  parts.note.addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = parts.note.elements.note;
    if (!field.value.trim()) return;
    const answer = await change(`/api/alarms/${alarm.alarm_id}/notes`, { text: field.value });
    if (answer === null || answer instanceof Error) return;
    field.value = "";
    onChange(answer.alarm);
  });

  return {
    /** Show `wanted` (null: nothing); a new version is fetched with its history. */
    show(wanted) {
      const isSame = alarm !== null && wanted !== null && alarm.alarm_id === wanted.alarm_id;
      const isNew = !isSame || alarm.version !== wanted.version;
      alarm = wanted;
      panel.hidden = alarm === null;
      if (alarm === null || !isNew) return;
      if (!isSame) {
        leaveQuestion();
        complain("");
        parts.note.reset();
        parts.household.hidden = true;
        parts.course.replaceChildren();
      } else if (asking !== null && !alarm.actions.includes(asking)) leaveQuestion();
      fillHead();
      fillSteps();
      tick();
      fetchDetail(alarm.alarm_id, alarm.version);
    },
    tick,
    act: (slot) => alarm !== null && act(slotAction(slot)),
    isAsking: () => asking !== null || parts.note.elements.note.value !== "",
    leaveQuestion() { if (asking !== null) { leaveQuestion(); parts.steps.querySelector(".hot")?.focus(); } },
    focusNext: () => parts.steps.querySelector(".hot:enabled")?.focus(),
    focusNote: () => parts.note.elements.note.focus(),
  };
}
