// The report: the server draws the figures; a period that still runs is drawn again after every alarm that moves.
import { keepFresh, openSheet } from "../../static/sheet.js";

const EVERY_MS = 10000;

const figures = document.getElementById("figures");
const isRunning = figures.dataset.running === "yes";
const fresh = isRunning ? keepFresh("figures", () => figures.dataset.address, EVERY_MS) : { renew() {} };

openSheet(() => fresh.renew());
document.getElementById("print").addEventListener("click", () => window.print());
for (const field of document.querySelectorAll("#tools .field")) {
  field.addEventListener("change", () => field.value !== "" && field.form.requestSubmit());
}
