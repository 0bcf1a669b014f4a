// The board: one feed, one selected alarm, one keyboard; every part shows what the ledger said last.
import { chime, setRinging } from "../../static/bell.js";
import { afterPaint, make, setMark, setText } from "../../static/dom.js";
import { openFeed } from "../../static/feed.js";
import { bindKeys } from "../../static/keys.js";
import { read } from "../../static/requests.js";
import { ageText, clockText, everySecond, now } from "../../static/time.js";
import { say, word } from "../../static/words.js";
import { inOrder, isRinging, isUnrecorded, isWaiting, placeText, titleText } from "./alarm.js";
import { fillAround } from "./around.js";
import { makeCameras } from "./cameras.js";
import { makeDetail } from "./detail.js";
import { makeNotices } from "./notices.js";
import { makePlan } from "./plan.js";
import { makeQueue } from "./queue.js";
import { makeStorms } from "./storms.js";
import { fillHealth, prepareMenu, prepareSound, tickClock } from "./topbar.js";
import { fillTonight, fillWatch, lastSentence } from "./watch.js";

const part = (id) => document.getElementById(id);
const { me, responders } = JSON.parse(document.body.dataset.desk);
const CONFIRM_AGAIN_MS = 2000;
const SWITCH_MS = 400;
const MOST_CONFIRMED = 200;
const FIGURES_MS = 2000;

const alarms = new Map();
const confirmed = new Map();
const handled = { cameras: null, plan: null };
let selected = null;
let takenAt = 0;
let groups = [];
let status = { items: [], blind_since_ms: null, others: [], unmanned: [], drills: [] };
let detailOf = null;
let link = { state: "connecting", since: Date.now() };
let recent = [];

const storms = makeStorms({ onChange: () => show(), onWrong: (text) => setText(part("news"), text) });
const queue = makeQueue(part("queue"), storms, (id) => select(id));
const notices = makeNotices(part("notices"), () => alarms.size > 0);
const detail = makeDetail(part("detail"), { responders, me }, { onChange: (alarm) => takeAll([alarm]), onDetail: showDetail });

// --- what is selected ---------------------------------------------------------------------------------------------

function select(id) {
  if (selected === id) return;
  choosePanel(id);
  show();
}

/** Let the panel show an alarm; one of a storm joins the rows, and the server goes on telling about it. */
function choosePanel(id) {
  const before = alarms.get(selected);
  selected = id;
  detailOf = null;
  const found = storms.find(id);
  if (!alarms.has(id) && found !== undefined) alarms.set(id, found);
  if (before?.storm && before.alarm_id !== id) alarms.delete(before.alarm_id);
  feed.select(id);
}

/** Whether the operator has something in hand that a new alarm must not push aside. */
function isHandling() {
  const alarm = alarms.get(selected);
  return alarm !== undefined && (detail.isAsking() || (alarm.acknowledged_by === me && alarm.state !== "resolved"));
}

/** Whether an alarm that comes in may take the panel: never from another level 1 that waits for its signature. */
function mayTakePanel(arrived) {
  const alarm = alarms.get(selected);
  return arrived.level === 1 && isWaiting(arrived) && !isHandling() && !(alarm.level === 1 && isWaiting(alarm));
}

/** Everything that can be taken up next: the rows, and the first of each storm. */
const candidates = () => inOrder([...alarms.values(), ...groups.map((group) => group.first)]);

function choose(arrived) {
  if (!alarms.has(selected)) {
    const [first] = candidates();
    if (first !== undefined) {
      alarms.set(first.alarm_id, alarms.get(first.alarm_id) ?? first);
      choosePanel(first.alarm_id);
    } else selected = null;
  } else if (arrived !== null && mayTakePanel(arrived)) {
    choosePanel(arrived.alarm_id);
    takenAt = Date.now();
  }
}

/** Sign for what is on the screen; a key that was meant for the alarm before the switch is not taken for this one. */
function sign() {
  if (Date.now() - takenAt > SWITCH_MS) detail.act("acknowledge");
}

// --- what is shown ------------------------------------------------------------------------------------------------

const isLost = () => link.state !== "live" || status.blind_since_ms !== null;

function show() {
  const isQuiet = alarms.size === 0 && groups.length === 0;
  setMark(document.body, "data-link", isLost() ? "lost" : "live");
  part("main").classList.toggle("quiet", isQuiet);
  queue.show(alarms, groups, selected);
  notices.show();
  detail.show(alarms.get(selected) ?? null);
  part("queue").hidden = isQuiet;
  part("calm").hidden = !isQuiet;
  part("watch").hidden = !isQuiet;
  showCalm();
  showCounts();
  showViews();
  const rings = [...alarms.values()].some(isRinging) || groups.some((group) => group.kind !== "" && group.level === 1 && !group.is_drill);
  setRinging(rings);
  setMark(document.body, "data-ringing", rings);
  tick();
}

/** An empty queue is calm only while the line to the ledger stands. */
function showCalm() {
  setMark(part("calm"), "data-blind", isLost());
  setText(part("calm-title"), say(isLost() ? "calm.blind" : "calm.title"));
  setText(part("calm-last"), isLost() ? say("calm.blind.why") : lastSentence(recent));
}

/** Count what waits, also inside the lines of storms. */
function countAll() {
  const count = { waiting: 0, verify: 0, working: 0 };
  const inGroups = new Set(groups.map((group) => group.key));
  for (const alarm of alarms.values()) {
    if (!inGroups.has(alarm.storm)) count[isWaiting(alarm) ? "waiting" : alarm.verdict === null ? "verify" : "working"] += 1;
  }
  for (const group of groups) count[group.kind === "" ? "working" : "waiting"] += group.count;
  return count;
}

function showCounts() {
  const count = countAll();
  const pills = Object.entries(count).filter(([, number]) => number > 0).map(([name, number]) => make("span", {
    class: name === "waiting" ? "pill p1" : "pill", "data-count": name,
  }, say(`count.${name}`, { n: number })));
  if (pills.length === 0) pills.push(make("span", { class: isLost() ? "pill p1" : "pill ok" }, say(isLost() ? "count.unknown" : "count.none")));
  part("counts").replaceChildren(...pills);
  document.title = document.hidden && count.waiting > 0 ? say("hidden.title", { n: count.waiting }) : part("desk-name").textContent;
}

function showViews() {
  const alarm = alarms.get(selected) ?? null;
  if (alarm === null) {
    handled.cameras?.round();
    handled.plan?.show(null, null);
  } else if (detailOf === alarm.alarm_id) handled.plan?.show(alarm, handled.detail);
  const isLong = alarm === null && (handled.cameras?.isRoundLong() ?? false);
  part("views-alarm").hidden = alarm === null;
  setText(part("views-alarm"), alarm?.no ?? "");
  part("views-alarm").className = alarm !== null && isWaiting(alarm) ? "pill p1" : "pill";
  setText(part("views-title"), say(alarm === null ? "views.round" : "views.linked"));
  setText(part("views-hint"), alarm !== null ? say("views.linked.hint") : isLong ? say("views.round.hint") : "");
  part("swap").hidden = alarm === null;
  part("back").hidden = alarm === null;
  part("hold").hidden = !isLong;
}

function showDetail(found) {
  const alarm = alarms.get(found.alarm.alarm_id);
  if (alarm === undefined || selected !== alarm.alarm_id) return;
  const isFirst = detailOf !== alarm.alarm_id;
  detailOf = alarm.alarm_id;
  handled.detail = found;
  handled.plan?.show(alarm, found);
  if (isFirst) handled.cameras?.link(alarm, found.cameras);
}

function showLink() {
  const alert = part("alert");
  const blindSince = status.blind_since_ms;
  const since = link.state !== "live" ? link.since : blindSince;
  alert.hidden = link.state === "connecting" || (link.state === "live" && blindSince === null);
  part("sign-in").hidden = link.state !== "signed_out";
  fillHealth(part("health"), status.items, link.state === "live");
  fillAround(status, link.state === "live");
  if (alert.hidden) return;
  const age = since ? ageText((link.state === "live" ? now() : Date.now()) - since) : "";
  const key = link.state === "live" ? "blind" : link.state;
  const shownOf = (link.state === "live" ? blindSince : link.heard_ms) ?? null;
  setText(part("alert-title"), say(`link.${key}`, { age }));
  setText(part("alert-text"), say(`link.${key}.why`, { n: link.attempt ?? 0, at: shownOf === null ? "—" : clockText(shownOf) }));
}

// --- what the feed says -------------------------------------------------------------------------------------------

/** Whether a version is news for the ear: not known before, or nobody has it any more. */
const isNews = (known, alarm) => alarm.state !== "closed" && (known === undefined || (isWaiting(alarm) && !isWaiting(known)));

/** Whether the ledger has reminded of work that does not move. */
const isReminder = (known, alarm) => known?.next_step?.kind === "progress" && known.state === alarm.state
  && known.next_step.at_ms <= now() + 1000 && (alarm.next_step?.at_ms ?? 0) > known.next_step.at_ms;

/** Whether this is the recorded form of a press that stood here unrecorded: it has been heard already. */
const isSuccessor = (alarm, gone) => gone.some((id) => {
  const before = alarms.get(id);
  return before !== undefined && isUnrecorded(before) && before.kind === alarm.kind && before.address === alarm.address;
});

/** Keep the panel with a press that was recorded just now. */
function follow(changed, gone) {
  if (!gone.includes(selected) || !isUnrecorded(alarms.get(selected))) return;
  const next = changed.find((alarm) => isSuccessor(alarm, [selected]));
  alarms.delete(selected);
  if (next !== undefined) choosePanel(next.alarm_id);
}

function takeAll(changed, gone = [], newGroups = groups) {
  const fresh = [];
  let hasMoved = false;
  groups = newGroups;
  for (const alarm of changed) {
    const known = alarms.get(alarm.alarm_id);
    if (known !== undefined && known.version > alarm.version) continue;
    if (alarm.state === "closed") alarms.delete(alarm.alarm_id);
    else alarms.set(alarm.alarm_id, alarm);
    if (isNews(known, alarm) && !isSuccessor(alarm, gone)) fresh.push(alarm);
    if (isReminder(known, alarm)) chime();
    hasMoved ||= known?.state !== alarm.state;
  }
  follow(changed, gone);
  for (const id of gone) if (id !== selected) alarms.delete(id);
  const arrived = inOrder(fresh)[0] ?? null;
  if (arrived !== null) greet(arrived);
  choose(arrived);
  show();
  if (arrived !== null && selected === arrived.alarm_id && !isHandling()) detail.focusNext();
  if (hasMoved) readFigures();
  confirmAll();
}

function greet(alarm) {
  part("news").textContent = say("news.alarm", { level: word("level", String(alarm.level)), title: titleText(alarm), place: placeText(alarm) });
  if (!isRinging(alarm)) chime();
}

let isPainting = false;

/** Tell the ledger what a person's screen shows: the rows stand in the page and have been painted, and it is seen. */
function confirmAll() {
  const due = new Set([...alarms.values(), ...storms.rows()]
    .filter((alarm) => (alarm.state === "raised" || isUnrecorded(alarm)) && now() - (confirmed.get(alarm.alarm_id) ?? 0) >= CONFIRM_AGAIN_MS)
    .map((alarm) => alarm.alarm_id));
  if (due.size === 0 || isPainting || document.hidden) return;
  isPainting = true;
  afterPaint(() => {
    isPainting = false;
    const painted = [...due].filter((id) => (queue.rowOf(id)?.getClientRects().length ?? 0) > 0).slice(0, MOST_CONFIRMED);
    if (painted.length === 0 || document.hidden) return;
    painted.forEach((id) => confirmed.set(id, now()));
    feed.confirm(painted);
  });
}

function restart(message) {
  const before = new Set(alarms.keys());
  const selectedBefore = selected;
  alarms.clear();
  groups = message.groups;
  for (const alarm of message.alarms) alarms.set(alarm.alarm_id, alarm);
  const arrived = inOrder(message.alarms.filter((alarm) => !before.has(alarm.alarm_id)));
  arrived.slice(0, 1).forEach(greet);
  notices.show(message.notices);
  status = message.status;
  choose(arrived[0] ?? null);
  show();
  if ((arrived.length > 0 || selected !== selectedBefore) && !isHandling()) detail.focusNext();
  confirmAll();
  readFigures();
}

const feed = openFeed(`${location.origin.replace(/^http/, "ws")}/feed`, "/api/v1/me", {
  snapshot: restart,
  selected: () => selected,
  alarm: (message) => takeAll([message.alarm]),
  changes: (message) => takeAll(message.alarms, message.gone, message.groups),
  notices: (message) => notices.show(message.notices),
  status(message) { status = message.status; show(); },
  link(said) { link = said; show(); },
});

let figuresTimer = 0;
let figuresRead = 0;
/** Read the shift's figures soon, but not again and again while a storm changes them. */
function readFigures() {
  clearTimeout(figuresTimer);
  figuresTimer = setTimeout(async () => {
    figuresRead = Date.now();
    const [tonight, watch] = await Promise.all([read("/api/tonight"), read("/api/watch")].map((asked) => asked.catch(() => null)));
    if (tonight !== null) fillTonight(part("tonight"), tonight);
    if (watch === null) return;
    recent = watch.recent;
    fillWatch(part("watch"), watch);
    showCalm();
  }, Math.max(150, FIGURES_MS - (Date.now() - figuresRead)));
}

// --- time, keys, beginning ----------------------------------------------------------------------------------------

function tick() {
  tickClock(part("clock"), part("day"));
  queue.tick();
  notices.tick();
  detail.tick(!isLost());
  showLink();
  confirmAll();
}

function move(step) {
  const next = queue.neighbour(selected, step);
  (next?.matches("[data-group]") ? next.querySelector("button") : next)?.focus();
}

/** Back to the alarm: the most urgent one, its cameras and its place on the plan. */
function goBack() {
  const urgent = candidates().find(isWaiting)?.alarm_id ?? selected;
  if (urgent !== null) choosePanel(urgent);
  show();
  if (alarms.has(selected)) read(`/api/alarms/${selected}`).then(showDetail, () => {});
  detail.focusNext();
}

function toggleHold() {
  const isHeld = part("hold").getAttribute("aria-pressed") !== "true";
  part("hold").setAttribute("aria-pressed", String(isHeld));
  setText(part("hold-word"), say(isHeld ? "views.go_on" : "views.hold"));
  handled.cameras?.hold(isHeld);
}

bindKeys({
  Space: sign,
  KeyH: () => detail.act("verify"),
  KeyP: () => detail.act("dispatch"),
  KeyJ: () => detail.act("close"),
  KeyN: () => alarms.has(selected) && detail.focusNote(),
  KeyG: goBack,
  KeyX: () => handled.cameras?.swap(),
  KeyS: () => !part("hold").hidden && toggleHold(),
  KeyE: () => storms.toggleFirst(),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
});
document.addEventListener("keydown", (event) => {
  if (event.code !== "Escape") return;
  if (document.activeElement?.matches("input")) document.activeElement.blur();
  detail.leaveQuestion();
});
part("swap").addEventListener("click", () => handled.cameras?.swap());
part("hold").addEventListener("click", toggleHold);
part("back").addEventListener("click", goBack);
document.addEventListener("visibilitychange", () => { showCounts(); confirmAll(); });

prepareSound(part("sound"));
prepareMenu(part("operator"), part("menu"), me);
everySecond(tick);
setInterval(readFigures, 30000);

async function readCommunity() {
  try {
    const community = await read("/api/community");
    setText(part("plan-hint"), say("plan.hint", { name: (document.documentElement.lang === "en" && community.name_en) || community.name, n: community.cameras.length }));
    handled.plan = makePlan(part("map"), community, (camera_id) => handled.cameras.lead(camera_id));
    handled.cameras = makeCameras([...document.querySelectorAll(".views .cam")], community.cameras);
    showViews();
    if (handled.detail && detailOf !== null) {
      detailOf = null;
      showDetail(handled.detail);
    }
  } catch (refusal) {
    setText(part("plan-hint"), refusal.message);
    setTimeout(readCommunity, 5000);
  }
}
readCommunity();
