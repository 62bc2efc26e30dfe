/** A slider an attribute, from the least to the greatest value of the classes that the model came with. */

import { range } from "./answers.js";
import { element } from "./element.js";

const FILTERED_FROM = 13;
const STEPS = 100;

const start = document.getElementById("start");
const sliders = document.getElementById("sliders");
const filter = document.getElementById("slider-filter");
const field = filter.querySelector("input");

let rows = []; // to start from, the mean first
let semantics = null; // exact numbers, also of columns without a slider

/** Sliders for a table's classes to start from. */
export function openSliders({ card, named_columns: columns }, table) {
  const told = [...table.names.keys()].filter((i) => table.semantics[i].some((value) => value !== 0));
  rows = [mean(card.semantics, card.columns.length), ...told.map((i) => table.semantics[i])];
  const options = ["the mean of all classes", ...told.map((i) => table.names[i])];
  start.replaceChildren(...options.map((text, value) => element("option", { value }, text)));
  field.value = "";
  filter.hidden = columns.length < FILTERED_FROM;
  sliders.replaceChildren(...columns.map((column) => slider(column, card)));
  begin();
}

/** The numbers as they stand. */
export function semanticsOfSliders() {
  return semantics.slice();
}

start.addEventListener("change", begin);

field.addEventListener("input", () => {
  const wanted = field.value.trim().toLowerCase();
  for (const label of sliders.children) label.hidden = !label.dataset.name.includes(wanted);
});

function begin() {
  semantics = Float32Array.from(rows[start.value]);
  for (const label of sliders.children) show(label, semantics[label.dataset.column]);
}

function slider(column, card) {
  const [least, most] = range(card.semantics, column);
  const step = (most - least || 1) / STEPS;
  const output = element("output");
  const input = element("input", { type: "range", min: least, max: most, step });
  const label = element("label", {}, element("span", {}, card.columns[column]), output, input);
  Object.assign(label.dataset, { column, name: card.columns[column].toLowerCase() });
  input.addEventListener("input", () => {
    semantics[column] = input.valueAsNumber;
    show(label, input.valueAsNumber);
  });
  return label;
}

function show(label, value) {
  label.querySelector("input").value = value;
  label.querySelector("output").textContent = Number(value.toPrecision(3)).toString();
}

function mean(all, width) {
  return Float32Array.from({ length: width }, (_, i) => all.reduce((sum, row) => sum + row[i], 0) / all.length);
}
