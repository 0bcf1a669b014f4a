// Around the alarms: who else sits at a desk, where nobody is on duty, what is only a drill.
import { make, setMark, setText } from "../../static/dom.js";
import { icon } from "../../static/icons.js";
import { minuteText } from "../../static/time.js";
import { say } from "../../static/words.js";

const part = (id) => document.getElementById(id);
let shown = "";

function seatText(seat) {
  return `${seat.name} ${say(seat.is_looking ? "seat.n" : "seat.covered", { n: seat.seat })}`;
}

/** Say who else is there; alone, or with covered pages only, is worth a colour. */
function fillSeats(pill, others, isLive) {
  const watching = others.filter((seat) => seat.is_looking);
  const text = !isLive ? say("seats.unknown") : watching.length === 0 ? say("seats.alone") : say("seats.n", { n: watching.length + 1 });
  pill.className = isLive && watching.length > 0 ? "pill" : "pill p2";
  pill.title = others.length > 0 && isLive ? others.map(seatText).join("\n") : say(isLive ? "seats.alone.why" : "why.line_lost");
  pill.replaceChildren(icon("people", 17), text);
}

/** Show what `status` says beside the health; nothing of it is believed where the line is lost. */
export function fillAround(status, isLive) {
  const key = JSON.stringify([status.others, status.unmanned, status.drills, isLive]);
  if (key === shown) return;
  shown = key;
  fillSeats(part("seats"), status.others, isLive);
  part("unmanned").hidden = status.unmanned.length === 0;
  setText(part("unmanned-text"), say("unmanned.areas", { areas: status.unmanned.join("、") }));
  part("drill").hidden = status.drills.length === 0;
  part("drill").replaceChildren(...status.drills.map((drill) => make("span", {}, make("b", {}, say("drill.runs")),
    say("drill.until", { area: drill.area_name, time: minuteText(drill.ends_ms) }), drill.note ? `　${drill.note}` : "")));
  setMark(document.body, "data-unmanned", status.unmanned.length > 0);
}
