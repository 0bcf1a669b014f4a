// The board: one feed, one selected alarm, one keyboard; every part shows what the ledger said last.
import { chime, setRinging } from "../../static/bell.js";
import { afterPaint, make, setMark, setText } from "../../static/dom.js";
import { openFeed } from "../../static/feed.js";
import { bindKeys } from "../../static/keys.js";
import { read } from "../../static/requests.js";
import { ageText, clockText, everySecond, now } from "../../static/time.js";
import { say, word } from "../../static/words.js";
import { isWaiting, placeText, titleText } from "./alarm.js";
import { makeCameras } from "./cameras.js";
import { makeDetail } from "./detail.js";
import { makeNotices } from "./notices.js";
import { makePlan } from "./plan.js";
import { inOrder, makeQueue } from "./queue.js";
import { fillHealth, prepareMenu, prepareSound, tickClock } from "./topbar.js";
import { fillTonight, fillWatch, lastSentence } from "./watch.js";

const part = (id) => document.getElementById(id);
const { me, limits, responders } = JSON.parse(document.body.dataset.desk);
const CONFIRM_AGAIN_MS = 2000;
const SWITCH_MS = 400;

const alarms = new Map();
const confirmed = new Map();
const handled = { cameras: null, plan: null };
let selected = null;
let takenAt = 0;
let detailOf = null;
let link = { state: "connecting", since: Date.now() };
let blindSince = null;
let items = [];
let recent = [];

const queue = makeQueue(part("queue"), limits, (id) => select(id));
const notices = makeNotices(part("notices"), () => alarms.size > 0);
const detail = makeDetail(part("detail"), { limits, responders, me }, { onChange: take, onDetail: showDetail });

// --- what is selected ---------------------------------------------------------------------------------------------

function select(id) {
  if (selected === id) return;
  selected = id;
  detailOf = null;
  show();
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

function choose(arrived) {
  if (!alarms.has(selected)) selected = inOrder(alarms.values())[0]?.alarm_id ?? null;
  else if (arrived !== null && mayTakePanel(arrived)) {
    selected = arrived.alarm_id;
    takenAt = Date.now();
  }
}

/** Sign for what is on the screen; a key that was meant for the alarm before the switch is not taken for this one. */
function sign() {
  if (Date.now() - takenAt > SWITCH_MS) detail.act("acknowledge");
}

// --- what is shown ------------------------------------------------------------------------------------------------

function show() {
  const isLost = link.state !== "live" || blindSince !== null;
  const isQuiet = alarms.size === 0;
  setMark(document.body, "data-link", isLost ? "lost" : "live");
  part("main").classList.toggle("quiet", isQuiet);
  queue.show(alarms.values(), selected);
  notices.show();
  detail.show(alarms.get(selected) ?? null);
  part("queue").hidden = isQuiet;
  part("calm").hidden = !isQuiet;
  part("watch").hidden = !isQuiet;
  showCalm(isLost);
  showCounts(isLost);
  showViews();
  const isRinging = [...alarms.values()].some((alarm) => alarm.level === 1 && isWaiting(alarm));
  setRinging(isRinging);
  setMark(document.body, "data-ringing", isRinging);
  tick();
}

/** An empty queue is calm only while the line to the ledger stands. */
function showCalm(isLost) {
  setMark(part("calm"), "data-blind", isLost);
  setText(part("calm-title"), say(isLost ? "calm.blind" : "calm.title"));
  setText(part("calm-last"), isLost ? say("calm.blind.why") : lastSentence(recent));
}

function showCounts(isLost) {
  const count = { waiting: 0, verify: 0, working: 0 };
  for (const alarm of alarms.values()) count[isWaiting(alarm) ? "waiting" : alarm.verdict === null ? "verify" : "working"] += 1;
  const pills = Object.entries(count).filter(([, number]) => number > 0).map(([name, number]) => make("span", {
    class: name === "waiting" ? "pill p1" : "pill", "data-count": name,
  }, say(`count.${name}`, { n: number })));
  if (pills.length === 0) pills.push(make("span", { class: isLost ? "pill p1" : "pill ok" }, say(isLost ? "count.unknown" : "count.none")));
  part("counts").replaceChildren(...pills);
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
  const since = link.state !== "live" ? link.since : blindSince;
  alert.hidden = link.state === "connecting" || (link.state === "live" && blindSince === null);
  part("sign-in").hidden = link.state !== "signed_out";
  fillHealth(part("health"), items, link.state === "live");
  if (alert.hidden) return;
  const age = since ? ageText((link.state === "live" ? now() : Date.now()) - since) : "";
  const key = link.state === "live" ? "blind" : link.state;
  const shownOf = (link.state === "live" ? blindSince : link.heard_ms) ?? null;
  setText(part("alert-title"), say(`link.${key}`, { age }));
  setText(part("alert-text"), say(`link.${key}.why`, { n: link.attempt ?? 0, at: shownOf === null ? "—" : clockText(shownOf) }));
}

// --- what the feed says -------------------------------------------------------------------------------------------

function take(alarm) {
  const known = alarms.get(alarm.alarm_id);
  if (known !== undefined && known.version > alarm.version) return;
  const isNew = known === undefined && alarm.state !== "closed";
  if (alarm.state === "closed") alarms.delete(alarm.alarm_id);
  else alarms.set(alarm.alarm_id, alarm);
  if (isNew) greet(alarm);
  choose(isNew ? alarm : null);
  show();
  if (isNew && selected === alarm.alarm_id && !isHandling()) detail.focusNext();
  if (known?.state !== alarm.state) readFigures();
  confirm(alarm);
}

function greet(alarm) {
  part("news").textContent = say("news.alarm", { level: word("level", String(alarm.level)), title: titleText(alarm), place: placeText(alarm) });
  if (alarm.level > 1) chime();
}

/** Tell the ledger that a person's screen shows the alarm: the row stands in the page and has been painted. */
function confirm(alarm) {
  if (alarm.state !== "raised" || now() - (confirmed.get(alarm.alarm_id) ?? 0) < CONFIRM_AGAIN_MS) return;
  afterPaint(() => {
    const row = queue.rowOf(alarm.alarm_id);
    if (row === null || !row.isConnected || row.getClientRects().length === 0) return;
    confirmed.set(alarm.alarm_id, now());
    feed.confirm(alarm.alarm_id);
  });
}

function restart(message) {
  const before = new Set(alarms.keys());
  alarms.clear();
  for (const alarm of message.alarms) alarms.set(alarm.alarm_id, alarm);
  const arrived = inOrder(message.alarms.filter((alarm) => !before.has(alarm.alarm_id)));
  arrived.slice(0, 1).forEach(greet);
  notices.show(message.notices);
  hearStatus(message.status);
  choose(arrived[0] ?? null);
  show();
  if (arrived.length > 0 && !isHandling()) detail.focusNext();
  message.alarms.forEach(confirm);
  readFigures();
}

function hearStatus(status) {
  items = status.items;
  blindSince = status.blind_since_ms;
}

const feed = openFeed(`${location.origin.replace(/^http/, "ws")}/feed`, "/api/v1/me", {
  snapshot: restart,
  alarm: (message) => take(message.alarm),
  notices: (message) => notices.show(message.notices),
  status(message) { hearStatus(message.status); show(); },
  link(said) { link = said; show(); },
});

let figuresTimer = 0;
function readFigures() {
  clearTimeout(figuresTimer);
  figuresTimer = setTimeout(async () => {
    const [tonight, watch] = await Promise.all([read("/api/tonight"), read("/api/watch")].map((asked) => asked.catch(() => null)));
    if (tonight !== null) fillTonight(part("tonight"), tonight);
    if (watch === null) return;
    recent = watch.recent;
    fillWatch(part("watch"), watch);
    showCalm(document.body.dataset.link === "lost");
  }, 150);
}

// --- time, keys, beginning ----------------------------------------------------------------------------------------

function tick() {
  tickClock(part("clock"), part("day"));
  queue.tick();
  notices.tick();
  detail.tick();
  showLink();
  alarms.forEach(confirm);
}

function move(step) {
  const next = queue.neighbour(selected, step);
  if (next === null) return;
  select(next);
  queue.rowOf(next)?.focus();
}

/** Back to the alarm: the most urgent one, its cameras and its place on the plan. */
function goBack() {
  selected = inOrder(alarms.values()).find(isWaiting)?.alarm_id ?? selected;
  detailOf = null;
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
document.addEventListener("visibilitychange", () => alarms.forEach(confirm));

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
