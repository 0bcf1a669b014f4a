// The community's plan as SVG: shapes of the registry in metres, cameras with their cones, the alarmed house.
import { draw } from "../../static/dom.js";
import { levelShape } from "../../static/icons.js";
import { say } from "../../static/words.js";
import { isHot } from "./alarm.js";

const TEXT_PX = 14;
const SOLID = new Set(["building", "block", "shop"]);
const ORDER = ["water", "green", "road", "block", "building", "shop", "label"];
const RADII = { green: 8, block: 4, building: 4, shop: 4 };

/** Estimate the width of `text` in px: a Chinese sign is square, a Latin one about half as wide. */
const widthOf = (text, size) => [...text].reduce((sum, sign) => sum + (sign.codePointAt(0) > 0x2e80 ? size : size * 0.56), 0);

function coneOf(camera, metre_px) {
  const radians = (degrees) => ((degrees - 90) * Math.PI) / 180;
  const { x, y } = camera.place;
  const range = Math.min(camera.range_m, 90 / metre_px);
  const at = (degrees) => `${(x + range * Math.cos(radians(degrees))).toFixed(1)} ${(y + range * Math.sin(radians(degrees))).toFixed(1)}`;
  const half = Math.min(camera.view_deg, 359) / 2;
  const isWide = camera.view_deg > 180 ? 1 : 0;
  return `M${x} ${y}L${at(camera.heading_deg - half)}A${range} ${range} 0 ${isWide} 1 ${at(camera.heading_deg + half)}Z`;
}

/**
 * Make the plan inside `svg`. `onCamera(camera_id)` hears which camera was chosen. Call `show(alarm, detail)` for the
 * alarmed house and its cameras, `show(null, null)` for none.
 */
export function makePlan(svg, community, onCamera) {
  const [width, height] = community.plan.size ?? [100, 60];
  const shapes = [...(community.plan.shapes ?? [])].sort((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind));
  let shown = { alarm: null, detail: null };
  let metre_px = 1;

  const px = (pixels) => pixels / metre_px;
  const text = (x, y, words, attributes = {}) => draw("text", { x, y, "font-size": px(TEXT_PX), ...attributes }, words);

  /** Let roads and water that reach the plan's edge run on to the edge of the picture. */
  function reaching(shape, view) {
    if (shape.kind !== "road" && shape.kind !== "water") return shape;
    const left = shape.x <= 1 ? view.x : shape.x;
    const top = shape.y <= 1 ? view.y : shape.y;
    const right = shape.x + shape.w >= width - 1 ? view.x + view.w : shape.x + shape.w;
    const bottom = shape.y + shape.h >= height - 2 ? view.y + view.h : shape.y + shape.h;
    return { ...shape, x: left, y: top, w: right - left, h: bottom - top };
  }

  function drawShape(shape, view, place) {
    const isStruck = place !== null && SOLID.has(shape.kind) && place.x >= shape.x && place.x <= shape.x + shape.w
      && place.y >= shape.y && place.y <= shape.y + shape.h;
    const drawn = reaching(shape, view);
    const box = shape.kind === "label" ? null : draw("rect", {
      class: isStruck ? `${shape.kind} struck${isHot(shown.alarm) ? " waiting" : ""}` : shape.kind,
      x: drawn.x, y: drawn.y, width: drawn.w, height: drawn.h,
      rx: px(RADII[shape.kind] ?? 0), "stroke-width": px(isStruck ? 2.5 : 1.5),
    }, draw("title", {}, shape.name ?? ""));
    const fits = shape.kind === "label" || widthOf(shape.name ?? "", px(TEXT_PX)) < shape.w - px(6);
    return { box, name: shape.name && fits && !isStruck ? drawName(shape) : null };
  }

  /** Write a name in the middle of its shape; a label steps aside for a camera and is left out under the legend. */
  function drawName(shape) {
    const x = shape.x + shape.w / 2;
    let y = shape.y + shape.h / 2 + px(5);
    if (shape.kind === "label") {
      const isNear = community.cameras.some(({ place }) => place !== null && Math.abs(place.x - x) < px(30) && Math.abs(place.y - y) < px(18));
      if (isNear) y -= px(20);
      if (shown.alarm !== null && x < px(330) && y > height - px(70)) return null;
    }
    return text(x, y, shape.name);
  }

  function drawCamera(camera, hot) {
    const { x, y } = camera.place;
    const group = draw("g", { class: hot ? "hot" : "" },
      draw("path", { class: "cone", d: coneOf(camera, metre_px) }),
      hot ? draw("circle", { class: "halo", cx: x, cy: y, r: px(10), "stroke-width": px(2.5) }) : null,
      draw("circle", { class: "eye", cx: x, cy: y, r: px(hot ? 6 : 5.5), click: () => onCamera(camera.camera_id) },
        draw("title", {}, camera.name)));
    return group;
  }

  function drawAlarm(alarm, place) {
    const { x, y } = place;
    const isAlert = isHot(alarm);
    const lines = [alarm.address, alarm.resident].filter(Boolean);
    const wide = Math.max(...lines.map((line) => widthOf(line, px(15)))) + px(24);
    const left = x + px(24) + wide > width ? x - px(24) - wide : x + px(24);
    const tall = px(lines.length > 1 ? 50 : 30);
    return [
      [27, 40].map((radius) => draw("circle", { class: isAlert ? "ring waiting" : "ring", cx: x, cy: y, r: px(radius), "stroke-width": px(2.5) })),
      draw("g", { transform: `translate(${x - px(17)} ${y - px(17)}) scale(${px(34) / 48})` },
        levelShape(alarm.level, { class: isAlert ? "level" : "calm-level" })),
      text(x, y + px(6), String(alarm.level), { "font-size": px(18), "font-weight": 700, class: "flag-text", "text-anchor": "middle", style: null }),
      draw("rect", { class: isAlert ? "flag" : "calm-flag", x: left, y: y - tall / 2, width: wide, height: tall, rx: px(8) }),
      lines.map((line, index) => text(left + px(12), y - tall / 2 + px(21 + index * 20), line, {
        class: isAlert ? "flag-text" : "calm-text", "font-size": px(index === 0 ? 15 : 14), "font-weight": index === 0 ? 600 : 400,
      })),
    ];
  }

  function drawLegend(view) {
    const entries = [["alarm", say("plan.alarm")], ["hot", say("plan.linked")], ["eye", say("plan.camera")]];
    let x = view.x + px(28);
    const y = view.y + view.h - px(28);
    const parts = [];
    for (const [kind, words] of entries) {
      if (kind === "alarm") parts.push(draw("circle", { class: "flag", cx: x, cy: y, r: px(6) }));
      else parts.push(draw("g", { class: kind === "hot" ? "hot" : "" },
        kind === "hot" ? draw("circle", { class: "halo", cx: x, cy: y, r: px(8), "stroke-width": px(2) }) : null,
        draw("circle", { class: "eye", cx: x, cy: y, r: px(kind === "hot" ? 4 : 5) })));
      parts.push(text(x + px(14), y + px(5), words, { class: "key" }));
      x += widthOf(words, px(TEXT_PX)) + px(36);
    }
    return [draw("rect", { class: "legend", x: view.x + px(12), y: y - px(16), width: x - view.x - px(24), height: px(32), rx: px(7), "stroke-width": px(1) }), parts];
  }

  function drawScale(view) {
    const metres = [10, 20, 50, 100, 200, 500].find((step) => step * metre_px >= 50) ?? 1000;
    const right = view.x + view.w - px(56);
    const y = view.y + view.h - px(20);
    return [
      draw("path", { class: "scale", d: `M${right - metres} ${y}h${metres}m0 ${-px(6)}v${px(12)}m${-metres} ${-px(12)}v${px(12)}`, "stroke-width": px(2) }),
      text(right - metres / 2, y - px(9), say("plan.metres", { n: metres })),
      draw("path", { class: "north", transform: `translate(${view.x + view.w - px(26)} ${y - px(18)}) scale(${px(1)})`, d: "M0 -14 8 10 0 4 -8 10Z" }),
      text(view.x + view.w - px(26), y + px(8), say("plan.north")),
    ];
  }

  function redraw() {
    const box = svg.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) return;
    metre_px = Math.min(box.width / width, box.height / height);
    const view = { w: box.width / metre_px, h: box.height / metre_px };
    view.x = (width - view.w) / 2;
    view.y = (height - view.h) / 2;
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
    const { alarm, detail } = shown;
    const place = detail?.place ?? null;
    const linked = new Set((detail?.cameras ?? []).map((camera) => camera.camera_id));
    const placed = community.cameras.filter((camera) => camera.place !== null);
    const cool = placed.filter((camera) => !linked.has(camera.camera_id));
    const hot = placed.filter((camera) => linked.has(camera.camera_id));
    const ground = shapes.map((shape) => drawShape(shape, view, alarm === null ? null : place));
    svg.replaceChildren(...[
      ground.map(({ box }) => box),
      cool.map((camera) => drawCamera(camera, false)),
      hot.map((camera) => drawCamera(camera, alarm !== null && isHot(alarm))),
      ground.map(({ name }) => name),
      drawScale(view),
      alarm !== null ? drawLegend(view) : null,
      alarm !== null && place !== null ? drawAlarm(alarm, place) : null,
    ].flat(Infinity).filter(Boolean));
  }

  new ResizeObserver(redraw).observe(svg);
  return {
    show(alarm, detail) {
      shown = { alarm, detail };
      redraw();
    },
  };
}
