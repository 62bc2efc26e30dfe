/** The class table as a list, in which classes are renamed and removed. */

import { element } from "./element.js";
import { markedName } from "./results.js";

const FILTERED_FROM = 13;

const list = document.getElementById("table");
const filter = document.getElementById("filter");
const field = filter.querySelector("input");
const count = document.getElementById("count");

/**
 * Show a table.
 *
 * @param actions rename(name, wanted) and remove(name), which return whether they did it.
 */
export function showTable(table, actions) {
  const unseen = table.seen.filter((seen) => !seen).length;
  count.textContent = `${table.names.length}${unseen ? `, ${unseen} unseen` : ""}`;
  filter.hidden = table.names.length < FILTERED_FROM;
  const grown = table.names.length > list.children.length;
  const newestFirst = [...table.names.keys()].sort((one, other) => isNew(table, other) - isNew(table, one));
  list.replaceChildren(...newestFirst.map((row) => item(table, row, actions)));
  if (grown) field.value = ""; // what came is not hidden
  applyFilter();
  if (grown) list.scrollTop = 0;
}

field.addEventListener("input", applyFilter);

function applyFilter() {
  const wanted = filter.hidden ? "" : field.value.trim().toLowerCase();
  for (const row of list.children) row.hidden = !row.dataset.name.toLowerCase().includes(wanted);
}

function isNew(table, row) {
  return Number(table.origins[row] === null);
}

function item(table, row, actions) {
  const name = table.names[row];
  const rename = element(
    "button",
    { type: "button", class: "sign", title: "Rename", "aria-label": `Rename ${name}` },
    "✎",
  );
  const remove = element(
    "button",
    { type: "button", class: "sign", title: "Remove", "aria-label": `Remove ${name}` },
    "×",
  );
  const shown = element("li", {}, element("span", { class: "name" }, ...markedName(table, row)), rename, remove);
  shown.dataset.name = name;
  rename.onclick = () => openForm(name, shown, actions);
  remove.onclick = () => {
    const next = neighbour(shown);
    if (actions.remove(name)) focusOn(next?.dataset.name, "Remove");
  };
  return shown;
}

/** A field in the place of the name: Enter saves, Escape leaves it. */
function openForm(name, shown, actions) {
  const before = [...shown.childNodes];
  const input = element("input", { type: "text", value: name, maxLength: 200, "aria-label": `New name of ${name}` });
  const close = () => {
    shown.replaceChildren(...before);
    focusOn(name, "Rename");
  };
  const cancel = element("button", { type: "button", onclick: close }, "Cancel");
  const form = element("form", {}, input, element("button", { type: "submit", class: "main" }, "Save"), cancel);
  form.onsubmit = (event) => {
    event.preventDefault();
    if (actions.rename(name, input.value)) focusOn(input.value.trim(), "Rename");
    else input.focus();
  };
  form.onkeydown = (event) => {
    if (event.key === "Escape") close();
  };
  shown.replaceChildren(form);
  input.select();
}

/** The row that takes a row's place for the eye: the next one shown, or the one before. */
function neighbour(row) {
  const rows = [...list.children];
  const place = rows.indexOf(row);
  return [...rows.slice(place + 1), ...rows.slice(0, place).reverse()].find((other) => !other.hidden);
}

/** Focus a button of a row, or the filter that hides it. */
function focusOn(name, action) {
  const row = [...list.children].find((item) => item.dataset.name === name);
  if (!row || row.hidden) return field.focus();
  [...row.querySelectorAll("button")].find((button) => button.title === action)?.focus();
}
