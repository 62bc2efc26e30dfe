/** What the page says of its model: its name, its classes, where photos go, and how it takes new classes. */

import { element } from "./element.js";
import { readJson } from "./model.js";

/** Fill in the texts and show the page. */
export function showModel({ name, runtime, card, named_columns: columns }, ways) {
  const shown = (id, is) => {
    document.getElementById(id).hidden = !is;
  };
  document.title = document.getElementById("title").textContent = name;
  document.getElementById("lead").textContent = `${classes(card)}. ${place(runtime)}`;
  document.getElementById("about-bars").textContent =
    card.activation === "softmax"
      ? "Probabilities of the likeliest classes; those of all classes add up to 100%."
      : "Probabilities of the likeliest classes, each by itself: a photo may show several.";
  document.getElementById("door").textContent = ways.length
    ? ""
    : "This model takes no new classes: its method would have to be trained again. Classes can be renamed and removed.";
  shown("door", !ways.length);
  shown("add", ways.length);
  shown("about-none", card.threshold !== null);
  shown("about-attributes", columns.length);
  shown("main", true);
}

/** A choice of the server's models, where there are several. */
export async function showModels(address, name) {
  const names = await readJson(new URL("models.json", address));
  if (names.length < 2) return;
  const box = document.getElementById("models");
  const select = box.querySelector("select");
  select.replaceChildren(...names.map((value) => element("option", { value, selected: value === name }, value)));
  select.addEventListener("change", () => location.assign(`?${new URLSearchParams({ model: select.value })}`));
  box.hidden = false;
}

function classes(card) {
  const unseen = card.seen.filter((seen) => !seen).length;
  const counted = `${card.names.length} ${card.names.length === 1 ? "class" : "classes"}`;
  return unseen ? `${counted}, ${unseen} of them without a training photo` : counted;
}

function place(runtime) {
  if (runtime === "server") return "Photos are sent to the server of this page.";
  const by = { "onnxruntime-web": "ONNX Runtime", litert: "LiteRT" }[runtime];
  return `The model runs in this browser by ${by}: photos stay on this device.`;
}
