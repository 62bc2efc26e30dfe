/** Messages at the page's foot: what was done, which fades, and what went wrong, which stays until it is dismissed. */

import { element } from "./element.js";

const SHOWN = 8000; // milliseconds

const status = document.getElementById("status");
const warning = document.getElementById("warning");
let timer = 0;

/** Tell what was done. */
export function say(text) {
  clearTimeout(timer);
  status.textContent = text;
  timer = setTimeout(() => status.replaceChildren(), SHOWN);
}

/** Tell what went wrong, after what else went wrong in the same action. */
export function warn(text) {
  const told = warning.querySelector("span")?.textContent;
  const dismiss = element("button", { type: "button", onclick: forget }, "Dismiss");
  warning.replaceChildren(element("span", {}, told && told !== text ? `${told} ${text}` : text), dismiss);
}

/** Take warnings away: another action begins. */
export function forget() {
  warning.replaceChildren();
}
