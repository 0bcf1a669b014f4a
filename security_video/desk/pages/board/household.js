// The household's card: who lives there, what to know, whom to call; a number is shown only on request, on record.
import { make } from "../../static/dom.js";
import { send } from "../../static/requests.js";
import { say, word } from "../../static/words.js";

/** Before anything that may ring in a silent alarm's home: the warning, and a second button that says so. */
function warnFirst(line, reveal, go) {
  const warning = make("span", { class: "warning", role: "alert" }, say("silent.warning"), " ",
    make("button", { type: "button", class: "reveal", click: () => { warning.remove(); go(); } }, say("silent.anyway")), " ",
    make("button", { type: "button", class: "reveal", click: () => { warning.remove(); reveal.hidden = false; } }, say("silent.leave")));
  reveal.hidden = true;
  line.append(warning);
  warning.querySelector("button:last-child").focus();
}

function revealLine(alarm, contact, onWrong) {
  const number = make("span", {}, contact.masked);
  if (!contact.is_hidden) return make("dd", {}, number);
  const reveal = make("button", { type: "button", class: "reveal", title: say("household.reveal.why") }, say("household.reveal"));
  const line = make("dd", {}, number, " ", reveal);
  const show = async () => {
    reveal.disabled = true;
    try {
      const answer = await send(`/api/alarms/${alarm.alarm_id}/reveal`, { contact: contact.key, is_sure: alarm.is_silent });
      number.textContent = answer.phone;
      reveal.remove();
    } catch (refusal) {
      Object.assign(reveal, { disabled: false, hidden: false });
      onWrong(refusal.message);
    }
  };
  reveal.addEventListener("click", () => (alarm.is_silent ? warnFirst(line, reveal, show) : show()));
  return line;
}

function pastText(past) {
  return say("household.past.n", { alarms: past.alarms, false: past.false_alarms });
}

const shown = new WeakMap();

/**
 * Fill `card` for `detail`; `onWrong(sentence)` hears of a refused reveal. What says the same stays as it is: a number
 * that was asked for, or a warning that is just being read, does not go away with the next line of the history.
 */
export function fillHousehold(card, detail, onWrong) {
  const home = detail.household;
  const says = JSON.stringify([detail.alarm.alarm_id, home]);
  card.hidden = false;
  if (shown.get(card) === says) return;
  shown.set(card, says);
  if (home === null) {
    card.replaceChildren(make("h3", {}, make("b", {}, detail.device.name || detail.device.device_id)),
      make("p", { class: "dim" }, say("household.none")));
    return;
  }
  const age = home.age === null ? null : say("household.age", { n: home.age });
  const heading = make("h3", {}, make("b", {}, home.resident || say("household.unnamed")),
    make("span", {}, [home.sex && word("sex", home.sex), age].filter(Boolean).join("　")),
    home.tags.map((tag, index) => make("span", { class: index === 0 ? "pill p3" : "pill" }, tag)));
  const facts = make("dl", { class: "facts" },
    make("dt", {}, say("household.address")), make("dd", {}, home.address),
    home.contacts.flatMap((contact) => [
      make("dt", {}, contact.key === "self" ? say("household.own_phone") : [contact.relation, contact.name].filter(Boolean).join(" ")),
      revealLine(detail.alarm, contact, onWrong)]),
    make("dt", {}, say("household.past")), make("dd", {}, pastText(home.past)));
  card.replaceChildren(heading, facts);
}
