// Our own drawn signs: a 48 grid, round strokes, one colour; and the four shapes of the levels.
import { draw } from "./dom.js";

const PATHS = {
  siren: "M12 35V26A12 12 0 0 1 36 26V35 M7 35H41V42H7Z M24 4V8.5 M7.5 11 11 14.5 M40.5 11 37 14.5 M24 21V28",
  speaker: "M7 19V29H14L24 37V11L14 19Z M31 18A8 8 0 0 1 31 30 M36.5 12.5A16 16 0 0 1 36.5 35.5",
  muted: "M7 19V29H14L24 37V11L14 19Z M31 19 41 29 M41 19 31 29",
  camera: "M6 11 33 6 36 19 9 25Z M36 10.5 42 9.4 M20 23V33H8 M8 26V42",
  check: "M9 25 19.5 36 39 13",
  pause: "M16 9V39 M32 9V39",
  eyeoff: "M5 24C10 15 16.5 11 24 11 31.5 11 38 15 43 24 38 33 31.5 37 24 37 16.5 37 10 33 5 24Z M9 41 39 7",
  unplug: "M17 6V16 M31 6V16 M11 16H37V22A13 13 0 0 1 27 34.5 M20 34A13 13 0 0 1 11 22V16 M24 44V38 M6 42 42 6",
  warn: "M24 6 44 41H4Z M24 19V29 M24 35V35.2",
  pin: "M24 44C15 33 10 26.5 10 19A14 14 0 0 1 38 19C38 26.5 33 33 24 44Z M24 14A5 5 0 1 0 24 24 5 5 0 1 0 24 14Z",
  swap: "M8 16H38L30 8 M40 32H10L18 40",
  up: "M24 42V8 M11 21 24 8 37 21",
  doubt: "M15 16A9 9 0 1 1 28 25C24.5 27 24 28.5 24 32 M24 40V40.2",
  clock: "M24 6A18 18 0 1 0 24 42 18 18 0 1 0 24 6Z M24 14V25L31 29",
  again: "M38 16A16 16 0 1 0 40 24 M38 6V16H28",
  people: "M17 8A8 8 0 1 0 17 24 8 8 0 1 0 17 8Z M4 41C5 32 10 28 17 28 24 28 29 32 30 41 M31 9A8 8 0 0 1 31 23 M35 28C40 30 43 34 44 41",
};

const SHAPES = {
  1: "M17 4H31L44 17V31L31 44H17L4 31V17Z",
  2: "M24 4 45 42H3Z",
  3: "M24 3 45 24 24 45 3 24Z",
  4: "M24 4A20 20 0 1 0 24 44 20 20 0 1 0 24 4Z",
};

const DIGIT_Y = { 1: 33, 2: 39, 3: 33, 4: 33 };

/** Draw the sign `name`; it never stands without its word, so it is hidden from the screen reader. */
export function icon(name, size = 20, stroke = 3.5) {
  const path = draw("path", {
    d: PATHS[name], fill: "none", stroke: "currentColor",
    "stroke-width": stroke, "stroke-linecap": "round", "stroke-linejoin": "round",
  });
  return draw("svg", { width: size, height: size, viewBox: "0 0 48 48", "aria-hidden": "true" }, path);
}

/** Draw the outline of a level's shape on the 48 grid. */
export function levelShape(level, attributes) {
  return draw("path", { d: SHAPES[level] ?? SHAPES[4], ...attributes });
}

/** Draw the mark of a level: shape and digit; `label` is its word. */
export function levelMark(level, size, label) {
  const grade = SHAPES[level] ? level : 4;
  const shape = levelShape(grade, { fill: grade === 1 ? "var(--p1f)" : `var(--p${grade})` });
  const digit = draw("text", {
    x: 24, y: DIGIT_Y[grade], "font-size": grade === 2 ? 23 : 26, "font-weight": 700,
    "text-anchor": "middle", fill: grade === 1 ? "#fff" : "var(--panel)",
  }, String(grade));
  return draw("svg", { width: size, height: size, viewBox: "0 0 48 48", role: "img", "aria-label": label }, shape, digit);
}

/** Draw the mark of a drill: a dashed box with 演; `label` is its word. */
export function drillMark(size, label) {
  const box = draw("rect", { x: 4, y: 4, width: 40, height: 40, rx: 6, fill: "none", stroke: "var(--dim)", "stroke-width": 3, "stroke-dasharray": "7 5" });
  const sign = draw("text", { x: 24, y: 33, "font-size": 25, "font-weight": 700, "text-anchor": "middle", fill: "var(--text)" }, label.slice(0, 1));
  return draw("svg", { width: size, height: size, viewBox: "0 0 48 48", role: "img", "aria-label": label }, box, sign);
}
