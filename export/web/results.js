/** The photos' cards: a picture, the likeliest classes and their attributes. */

import { attributes, isNone, probabilities, ranking } from "./answers.js";
import { element } from "./element.js";

/** What a photo is whose best score is below the threshold. */
export const NONE = "none of these";

const CLASSES = 5;
const ATTRIBUTES = 6;
const LEAST = 0.1; // of an attribute that is worth a line
const NO_ATTRIBUTES = "No attributes: the answer came by photos alone.";

/** An empty card, until the photo's answer is there. */
export function waitingCard(photo, onRemove) {
  const remove = element(
    "button",
    { type: "button", class: "remove", "aria-label": `Remove ${photo.name}`, onclick: onRemove },
    "×",
  );
  const answer = element("div", { class: "answer" }, element("h3", {}, "…"));
  return element("li", { class: "photo", "aria-busy": "true" }, photo.picture, answer, remove);
}

/** Show what the table's classes score for a photo, and return the likeliest one's row: null where it is none. */
export function showAnswer(photo, scores, table, { card: facts, named_columns: columns }) {
  const shares = probabilities(scores, facts.activation);
  const best = ranking(scores, CLASSES);
  const none = isNone(scores, facts.threshold);
  const all = attributes(shares, table.semantics, columns, facts.semantics);
  const traits = all.slice(0, ATTRIBUTES).filter(({ value }) => value >= LEAST);
  const bars = best.map((row) => classBar(table, row, shares[row]));
  const heading = all.length ? "Attributes of the answer" : NO_ATTRIBUTES;
  const answer = photo.shown.querySelector(".answer");
  answer.replaceChildren(
    none ? element("h3", {}, NONE) : element("h3", {}, ...markedName(table, best[0])),
    element("p", { class: "file", title: photo.name }, `${photo.name}, ${Math.round(photo.milliseconds)} ms`),
    element("ol", { class: "bars", "aria-label": "Likeliest classes" }, ...bars),
  );
  if (columns.length) answer.append(element("p", { class: "heading-of-traits" }, heading));
  if (traits.length) answer.append(traitList(traits, facts.columns));
  photo.shown.classList.toggle("none", none);
  photo.shown.setAttribute("aria-busy", "false");
  return none ? null : best[0];
}

/** Say in a card that there is no answer. */
export function showFailure({ shown }) {
  shown.querySelector(".answer").replaceChildren(element("h3", {}, "not classified"));
  shown.setAttribute("aria-busy", "false");
}

/** A class's name, marked where it is unseen. */
function className({ names, seen }, row) {
  const mark = seen[row] ? [] : [element("span", { class: "unseen", "aria-hidden": "true" }, "◆\u00a0")];
  const told = seen[row] ? [] : [element("span", { class: "hidden" }, " (unseen class)")];
  return [...mark, element("bdi", {}, ...atJoints(names[row])), ...told];
}

/** The same, marked where it was added here as well. */
export function markedName(table, row) {
  const fresh = table.origins[row] === null ? [" ", element("span", { class: "new unseen" }, "new")] : [];
  return [...className(table, row), ...fresh];
}

/** A name that wraps after its hyphens and underscores. */
function atJoints(name) {
  return name.split(/(?<=[_/-])/).flatMap((part, i) => (i ? [element("wbr"), part] : [part]));
}

function classBar(table, row, share) {
  const line = element(
    "span",
    { class: "line" },
    element("span", {}, ...className(table, row)),
    element("span", { class: "number" }, percent(share)),
  );
  return element("li", {}, line, bar(share, table.seen[row] ? "seen" : "unseen"));
}

function traitList(traits, columns) {
  const rows = traits.map(({ column, value }) =>
    element(
      "li",
      {},
      element("span", {}, ...atJoints(columns[column])),
      bar(value, ""),
      element("span", { class: "number" }, value.toFixed(2)),
    ),
  );
  return element("ul", { class: "traits", "aria-label": "Attributes, from 0 to 1" }, ...rows);
}

function bar(share, kind) {
  const filled = element("i");
  filled.style.width = `${100 * share}%`;
  return element("span", { class: `bar ${kind}`, "aria-hidden": "true" }, filled);
}

function percent(share) {
  return share > 0 && share < 0.0005 ? "< 0.1%" : `${(100 * share).toFixed(1)}%`;
}
