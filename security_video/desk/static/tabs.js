// A digit opens the page that shows it on its tab.
import { bindKeys } from "./keys.js";

const links = [...document.querySelectorAll("#tabs a[data-digit]")];
bindKeys(Object.fromEntries(links.map((link) => [`Digit${link.dataset.digit}`, () => link.click()])));
