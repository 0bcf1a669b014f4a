/*
 * Camera tiles: pictures of all cameras over one WebSocket, each tile showing the age of what it shows.
 *
 * INTERFACE (all that a page needs)
 *
 *   import { TileWall, ageText } from "./tiles.js";
 *   const wall = new TileWall({
 *     url: "/live",                       // WebSocket endpoint of security_video/desk/live.py
 *     words: { live: "实时", ... },       // any of WORDS below; the defaults are Chinese
 *     icon: (state) => Element | null,    // optional: the large sign in the middle of a tile that is not live
 *     onHealth: (camera, health) => {},   // whenever the state of a camera changes: {state, reason, sinceMs}
 *     onPicture: (camera, picture) => {}, // after a picture was drawn: {epoch, seq, capturedMs, ageMs, width, height}
 *     onConnection: (state) => {},        // "connecting" | "open" | "waiting" (until the next attempt)
 *                                         // | "signed_out" | "stopped"
 *   });
 *   wall.attach(element, "cam-08", { name: "3号楼 2单元门", pace: "selected", link: "" });
 *   wall.setPace("cam-08", "alarmed", "联动 0720-003");   // pace: "idle" | "selected" | "alarmed"; link: words of the tag
 *   wall.detach(element);
 *   wall.start();  wall.stop();
 *   wall.now()            // the server's wall clock in ms, estimated from round trips
 *   wall.state(camera)    // {state, reason, sinceMs, capturedMs, ageMs} as shown now, or null
 *   wall.connection       // the word last given to onConnection
 *
 * `element` is an empty block (class `cam` in the desk's style sheet). The wall fills it with
 *   <canvas class="picture">  the picture, whole, never cropped; width and height are those of the picture
 *   <span class="tag">        the state in words ("实时", "停住", "联动 …")
 *   <span class="osd num">    wall-clock time at which the shown picture was taken
 *   <div class="mid">         sign and two lines when the picture must not be taken for the present
 *   <div class="cap"><b class="name">…</b><span class="sp"></span><span class="rate num">12 帧　0.3 秒</span></div>
 * and keeps on it, for style sheets and tests:
 *   data-camera  data-state ("starting" "live" "late" "frozen" "dark" "covered" "no_signal" "refused" "offline")
 *   data-pace ("idle" "selected" "alarmed")   data-seq  data-epoch  data-age-ms (drawn with every animation frame)
 * "late" and "offline" are also said by the wall itself, whatever it was told: when the shown picture is older than
 * LATE_MS, and when nothing was heard of the camera for UNHEARD_MS.
 * The canvas carries nothing but the camera's picture, so a test may read the pattern's bits from its pixels.
 *
 * Other roads: GET /cameras.json (list with health), GET /snapshot/<camera>.jpg (newest picture).
 */

import { PictureLine } from "./picture_line.js";

const LATE_MS = 3000;
const UNHEARD_MS = 4000;
const WITHOUT_PICTURE_MS = 10000;
const RATE_SPAN_MS = 4000;
const SIGNED = new Set(["frozen", "dark", "covered", "no_signal", "refused", "offline"]);

export const WORDS = {
  live: "实时", late: "迟到", frozen: "停住", dark: "黑屏", covered: "遮挡", no_signal: "无信号", refused: "连不上",
  starting: "接通中", offline: "断开",
  seconds: "{n} 秒", minutes: "{n} 分钟", hours: "{n} 小时", rate: "{n} 帧", lasts: "{state} {age}",
  last_picture: "最后一帧 {time}", no_picture: "还没有画面",
};

const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);

/** An age in words: tenths of a second below ten, then whole seconds, minutes, hours. */
export function ageText(age_ms, words = WORDS) {
  const seconds = Math.max(0, age_ms) / 1000;
  if (seconds < 10) return fill(words.seconds, { n: seconds.toFixed(1) });
  if (seconds < 120) return fill(words.seconds, { n: Math.floor(seconds) });
  if (seconds < 7200) return fill(words.minutes, { n: Math.floor(seconds / 60) });
  return fill(words.hours, { n: Math.floor(seconds / 3600) });
}

/** The state that is shown: what the server said, unless this browser itself knows worse. */
export function shownState(told, { isOpen, unheard_ms, age_ms }) {
  if (!isOpen || unheard_ms > UNHEARD_MS) return "offline";
  if (told === "live" && age_ms !== null && age_ms > LATE_MS) return age_ms > WITHOUT_PICTURE_MS ? "frozen" : "late";
  return told;
}

// The community's wall clock where the page names its zone, else this browser's.
const CLOCK = new Intl.DateTimeFormat("en-GB", {
  hour12: false, hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: globalThis.document?.body?.dataset.zone || undefined,
});
const clockText = (ms) => CLOCK.format(ms);

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function part(tag, classes) {
  const element = document.createElement(tag);
  element.className = classes;
  return element;
}

class Tile {
  constructor(element, camera, { name = camera, pace = "idle", link = "" }, wall) {
    Object.assign(this, { element, camera, pace, link, wall });
    this.told = { state: "starting", reason: "", since_ms: null };
    this.shown = null;
    this.waiting = null;
    this.isDecoding = false;
    this.heard_at = performance.now();
    this.drawn_at = [];
    this.build(name);
    this.dress();
  }

  build(name) {
    this.canvas = part("canvas", "picture");
    this.tag = part("span", "tag");
    this.osd = part("span", "osd num");
    this.mid = part("div", "mid");
    this.rate = part("span", "rate num");
    const [cap, label] = [part("div", "cap"), part("b", "name")];
    label.textContent = name;
    this.name = name;
    this.canvas.setAttribute("role", "img");
    cap.append(label, part("span", "sp"), this.rate);
    this.element.dataset.camera = this.camera;
    this.element.replaceChildren(this.canvas, this.tag, this.osd, this.mid, cap);
  }

  hear(header, picture) {
    this.heard_at = performance.now();
    const told = { state: header.state, reason: header.reason, since_ms: header.since_ms };
    const isNews = told.state !== this.told.state || told.reason !== this.told.reason;
    this.told = told;
    if (header.type === "picture") this.take(header, picture);
    if (isNews) this.wall.onHealth(this.camera, { state: told.state, reason: told.reason, sinceMs: told.since_ms });
  }

  // Newest wins: while one picture is decoded at most one waits, and credit goes back for both.
  take(header, picture) {
    if (this.waiting !== null) this.wall.giveCredit(this.camera);
    this.waiting = { header, picture };
    if (!this.isDecoding) this.decode();
  }

  async decode() {
    this.isDecoding = true;
    while (this.waiting !== null) {
      const { header, picture } = this.waiting;
      this.waiting = null;
      try {
        this.paint(header, await createImageBitmap(new Blob([picture], { type: "image/jpeg" })));
      } catch {
        this.wall.broken += 1;
      }
      this.wall.giveCredit(this.camera);
    }
    this.isDecoding = false;
  }

  paint(header, bitmap) {
    if (this.canvas.width !== bitmap.width) this.canvas.width = bitmap.width;
    if (this.canvas.height !== bitmap.height) this.canvas.height = bitmap.height;
    this.canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    this.shown = header;
    this.drawn_at.push(performance.now());
    Object.assign(this.element.dataset, { seq: header.seq, epoch: header.epoch });
    this.dress();
    const { epoch, seq, width, height, captured_ms: capturedMs } = header;
    this.wall.onPicture(this.camera, { epoch, seq, width, height, capturedMs, ageMs: this.age_ms() });
  }

  age_ms() {
    return this.shown === null ? null : Math.max(0, this.wall.now() - this.shown.captured_ms);
  }

  state() {
    const unheard_ms = performance.now() - this.heard_at;
    return shownState(this.told.state, { isOpen: this.wall.connection === "open", unheard_ms, age_ms: this.age_ms() });
  }

  /** Bring words, time and age up to date; called with every animation frame. */
  dress() {
    const { words } = this.wall;
    const [state, age_ms] = [this.state(), this.age_ms()];
    const { dataset } = this.element;
    if (dataset.state !== state) {
      dataset.state = state;
      this.canvas.setAttribute("aria-label", `${this.name} ${words[state]}`);
    }
    if (dataset.pace !== this.pace) dataset.pace = this.pace;
    dataset.ageMs = age_ms === null ? "" : Math.round(age_ms);
    put(this.tag, state === "live" && this.link ? this.link : words[state]);
    put(this.osd, this.shown === null ? "" : clockText(this.shown.captured_ms));
    put(this.rate, age_ms === null ? words.no_picture : `${fill(words.rate, { n: this.rate_hz() })}　${ageText(age_ms, words)}`);
    this.explain(state, age_ms);
  }

  rate_hz() {
    const since = performance.now() - RATE_SPAN_MS;
    while (this.drawn_at.length > 0 && this.drawn_at[0] < since) this.drawn_at.shift();
    return Math.round((this.drawn_at.length * 1000) / RATE_SPAN_MS);
  }

  explain(state, age_ms) {
    if (this.mid.dataset.state !== state) {
      const sign = SIGNED.has(state) ? this.wall.icon(state) : null;
      this.mid.dataset.state = state;
      this.mid.replaceChildren(...(SIGNED.has(state) ? [sign, part("b", ""), part("span", "num")] : []).filter(Boolean));
    }
    if (!SIGNED.has(state)) return;
    const { words } = this.wall;
    const isByClock = this.told.state === state && this.told.since_ms !== null;
    const lasted_ms = isByClock ? this.wall.now() - this.told.since_ms : age_ms;
    put(this.mid.querySelector("b"), lasted_ms === null ? words[state] : fill(words.lasts, { state: words[state], age: ageText(lasted_ms, words) }));
    put(this.mid.querySelector("span"), this.shown === null ? words.no_picture : fill(words.last_picture, { time: clockText(this.shown.captured_ms) }));
  }
}

export class TileWall {
  constructor({ url = "/live", words = {}, icon = () => null, onHealth = () => {}, onPicture = () => {}, onConnection = () => {} } = {}) {
    Object.assign(this, { icon, onHealth, onPicture, onConnection, broken: 0, credit: {}, isDressing: false });
    this.words = { ...WORDS, ...words };
    this.tiles = new Map();
    this.isWatchDue = false;
    this.line = new PictureLine(url, (header, picture) => this.hear(header, picture), (state) => this.connected(state));
  }

  get connection() {
    return this.line.state;
  }

  /** The server's wall clock in ms. */
  now() {
    return this.line.clock.now();
  }

  start() {
    this.line.start();
    if (this.isDressing) return;
    this.isDressing = true;
    const dress = () => {
      if (!this.isDressing) return;
      for (const tile of this.tiles.values()) tile.dress();
      requestAnimationFrame(dress);
    };
    dress();
  }

  stop() {
    this.isDressing = false;
    this.line.stop();
  }

  attach(element, camera, options = {}) {
    this.tiles.set(camera, new Tile(element, camera, options, this));
    this.watchSoon();
  }

  detach(element) {
    for (const [camera, tile] of this.tiles) if (tile.element === element) this.tiles.delete(camera);
    for (const key of ["camera", "state", "pace", "seq", "epoch", "ageMs"]) delete element.dataset[key];
    element.replaceChildren();
    this.watchSoon();
  }

  setPace(camera, pace, link = "") {
    const tile = this.tiles.get(camera);
    if (tile === undefined) return;
    const isNew = tile.pace !== pace;
    Object.assign(tile, { pace, link });
    if (isNew) this.watchSoon();
  }

  state(camera) {
    const tile = this.tiles.get(camera);
    if (tile === undefined) return null;
    const { reason, since_ms: sinceMs } = tile.told;
    return { state: tile.state(), reason, sinceMs, capturedMs: tile.shown?.captured_ms ?? null, ageMs: tile.age_ms() };
  }

  giveCredit(camera) {
    if (Object.keys(this.credit).length === 0) queueMicrotask(() => this.sendCredit());
    this.credit[camera] = (this.credit[camera] ?? 0) + 1;
  }

  sendCredit() {
    this.line.send({ credit: this.credit });
    this.credit = {};
  }

  // Several tiles change together (a new alarm): one watch list for all of them.
  watchSoon() {
    if (this.isWatchDue) return;
    this.isWatchDue = true;
    queueMicrotask(() => {
      this.isWatchDue = false;
      this.line.send({ watch: [...this.tiles.values()].map(({ camera, pace }) => ({ camera, pace })) });
    });
  }

  connected(state) {
    if (state === "open") this.watchSoon();
    for (const tile of this.tiles.values()) tile.heard_at = performance.now();
    this.onConnection(state);
  }

  hear(header, picture) {
    this.tiles.get(header.camera)?.hear(header, picture);
  }
}
