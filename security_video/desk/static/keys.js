// Keyboard by place (event.code), never while a person writes, never a key that the browser owns.
const WRITES = "input, textarea, select, [contenteditable]";

function isWriting(event) {
  return event.isComposing || event.keyCode === 229 || event.target.closest?.(WRITES) !== null;
}

function isBrowsers(event) {
  return event.ctrlKey || event.altKey || event.metaKey || event.code === "Tab";
}

/**
 * Press a focused button at keydown: a browser does it at keyup, and a button that was drawn anew in between is not
 * pressed at all. Tells whether there was one.
 */
function pressAtOnce(event) {
  const button = event.target.closest?.("[data-space] button");
  if (button === null || button === undefined) return false;
  event.preventDefault();
  if (!event.repeat) button.click();
  return true;
}

/**
 * Bind `bindings[code]` for the whole page. Space and Enter on a focused control stay that control's own; inside
 * `[data-space]` Space presses it at once.
 */
export function bindKeys(bindings) {
  document.addEventListener("keydown", (event) => {
    if (isBrowsers(event) || isWriting(event) || event.defaultPrevented) return;
    const act = bindings[event.code];
    if (act === undefined) return;
    const isControl = event.target.closest?.("button, a, summary") !== null;
    if (event.code === "Space" && isControl) {
      pressAtOnce(event);
      return;
    }
    if (event.repeat && !event.code.startsWith("Arrow")) return;
    event.preventDefault();
    act(event);
  });
  document.addEventListener("keyup", (event) => {
    if (event.code === "Space" && event.target.closest?.("[data-space] button")) event.preventDefault();
  });
}
