// The panel of the selected alarm: timer, the next step in red, household, course of events, what to do first.
import { make, setMark, setText } from "../../static/dom.js";
import { icon } from "../../static/icons.js";
import { read, send } from "../../static/requests.js";
import { ageText, now, timerText } from "../../static/time.js";
import { say, sentences, word } from "../../static/words.js";
import { isHot, isUnrecorded, isWaiting, nextAction, originText, shortStateText, stateText, titleText, wantsSecond } from "./alarm.js";
import { QUESTIONS } from "./ask.js";
import { fillCourse } from "./course.js";
import { fillHousehold } from "./household.js";
import { marksOf } from "./marks.js";
import { fillBars, makeBars, rungText, sentenceOf } from "./next.js";
import { markOf } from "./row.js";

const SLOTS = [["acknowledge", "Space"], ["verify", "KeyH"], ["dispatch", "KeyP"], ["close", "KeyJ"]];
const KEY_WORDS = { Space: say("key.space"), KeyH: "H", KeyP: "P", KeyJ: "J" };

/** Say how it came: by which device, held how long, pressed how often. */
function cameText(alarm) {
  const held_ms = Number(alarm.details.held_ms);
  return [originText(alarm),
    held_ms > 0 ? say("alarm.held", { s: (held_ms / 1000).toFixed(1) }) : "",
    alarm.kind === "sos" ? say("alarm.pressed", { n: alarm.press_count }) : "",
    alarm.late_by_s > 0 ? say("alarm.late", { age: ageText(alarm.late_by_s * 1000) }) : "",
  ].filter(Boolean).join(say("comma"));
}

/**
 * Make the panel inside `panel`. `options` has `responders`, `me`; `onChange(alarm)` hears what a step made
 * of the alarm, `onDetail(detail)` which cameras and place belong to it.
 */
export function makeDetail(panel, options, { onChange, onDetail }) {
  const find = (name) => panel.querySelector(`[data-part="${name}"]`);
  const parts = Object.fromEntries(["mark", "title", "came", "state", "marks", "timer", "running", "says",
    "limits", "bars", "labels", "steps", "ask", "mind", "wrong", "household", "course", "first", "note"].map((name) => [name, find(name)]));
  let alarm = null;
  let asking = null;
  let past = null;
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
      complain(refusal.code === "forbidden" && body.action === "close" ? say("second.refused") : refusal.message);
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
    if (answer instanceof Error) return void ([403, 409].includes(answer.status) && refetch(id));
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
    const why = hindrance(action);
    if (why !== "") return complain(why);
    if (!(action in QUESTIONS)) return void step(action);
    if (asking === action) return leaveQuestion();
    asking = action;
    const question = QUESTIONS[action](alarm, options, (facts) => step(action, facts));
    parts.ask.replaceChildren(question.element);
    question.first.focus();
  }

  /** Say why this person may not do what the table allows, empty where nothing stands in the way. */
  function hindrance(action) {
    if (action === "close" && wantsSecond(alarm) && alarm.resolved_by === options.me) return say("second.own");
    if (action === "dispatch" && past?.must && alarm.verdict !== "true") return say("past.verify", { n: past.false_alarms });
    return "";
  }

  function actionWord(action) {
    if (action === "close" && wantsSecond(alarm)) return say("action.close.second");
    return say(action === "resolve" && alarm.needs_second_person ? "action.close" : `action.${action}`);
  }

  function fillMind() {
    const why = ["close", "dispatch"].filter((action) => alarm.actions.includes(action)).map(hindrance).find(Boolean)
      ?? (past?.must && isBeforeDispatch() ? say("past.verify", { n: past.false_alarms }) : "");
    const lines = [alarm.is_silent ? say("silent.warning.long") : "", alarm.is_drill ? say("drill.mind") : "", why].filter(Boolean);
    parts.mind.hidden = lines.length === 0;
    parts.mind.replaceChildren(...lines.map((line) => make("span", {}, line)));
  }

  const isBeforeDispatch = () => isWaiting(alarm) || alarm.state === "acknowledged";

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
      const why = alarm.actions.includes(action) ? hindrance(action) : "";
      const isNext = action === next && why === "";
      return make("button", {
        type: "button", class: isNext ? "button hot" : "button", "data-slot": slot, "data-action": action,
        disabled: !alarm.actions.includes(action) || why !== "", title: why || null, "aria-keyshortcuts": code === "Space" ? "Space" : code.slice(3),
        click: () => act(action),
      }, isNext ? icon("check", 22, 5) : null, actionWord(action), make("kbd", {}, KEY_WORDS[code]));
    }));
    if (focused) (parts.steps.querySelector(`[data-slot="${focused}"]:enabled`) ?? parts.steps.querySelector(".hot:enabled"))?.focus();
  }

  function tick(isSure = true) {
    if (alarm === null) return;
    setText(parts.running, timerText((alarm.closed_ms ?? now()) - alarm.raised_ms));
    const isOpen = isWaiting(alarm) && alarm.ladder.length > 0;
    parts.limits.hidden = !isOpen;
    if (isOpen) fillBars(parts.bars, alarm, now());
    const sentence = sentenceOf(alarm, now(), isSure);
    setText(parts.says, sentence.text);
    setMark(parts.says, "data-late", sentence.isLate);
  }

  function fillLadder() {
    makeBars(parts.bars, alarm.ladder, "limit");
    parts.labels.replaceChildren(...alarm.ladder.map((rung) => make("span", { title: rung.name }, rungText(rung))));
  }

  function fillHead() {
    setMark(panel, "data-level", alarm.level);
    setMark(panel, "data-waiting", isWaiting(alarm));
    setMark(panel, "data-alarm", alarm.alarm_id);
    setMark(parts.timer, "data-waiting", isWaiting(alarm));
    setMark(panel, "data-silent", alarm.is_silent);
    setMark(panel, "data-drill", alarm.is_drill);
    parts.mark.replaceChildren(markOf(alarm, 46));
    parts.marks.replaceChildren(...marksOf(alarm));
    setText(parts.title, `${titleText(alarm)}　${alarm.no}`);
    setText(parts.came, cameText(alarm));
    setText(parts.state, shortStateText(alarm));
    parts.state.className = isHot(alarm) ? "pill p1 line" : "pill line";
    parts.first.replaceChildren(...sentences("first", alarm.is_silent ? "silent" : alarm.kind, { who: alarm.resident || say("household.unnamed") }).map((text) => make("li", {}, text)));
  }

  async function fetchDetail(id, version) {
    try {
      const detail = await read(`/api/alarms/${id}`);
      if (alarm?.alarm_id !== id || alarm.version > Math.max(version, detail.alarm.version)) return;
      past = detail.household === null ? null : { must: detail.household.must_verify_first, ...detail.household.past };
      fillHousehold(parts.household, detail, complain);
      fillSteps();
      fillMind();
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
        past = null;
        parts.household.hidden = true;
        parts.course.replaceChildren();
      } else if (asking !== null && !alarm.actions.includes(asking)) leaveQuestion();
      fillHead();
      fillLadder();
      fillSteps();
      fillMind();
      tick();
      if (!isUnrecorded(alarm)) fetchDetail(alarm.alarm_id, alarm.version);
    },
    tick,
    act: (slot) => alarm !== null && act(slotAction(slot)),
    isAsking: () => asking !== null || parts.note.elements.note.value !== "",
    leaveQuestion() { if (asking !== null) { leaveQuestion(); parts.steps.querySelector(".hot")?.focus(); } },
    focusNext: () => parts.steps.querySelector(".hot:enabled")?.focus(),
    focusNote: () => parts.note.elements.note.focus(),
  };
}
