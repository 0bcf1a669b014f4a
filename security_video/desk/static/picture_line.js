// The WebSocket of camera pictures: messages with a JSON header, reconnects with jitter, the server's clock.
//
// A message is four bytes (length of the header, big-endian), the header as JSON, and the picture. The server's clock
// is estimated from the fastest of the last round trips: half its time is the largest possible error.

const FIRST_RETRY_MS = 300;
const LONGEST_RETRY_MS = 8000;
const PING_MS = 4000;
const FIRST_PINGS = 3;
const KEPT_TRIPS = 12;
const SESSION_ENDED = 4401;
const HEADER_BYTES = 4;

const utf8 = new TextDecoder();

/** Read one message; null for bytes that are none. */
export function readMessage(buffer) {
  if (buffer.byteLength < HEADER_BYTES) return null;
  const length = new DataView(buffer).getUint32(0);
  if (HEADER_BYTES + length > buffer.byteLength) return null;
  try {
    const header = JSON.parse(utf8.decode(new Uint8Array(buffer, HEADER_BYTES, length)));
    return { header, picture: new Uint8Array(buffer, HEADER_BYTES + length) };
  } catch {
    return null;
  }
}

/** The server's wall clock, told from round trips. */
export class ServerClock {
  constructor() {
    this.trips = [];
  }

  /** Take one round trip: sent and heard by this browser's clock, `server_ms` said by the server in between. */
  note(sent_ms, heard_ms, server_ms) {
    this.trips.push({ trip_ms: heard_ms - sent_ms, offset_ms: server_ms - (sent_ms + heard_ms) / 2 });
    if (this.trips.length > KEPT_TRIPS) this.trips.shift();
  }

  get isKnown() {
    return this.trips.length > 0;
  }

  /** The server's time in ms; this browser's own before the first round trip. */
  now() {
    const best = this.trips.reduce((one, other) => (one && one.trip_ms <= other.trip_ms ? one : other), null);
    return performance.timeOrigin + performance.now() + (best ? best.offset_ms : 0);
  }
}

export class PictureLine {
  /** `onMessage(header, picture)`, `onState("connecting" | "open" | "waiting" | "signed_out" | "stopped")`. */
  constructor(url, onMessage, onState) {
    Object.assign(this, { url, onMessage, onState, state: "stopped", broken: 0, delay_ms: 0 });
    this.clock = new ServerClock();
    this.socket = null;
    this.timers = new Set();
  }

  start() {
    if (this.socket === null && this.state !== "waiting") this.connect();
  }

  stop() {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.say("stopped");
  }

  send(wish) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(wish));
  }

  connect() {
    this.say("connecting");
    const address = new URL(this.url, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket === this.socket && this.opened();
    socket.onmessage = (event) => socket === this.socket && this.read(event.data);
    socket.onclose = (event) => socket === this.socket && this.closed(event.code);
    this.socket = socket;
  }

  opened() {
    this.clock = new ServerClock();
    this.say("open");
    for (let count = 0; count < FIRST_PINGS; count += 1) this.later(() => this.ping(), 100 * count);
    this.later(() => this.pingAlways(), PING_MS);
  }

  closed(code) {
    this.socket = null;
    if (code === SESSION_ENDED) return this.say("signed_out");
    this.delay_ms = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS + Math.random() * Math.max(FIRST_RETRY_MS, this.delay_ms * 2));
    this.say("waiting");
    return this.later(() => this.connect(), this.delay_ms);
  }

  read(data) {
    const message = data instanceof ArrayBuffer ? readMessage(data) : null;
    if (message === null) {
      this.broken += 1;
      return;
    }
    this.delay_ms = 0;
    const { header, picture } = message;
    if (header.type === "pong") this.clock.note(header.echo, performance.timeOrigin + performance.now(), header.now_ms);
    else this.onMessage(header, picture);
  }

  ping() {
    this.send({ ping: performance.timeOrigin + performance.now() });
  }

  pingAlways() {
    this.ping();
    if (this.state === "open") this.later(() => this.pingAlways(), PING_MS);
  }

  later(act, delay_ms) {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      act();
    }, delay_ms);
    this.timers.add(timer);
  }

  say(state) {
    if (state === this.state) return;
    this.state = state;
    this.onState(state);
  }
}
