// Keyboard by place (event.code), never while a person writes, never a key that the browser owns.
const WRITES = "input, textarea, select, [contenteditable]";

function isWriting(event) {
  return event.isComposing || event.keyCode === 229 || event.target.closest?.(WRITES) !== null;
}

function isBrowsers(event) {
  return event.ctrlKey || event.altKey || event.metaKey || event.code === "Tab";
}

/**
 * Bind `bindings[code]` for the whole page. Space and Enter on a focused control stay that control's own, except on
 * elements inside `[data-space]`, where Space means the board's step.
 */
export function bindKeys(bindings) {
  document.addEventListener("keydown", (event) => {
    if (isBrowsers(event) || isWriting(event) || event.defaultPrevented) return;
    const act = bindings[event.code];
    if (act === undefined) return;
    const isControl = event.target.closest?.("button, a, summary") !== null;
    if (event.code === "Space" && isControl) return;
    if (event.repeat && !event.code.startsWith("Arrow")) return;
    event.preventDefault();
    act(event);
  });
}
