// The bell, synthesised: two struck tones, again every 2.5 s while a level 1 alarm waits for a person.
const AGAIN_MS = 2500;

let context = null;
let ringing = 0;
let onState = () => {};

function strike(frequency, start, loudness) {
  const tone = context.createOscillator();
  const overtone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = frequency;
  overtone.frequency.value = frequency * 2.76;
  volume.gain.setValueAtTime(0.0001, start);
  volume.gain.exponentialRampToValueAtTime(loudness, start + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.9);
  tone.connect(volume);
  overtone.connect(volume);
  volume.connect(context.destination);
  for (const source of [tone, overtone]) {
    source.start(start);
    source.stop(start + 1);
  }
}

/** Report the truth about sound to `listener(isOn)` and open it at the first gesture: a browser asks for one. */
export function prepareBell(listener) {
  onState = listener;
  context = new AudioContext();
  context.addEventListener("statechange", () => onState(context.state === "running"));
  for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, openSound, { capture: true });
  onState(context.state === "running");
}

/** Ask the browser for sound; the listener hears whether it came. */
export async function openSound() {
  if (context.state !== "running") await context.resume();
}

/** Sound one quiet tone, for levels 2 to 4. */
export function chime() {
  if (context.state === "running") strike(660, context.currentTime, 0.15);
}

function ring() {
  if (context.state !== "running") return;
  strike(988, context.currentTime, 0.5);
  strike(784, context.currentTime + 0.35, 0.5);
}

/** Keep ringing, or stop: the level 1 bell has no mute. */
export function setRinging(isWanted) {
  if (isWanted === (ringing !== 0)) return;
  clearInterval(ringing);
  ringing = 0;
  if (!isWanted) return;
  ring();
  ringing = setInterval(ring, AGAIN_MS);
}
