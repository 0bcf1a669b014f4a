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
 *     onConnection: (state) => {},        // "connecting" | "open" | "waiting" (until the next attempt) | "stopped"
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
 * "offline" is the wall's own word: this browser hears nothing from the server, whatever the camera does.
 * The canvas carries nothing but the camera's picture, so a test may read the pattern's bits from its pixels.
 *
 * Other roads: GET /cameras.json (list with health), GET /snapshot/<camera>.jpg (newest picture).
 */

export class TileWall {}
