// The questions of a step: what was found, who goes, how it ended and why.
import { make, setMark } from "../../static/dom.js";
import { say, word } from "../../static/words.js";
import { wantsSecond } from "./alarm.js";

const VERDICTS = ["true", "false", "unclear"];
const OUTCOMES = ["true", "false", "test", "hoax", "duplicate"];

/** A row of choices that answers to clicks, arrows and digits; any other sign goes to `field`, so that one just writes. */
function choices(values, label, onChoose, { chosen = null, field = null } = {}) {
  const buttons = values.map((value, index) => make("button", {
    type: "button", class: "button", "data-value": value, "aria-pressed": value === chosen ? "true" : "false",
    click: () => onChoose(value),
  }, label(value), make("kbd", {}, String(index + 1))));
  const group = make("div", { class: values.length > 3 ? "choice many" : "choice", role: "group" }, buttons);
  group.addEventListener("keydown", (event) => {
    const here = buttons.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.code];
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
    if (step !== undefined) buttons[(here + step + buttons.length) % buttons.length].focus();
    else if (digit !== undefined && buttons[digit - 1]) buttons[digit - 1].click();
    else if (field !== null && event.key.length === 1 && event.code !== "Space" && !event.ctrlKey) {
      field.focus();
      event.stopPropagation();
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return { group, buttons, press: (value) => buttons.forEach((button) => setMark(button, "aria-pressed", String(button.dataset.value === value))) };
}

function form(title, parts, onSubmit) {
  const head = make("div", { class: "row" }, make("b", {}, title), make("span", { class: "space" }), make("span", { class: "dim" }, say("ask.leave"), " "), make("kbd", {}, "Esc"));
  return make("form", { class: "ask", submit: (event) => { event.preventDefault(); onSubmit(); } }, head, ...parts);
}

/** Ask what verification found; the choice itself is the answer. */
function askVerdict(_alarm, _options, onAnswer) {
  const row = choices(VERDICTS, (value) => word("verdict", value), (verdict) => onAnswer({ verdict }));
  return { element: form(say("ask.verify"), [row.group], () => {}), first: row.buttons[0] };
}

/** Ask who goes: one of the usual, or a name. */
function askResponder(_alarm, options, onAnswer) {
  const field = make("input", { class: "field", name: "to", maxlength: 40, autocomplete: "off", placeholder: say("ask.dispatch.hint") });
  const row = choices(options.responders, (value) => value, (value) => { field.value = value; row.press(value); field.focus(); }, { field });
  const answer = () => (field.value.trim() ? onAnswer({ dispatched_to: field.value.trim() }) : field.focus());
  const go = make("button", { type: "submit", class: "button go" }, say("action.dispatch"), make("kbd", {}, say("key.enter")));
  return { element: form(say("ask.dispatch"), [row.group, field, go], answer), first: row.buttons[0] };
}

/** Ask how it ended and why; the verdict is the first guess, and whoever looks second finds what the first has said. */
function askOutcome(alarm, _options, onAnswer) {
  const isSecond = wantsSecond(alarm);
  let outcome = alarm.outcome ?? (alarm.verdict === "false" ? "false" : alarm.verdict === "true" ? "true" : null);
  const field = make("input", { class: "field", name: "reason", maxlength: 500, autocomplete: "off", placeholder: say(isSecond ? "ask.second.hint" : "ask.close.hint"), required: !isSecond });
  const row = choices(OUTCOMES, (value) => word("outcome", value), (value) => { outcome = value; row.press(value); field.focus(); }, { chosen: outcome, field });
  const answer = () => {
    if (outcome === null) row.buttons[0].focus();
    else if (isSecond || field.value.trim()) onAnswer({ outcome, note: field.value.trim() });
    else field.focus();
  };
  const go = make("button", { type: "submit", class: "button go" }, say(isSecond ? "action.close.second" : "action.close"), make("kbd", {}, say("key.enter")));
  const title = isSecond ? say("ask.second", { who: alarm.resolved_name }) : say(alarm.needs_second_person ? "ask.first" : "ask.close");
  return { element: form(title, [row.group, field, go], answer), first: outcome === null ? row.buttons[0] : field };
}

/** The steps that need an answer first; the others are done at once. */
export const QUESTIONS = { verify: askVerdict, dispatch: askResponder, close: askOutcome, resolve: askOutcome };
