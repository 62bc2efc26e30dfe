/** The dialog in which a class is described: by attributes, by photos, by both, or by a sentence. */

import { openCamera } from "./camera.js";
import { element } from "./element.js";
import { copied, decode } from "./photo.js";
import { openSliders, semanticsOfSliders } from "./sliders.js";
import { checkedName, withPhotos, withSemantics } from "./table.js";

const dialog = document.getElementById("adding");
const nameField = document.getElementById("name");
const ways = document.getElementById("ways");
const examples = document.getElementById("examples");
const sentence = document.getElementById("sentence");
const refusal = document.getElementById("refusal");
const confirm = document.getElementById("confirm");
const panels = Object.fromEntries(
  ["photos", "sentence", "attributes"].map((panel) => [panel, document.getElementById(`by-${panel}`)]),
);

const WAYS = {
  attributes: { label: "attributes", panels: ["attributes"] },
  photos: { label: "photos", panels: ["photos"] },
  both: { label: "photos and attributes", panels: ["photos", "attributes"] },
  sentence: { label: "a sentence", panels: ["sentence"] },
};

let context = null; // {description, card, model, shape}
let table = null;
let photos = [];
let onAdded = null;

/** The ways in which this model takes a new class. */
export function openWays({ card, named_columns: columns, runtime }, model) {
  const semantics = card.opens_by.includes("semantics");
  const byPhotos = card.opens_by.includes("photos");
  return [
    ...(semantics && columns.length ? ["attributes"] : []),
    ...(byPhotos ? ["photos"] : []),
    ...(semantics && byPhotos && columns.length && card.prior_photos ? ["both"] : []),
    ...(semantics && runtime === "server" && model.sentence ? ["sentence"] : []),
  ];
}

/** Prepare the dialog for a model. */
export function prepare(given) {
  context = given;
  const open = openWays(given.description, given.model);
  const choices = open.map((way, i) => {
    const radio = element("input", { type: "radio", name: "way", value: way, checked: i === 0, onchange: showPanels });
    return element("label", {}, radio, WAYS[way].label);
  });
  ways.append(...choices);
  ways.hidden = open.length < 2;
  return open;
}

/** Show the dialog; `added` gets the table with the new class, and its name. */
export function openDialog(current, added) {
  table = current;
  onAdded = added;
  photos = [];
  nameField.value = sentence.value = refusal.textContent = "";
  showExamples();
  openSliders(context.description, table);
  showPanels();
  dialog.showModal();
  nameField.focus();
}

/** Take dropped files as photos of the class. */
export async function dropOn(files) {
  if (panels.photos.hidden) refusal.textContent = "The photos are not taken: describe the class by photos for that.";
  else await addExamples(files);
}

examples.addEventListener("change", async () => {
  await addExamples([...examples.files]);
  examples.value = "";
});

document
  .getElementById("examples-camera")
  .addEventListener("click", () => attempt(() => openCamera((file) => addExamples([file]))));
document.getElementById("cancel").addEventListener("click", () => dialog.close());

dialog.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    confirm.disabled = true;
    try {
      const name = checkedName(table, nameField.value);
      const edited = await withClass(name);
      if (!dialog.open) return; // left while the model was computing
      dialog.close();
      onAdded(edited, name);
    } finally {
      confirm.disabled = false;
    }
  });
});

async function withClass(name) {
  const pixels = photos.map((photo) => photo.pixels);
  switch (chosen()) {
    case "attributes":
      return withSemantics(table, context, name, semanticsOfSliders());
    case "photos":
      return withPhotos(table, context, name, pixels);
    case "both":
      return withPhotos(table, context, name, pixels, semanticsOfSliders());
    default: {
      if (!sentence.value.trim()) throw new Error("The sentence is empty: write what the class looks like.");
      return withSemantics(table, context, name, await context.model.sentence(sentence.value.trim()));
    }
  }
}

function chosen() {
  return ways.querySelector("input:checked").value;
}

function showPanels() {
  const shown = WAYS[chosen()].panels;
  for (const [name, panel] of Object.entries(panels)) panel.hidden = !shown.includes(name);
  refusal.textContent = "";
}

async function addExamples(files) {
  const decoded = await Promise.allSettled(files.map((file) => decode(file, context.description)));
  photos.push(...decoded.filter(({ value }) => value).map(({ value }) => value));
  refusal.textContent = decoded
    .filter(({ reason }) => reason)
    .map(({ reason }) => reason.message)
    .join(" ");
  showExamples();
}

function showExamples() {
  const shown = photos.map((photo) => {
    const drop = () => {
      photos = photos.filter((other) => other !== photo);
      showExamples();
      examples.focus();
    };
    const remove = element(
      "button",
      { type: "button", class: "remove", "aria-label": `Remove ${photo.name}`, onclick: drop },
      "×",
    );
    return element("li", {}, copied(photo.picture), remove);
  });
  document.getElementById("example-list").replaceChildren(...shown);
}

async function attempt(action) {
  refusal.textContent = "";
  try {
    await action();
  } catch (error) {
    refusal.textContent = error.message;
  }
}
