// The top bar: dots of real facts, sound as it is, who works here, theme, the clock.
import { make, setMark, setText } from "../../static/dom.js";
import { icon } from "../../static/icons.js";
import { clockText, dayText, now } from "../../static/time.js";
import { say, word } from "../../static/words.js";
import { openSound, prepareBell } from "../../static/bell.js";

/** Show the dots of `items`; where the line is lost, every one of them is unknown. */
export function fillHealth(list, items, isLive) {
  list.replaceChildren(...items.map((item) => {
    const level = isLive || item.key === "alarms" ? item.level : "unknown";
    const title = isLive ? word("why", item.why) : say("why.line_lost");
    return make("li", { "data-level": isLive ? level : item.key === "alarms" ? "lost" : "unknown", "data-key": item.key, title },
      make("i"), word("health", item.key), item.count && isLive ? ` ${item.count}` : "");
  }));
}

/** Keep the clock and the date. */
export function tickClock(clock, day) {
  setText(clock, clockText(now()));
  setText(day, dayText(now()));
}

/** Say honestly whether the bell can be heard; the button opens sound. */
export function prepareSound(button) {
  prepareBell((isOn) => {
    button.className = isOn ? "pill" : "pill p2";
    setMark(button, "data-on", isOn ? "yes" : "no");
    button.replaceChildren(icon(isOn ? "speaker" : "muted", 17), say(isOn ? "sound.on" : "sound.off"));
    button.title = say(isOn ? "sound.on.why" : "sound.off.why");
  });
  button.addEventListener("click", openSound);
}

/** Open and close the operator's menu, and let the theme be chosen; the choice is kept for this person. */
export function prepareMenu(button, menu, person_id) {
  const show = (isOpen) => {
    menu.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
  };
  button.addEventListener("click", () => show(menu.hidden));
  document.addEventListener("pointerdown", (event) => {
    if (!menu.hidden && !menu.contains(event.target) && !button.contains(event.target)) show(false);
  });
  menu.addEventListener("keydown", (event) => {
    if (event.code !== "Escape") return;
    show(false);
    button.focus();
  });
  const choices = [...menu.querySelectorAll("[data-choice]")];
  const mark = () => choices.forEach((choice) => setMark(choice, "aria-pressed", String(choice.dataset.choice === document.documentElement.dataset.theme)));
  for (const choice of choices) {
    choice.addEventListener("click", () => {
      document.documentElement.dataset.theme = choice.dataset.choice;
      document.cookie = `desk_theme_${person_id}=${choice.dataset.choice}; Path=/; Max-Age=31536000; SameSite=Strict`;
      mark();
    });
  }
  mark();
}
