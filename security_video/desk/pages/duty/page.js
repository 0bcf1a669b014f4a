// The roster: drawn by the server, changed by three forms and two buttons; a removal and an end ask twice.
import { make, setText } from "../../static/dom.js";
import { Refusal, send } from "../../static/requests.js";
import { keepFresh, openSheet } from "../../static/sheet.js";
import { say, word } from "../../static/words.js";

const EVERY_MS = 15000;
const ARMED_MS = 5000;

const roster = document.getElementById("roster");
const fresh = keepFresh("roster", () => roster.dataset.address, EVERY_MS);

openSheet(() => {});

function sentenceOf(refusal) {
  const known = { 403: "duty.forbidden", 404: "duty.gone", 409: "duty.conflict" }[refusal.status];
  return known === undefined ? refusal.message : say(known);
}

/** Do `act`, draw the roster again, and say in `wrong` what was refused. */
async function change(wrong, button, act) {
  button.setAttribute("aria-busy", "true");
  button.disabled = true;
  try {
    await act();
    wrong.hidden = true;
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    setText(wrong, sentenceOf(refusal));
    wrong.hidden = false;
  }
  button.removeAttribute("aria-busy");
  button.disabled = false;
}

function onSubmit(id, act) {
  const form = document.getElementById(id);
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const wrong = form.querySelector(".wrong");
    change(wrong, form.querySelector("[type=submit]"), async () => {
      await act(form);
      await fresh.ask();
    });
  });
}

const values = (form) => Object.fromEntries(new FormData(form));

onSubmit("add", async (form) => {
  await send("/api/duty/shifts", values(form));
  form.elements.person.value = "";
  form.elements.phone.value = "";
  form.elements.person.focus();
});

onSubmit("drill", async (form) => {
  const { area_id, minutes, note } = values(form);
  await send("/api/drills", { area_id, minutes: Number(minutes), note, understood: form.elements.understood.checked });
  form.elements.note.value = "";
  form.elements.understood.checked = false;
});

/** Send a file's own bytes: what a spreadsheet wrote may be no UTF-8. */
async function sendFile(file, isPartial) {
  const response = await fetch(`/api/duty/import${isPartial ? "?partial=1" : ""}`, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "text/csv", "X-CSRF-Token": document.querySelector("meta[name=csrf-token]").content },
    body: await file.arrayBuffer(),
    signal: AbortSignal.timeout(20000),
  }).catch(() => null);
  const answer = (await response?.json().catch(() => null)) ?? {};
  if (response?.ok) return answer;
  const reason = answer.error?.reason ?? answer.error?.code ?? "no_answer";
  throw new Refusal(response?.status ?? 0, { code: reason, reason, message: word("error", reason), cure: "" });
}

onSubmit("import", async (form) => {
  const outcome = document.getElementById("outcome");
  outcome.hidden = true;
  const answer = await sendFile(form.elements.file.files[0], form.elements.partial.checked);
  const refused = answer.refused.map((one) => make("li", {}, make("b", {}, say("duty.import.line", { n: one.line })),
    ` ${word("error", one.reason)} `, make("code", {}, one.value)));
  const isNothing = answer.added === 0 && refused.length > 0;
  outcome.replaceChildren(
    make("p", { class: isNothing ? "nothing" : "" }, say(isNothing ? "duty.import.nothing" : "duty.import.done", { n: answer.added, refused: refused.length })),
    make("ul", {}, refused));
  outcome.hidden = false;
  if (refused.length === 0) form.reset();
});

/** The first press asks, the second within five seconds does it. */
function pressTwice(button, question, act) {
  if (button.dataset.armed === undefined) {
    const before = button.textContent;
    button.dataset.armed = "";
    setText(button, say(question));
    setTimeout(() => {
      delete button.dataset.armed;
      setText(button, before);
    }, ARMED_MS);
    return;
  }
  const wrong = document.getElementById("roster-wrong");
  change(wrong, button, async () => {
    await act();
    await fresh.ask();
  });
}

roster.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.remove) pressTwice(button, "duty.remove.sure", () => send("/api/duty/shifts/remove", { shift_id: button.dataset.remove }));
  if (button?.dataset.end) pressTwice(button, "duty.drill.end.sure", () => send("/api/drills/end", { drill_id: button.dataset.end }));
});
