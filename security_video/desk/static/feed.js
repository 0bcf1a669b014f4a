// The line to the ledger: a snapshot first, then changes in gapless order; silence is never taken for calm.
import { setServerTime } from "./time.js";

const SILENCE_MS = 5000;
const RETRY_MS = [300, 600, 1200, 2500, 5000, 8000];

async function isSignedOut(meUrl) {
  const answer = await fetch(meUrl, { credentials: "same-origin" }).catch(() => null);
  return answer?.status === 401;
}

/**
 * Open the feed at `url` and keep it open; `meUrl` answers 401 to somebody who is signed out. `on` has `snapshot(message)`,
 * `alarm(message)`, `changes(message)`, `notices(message)`, `status(message)`, `selected()` (what the panel shows) and
 * `link({state, since, heard_ms, attempt})` with state "live", "lost" or "signed_out": since when (this
 * browser's clock) and of which moment (the server's) the page shows the last that was heard.
 * Returns `{confirm(ids)}`, which tells the ledger that a person's screen shows these alarms, and `{select(id)}`.
 * Whether the page is to be seen at all is told by itself: a covered page confirms nothing.
 */
export function openFeed(url, meUrl, on) {
  let socket = null;
  let expected = null;
  let attempt = 0;
  let heard = { local_ms: Date.now(), server_ms: null };
  let watchdog = 0;
  let retry = 0;
  let wasOpen = false;

  function send(message) {
    if (socket !== null && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  function tellLooking() {
    send({ t: "looking", is_looking: !document.hidden });
  }

  function watch() {
    clearTimeout(watchdog);
    watchdog = setTimeout(lose, SILENCE_MS);
  }

  function connect() {
    socket = new WebSocket(`${url}?selected=${on.selected() ?? ""}`);
    expected = null;
    wasOpen = false;
    socket.addEventListener("open", () => { wasOpen = true; });
    socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => (event.code === 4401 ? leave() : lose()));
    watch();
  }

  function receive(message) {
    watch();
    setServerTime(message.server_ms);
    heard = { local_ms: Date.now(), server_ms: message.server_ms };
    if (message.t === "snapshot") return restart(message);
    if (expected === null) return undefined;
    if (message.seq !== expected) return resync();
    if (message.t === "beat") return undefined;
    expected += 1;
    return on[message.t]?.(message);
  }

  function restart(message) {
    expected = message.seq + 1;
    attempt = 0;
    tellLooking();
    on.link({ state: "live" });
    on.snapshot(message);
  }

  function resync() {
    expected = null;
    send({ t: "resync" });
  }

  function drop() {
    clearTimeout(watchdog);
    const old = socket;
    socket = null;
    expected = null;
    return old;
  }

  function leave() {
    drop();
    clearTimeout(retry);
    on.link({ state: "signed_out", heard_ms: heard.server_ms });
  }

  function lose() {
    const old = drop();
    if (old === null) return;
    old.close();
    attempt += 1;
    on.link({ state: "lost", since: heard.local_ms, heard_ms: heard.server_ms, attempt });
    // A browser does not tell why a socket was refused: ask plainly whether we are still signed in.
    if (!wasOpen) isSignedOut(meUrl).then((isOut) => { if (isOut) leave(); });
    const base = RETRY_MS[Math.min(attempt - 1, RETRY_MS.length - 1)];
    retry = setTimeout(connect, base * (0.5 + Math.random()));
  }

  document.addEventListener("visibilitychange", tellLooking);
  connect();
  return {
    confirm: (ids) => send(ids.length === 1 ? { t: "rendered", alarm_id: ids[0] } : { t: "rendered", alarm_ids: ids }),
    select: (id) => send({ t: "selected", alarm_id: id ?? "" }),
  };
}
