// The rules' lines for the desk: a quiet strip under the alarms, newest first; 知道了 takes one off in a name.
import { make, setText } from "../../static/dom.js";
import { levelMark } from "../../static/icons.js";
import { send } from "../../static/requests.js";
import { ageText, now } from "../../static/time.js";
import { say, word } from "../../static/words.js";

const LOW = matchMedia("(height < 900px)");
const FEW = 2;

/** Make the strip inside `strip`; `show({lines, more})` keeps each row, and so the focus, by its id. */
export function makeNotices(strip, hasWork) {
  const [list, rest, wrong] = ["lines", "more", "wrong"].map((name) => strip.querySelector(`[data-part="${name}"]`));
  const rows = new Map();
  let said = { lines: [], more: 0 };

  function tell(text) {
    setText(wrong, text);
    wrong.hidden = text === "";
  }

  async function sign(line, button) {
    button.setAttribute("aria-busy", "true");
    try {
      await send("/api/notices/sign", { notice_id: line.notice_id });
      tell("");
    } catch (refusal) {
      tell(refusal.status === 404 ? say("notice.gone") : refusal.message);
      button.removeAttribute("aria-busy");
    }
  }

  function makeRow(line) {
    const age = make("span", { class: "age" });
    const button = make("button", { type: "button", class: "button small", "aria-label": say("notice.sign.label", { text: line.text }) }, say("notice.sign"));
    button.addEventListener("click", () => button.hasAttribute("aria-busy") || sign(line, button));
    const row = make("li", { "data-notice": line.notice_id }, levelMark(4, 22, word("level", "4")),
      make("div", {}, make("div", { class: "head" }, line.address && make("b", {}, line.address), age), make("p", {}, line.text)), button);
    return { row, age, button, line };
  }

  function tick() {
    for (const { age, line } of rows.values()) setText(age, say("notice.ago", { age: ageText(now() - line.created_ms) }));
  }

  /** On a low screen open alarms come first: two lines then, the others are counted. */
  function show(told = said) {
    said = told;
    const lines = said.lines.slice(0, hasWork() && LOW.matches ? FEW : said.lines.length);
    const more = said.more + said.lines.length - lines.length;
    const wanted = new Set(lines.map((line) => line.notice_id));
    let hadFocus = false;
    for (const [id, { row }] of rows) {
      if (wanted.has(id)) continue;
      hadFocus ||= row.contains(document.activeElement);
      row.remove();
      rows.delete(id);
    }
    lines.forEach((line, index) => {
      if (!rows.has(line.notice_id)) rows.set(line.notice_id, makeRow(line));
      const { row } = rows.get(line.notice_id);
      if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
    });
    if (hadFocus && lines.length > 0) rows.get(lines[0].notice_id).button.focus();
    setText(rest, more > 0 ? say("notice.more", { n: more }) : "");
    strip.hidden = lines.length === 0;
    tick();
  }

  return { show, tick };
}
