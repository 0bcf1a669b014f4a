// Four views: those of the selected alarm's household, the nearest large; a slow round of all in a quiet hour.
import { setMark } from "../../static/dom.js";
import { icon } from "../../static/icons.js";
import { TileWall } from "../../static/tiles.js";
import { say, word } from "../../static/words.js";

const ROUND_MS = 20000;
const STATES = ["starting", "live", "late", "frozen", "dark", "covered", "no_signal", "refused", "offline"];
const TILE_WORDS = ["seconds", "minutes", "hours", "rate", "lasts", "last_picture", "no_picture"];
const SIGNS = { frozen: "pause", covered: "eyeoff", dark: "eyeoff", no_signal: "unplug", refused: "unplug", offline: "unplug" };

/** Fill the four `cells` with pictures of `cameras` of the community. */
export function makeCameras(cells, cameras) {
  const names = new Map(cameras.map((camera) => [camera.camera_id, `${camera.name}　${camera.camera_id.replace(/^cam-/, "")}`]));
  const words = Object.fromEntries([...STATES, ...TILE_WORDS].map((name) => [name, word("camera", name)]));
  const wall = new TileWall({ url: "/live", words, icon: (state) => (SIGNS[state] ? icon(SIGNS[state], 44) : null) });
  let shown = [];
  let wanted = [];
  let tag = "";
  let linked = new Set();
  let first = 0;
  let isHeld = false;

  function place(cell, camera_id, index) {
    const isLinked = linked.has(camera_id);
    const pace = isLinked ? "alarmed" : (index === 0 || tag === "" ? "selected" : "idle");
    const link = isLinked ? (index === 0 ? `${say("cameras.linked")} ${tag}` : say("cameras.linked")) : "";
    if (cell.dataset.shows === camera_id) wall.setPace(camera_id, pace, link);
    else {
      if (cell.dataset.shows) wall.detach(cell);
      wall.attach(cell, camera_id, { name: names.get(camera_id) ?? camera_id, pace, link });
      cell.dataset.shows = camera_id;
    }
    setMark(cell, "data-linked", isLinked ? (index === 0 ? "lead" : "near") : null);
  }

  function clear(cell) {
    if (cell.dataset.shows) wall.detach(cell);
    delete cell.dataset.shows;
    cell.replaceChildren(say("cameras.none"));
    setMark(cell, "data-linked", null);
  }

  function refill() {
    shown = wanted.length === 0 ? [] : cells.map((_, index) => wanted[(first + index) % wanted.length]).slice(0, wanted.length);
    // A camera has one tile: give up the cells that change before any of them is filled again.
    cells.forEach((cell, index) => { if (cell.dataset.shows && cell.dataset.shows !== shown[index]) { wall.detach(cell); delete cell.dataset.shows; } });
    cells.forEach((cell, index) => {
      const camera_id = shown[index];
      cell.classList.toggle("none", camera_id === undefined);
      if (camera_id === undefined) clear(cell);
      else {
        if (!cell.dataset.shows) cell.replaceChildren();
        place(cell, camera_id, index);
      }
    });
  }

  function lead(camera_id) {
    if (!wanted.includes(camera_id)) wanted = [camera_id, ...wanted.slice(0, 3)];
    else wanted = [camera_id, ...wanted.filter((one) => one !== camera_id)];
    first = 0;
    refill();
  }

  wall.start();
  cells.forEach((cell) => cell.addEventListener("click", () => cell.dataset.shows && lead(cell.dataset.shows)));
  setInterval(() => {
    if (tag !== "" || isHeld || wanted.length <= cells.length) return;
    first = (first + cells.length) % wanted.length;
    refill();
  }, ROUND_MS);

  return {
    /** Show the cameras of an alarm, best first; the rest of the four are its neighbours in the list. */
    link(alarm, ranked) {
      tag = alarm.no;
      linked = new Set(ranked.map((camera) => camera.camera_id));
      const others = cameras.map((camera) => camera.camera_id).filter((id) => !linked.has(id));
      wanted = [...linked, ...others].slice(0, cells.length);
      first = 0;
      refill();
    },
    /** Show all cameras in turn. */
    round() {
      tag = "";
      linked = new Set();
      wanted = cameras.map((camera) => camera.camera_id);
      refill();
    },
    lead,
    swap: () => shown.length > 1 && lead(shown[1]),
    hold(isWanted) { isHeld = isWanted; },
    isRoundLong: () => wanted.length > cells.length,
  };
}
