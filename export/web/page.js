/** The page: photos on one side, the class table on the other, and the answers that follow from both. */

import { dropOn, openDialog, prepare } from "./add_class.js";
import { scoresOf } from "./answers.js";
import { openCamera } from "./camera.js";
import { showTable } from "./class_list.js";
import { edits, isEdited } from "./edits.js";
import { element } from "./element.js";
import { showModel, showModels } from "./header.js";
import { forget, say, warn } from "./messages.js";
import { describe, open } from "./model.js";
import { decode } from "./photo.js";
import { NONE, showAnswer, showFailure, waitingCard } from "./results.js";
import { renamed, tableOf, without } from "./table.js";

const MOST_PHOTOS = 200;

const results = document.getElementById("results");
const [files, add, undo, download, clear, adding] = ["files", "add", "undo", "download", "clear", "adding"].map((id) =>
  document.getElementById(id),
);

let description = null;
let context = null; // {description, card, model, shape}
let table = null;
let history = [];
let photos = []; // with `shown`, their cards, and `top`, the likeliest class vector
let cleared = 0; // how often all photos were removed, also those still to be read
let pass = Promise.resolve();

start().catch((error) => {
  const failure = document.getElementById("failure");
  failure.hidden = false;
  failure.textContent = error.message;
  document.getElementById("lead").textContent = "The page can't be used.";
});

async function start() {
  const address = new URL("model/model.json", document.baseURI);
  address.search = location.search;
  description = await describe(address);
  const model = await open(description, address);
  const { card, vectors, bias } = description;
  context = { description, card, model, shape: vectors.shape.slice(1) };
  table = tableOf(card, vectors, bias);
  showModel(description, prepare(context));
  if (description.runtime === "server") await showModels(address, description.name);
  showEdits();
}

function change(edited, told) {
  history.push(table);
  table = edited;
  showEdits();
  return answerAll(told);
}

function showEdits() {
  showTable(table, { rename, remove });
  const edited = isEdited(edits(description.card.names, description.card.columns, table));
  undo.disabled = !history.length;
  download.disabled = !edited;
  document.getElementById("apply").hidden = !edited;
}

function rename(name, wanted) {
  return attempt(() => {
    const edited = renamed(table, name, wanted);
    if (edited === table) showTable(table, { rename, remove });
    else change(edited, `“${name}” is now “${wanted.trim()}”.`);
  });
}

function remove(name) {
  return attempt(() => change(without(table, name), `Removed “${name}”.`));
}

function takeBack() {
  if (!history.length) return;
  const focused = document.activeElement === undo;
  table = history.pop();
  showEdits();
  if (focused && undo.disabled) add.focus();
  answerAll("Undone.");
}

/** Answer every photo by the table as it stands, one pass after another, and say how answers changed. */
function answerAll(told) {
  pass = pass.then(async () => {
    let changed = 0;
    for (const photo of photos) {
      const before = photo.top;
      if ((await answer(photo)) && before !== undefined && before !== photo.top) changed += 1;
    }
    const effect = changed
      ? `The top class of ${changed} of ${photos.length} photos changed.`
      : "No photo's top class changed.";
    if (told) say(photos.length ? `${told} ${effect}` : told);
  });
  return pass;
}

async function answer(photo) {
  try {
    let scores = [];
    let current = null;
    while (current !== table) {
      current = table; // which may be edited meanwhile
      scores = await scoresOf(photo, current, context);
    }
    const row = showAnswer(photo, scores, current, description);
    photo.top = row === null ? null : current.vectors[row];
    photo.answer = row === null ? NONE : current.names[row];
    return true;
  } catch (error) {
    showFailure(photo);
    warn(`${photo.name} can't be classified: ${error.message}`);
    return false;
  }
}

async function addPhotos(chosen) {
  forget();
  const answered = [];
  const begun = cleared;
  for (const file of chosen) {
    if (photos.length === MOST_PHOTOS) {
      warn(`The page holds ${MOST_PHOTOS} photos: remove some before adding others.`);
      break;
    }
    try {
      const photo = await decode(file, description);
      if (cleared !== begun) return;
      photo.shown = waitingCard(photo, () => removePhoto(photo));
      photos.push(photo);
      results.append(photo.shown);
      showPhotos();
      pass = pass.then(() => answer(photo));
      if ((await pass) && photos.includes(photo)) answered.push(photo);
      if (cleared !== begun) return;
    } catch (error) {
      warn(error.message);
    }
  }
  const [first, ...others] = answered;
  if (others.length) say(`${answered.length} photos classified.`);
  else if (first) say(`${first.name}: ${first.answer}.`);
}

function removePhoto(photo) {
  const next = photo.shown.nextElementSibling ?? photo.shown.previousElementSibling;
  photos = photos.filter((other) => other !== photo);
  photo.shown.remove();
  showPhotos();
  (next?.querySelector("button") ?? files).focus();
}

function showPhotos() {
  clear.hidden = !photos.length;
  document.getElementById("reading").hidden = !photos.length;
}

function attempt(action) {
  forget();
  try {
    action();
    return true;
  } catch (error) {
    warn(error.message);
    return false;
  }
}

files.addEventListener("change", async () => {
  const chosen = [...files.files];
  files.value = "";
  await addPhotos(chosen);
});

document
  .getElementById("use-camera")
  .addEventListener("click", () => openCamera((file) => addPhotos([file])).catch((error) => warn(error.message)));

clear.addEventListener("click", () => {
  photos = [];
  cleared += 1;
  results.replaceChildren();
  showPhotos();
  files.focus();
});

add.addEventListener("click", () => openDialog(table, (edited, name) => change(edited, `Added “${name}”.`)));
undo.addEventListener("click", takeBack);

download.addEventListener("click", () => {
  const content = JSON.stringify(edits(description.card.names, description.card.columns, table), null, 1);
  const href = URL.createObjectURL(new Blob([content], { type: "application/json" }));
  element("a", { href, download: "classes.json" }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
  say("classes.json is downloaded.");
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, dialog");
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z" && !typing) {
    event.preventDefault();
    takeBack();
  }
});

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  const dropped = [...event.dataTransfer.files];
  if (context && dropped.length) adding.open ? dropOn(dropped) : addPhotos(dropped);
});
