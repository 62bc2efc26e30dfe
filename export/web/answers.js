/** What scores mean: probabilities, the likeliest classes, none of these, and attributes. */

import { stacked } from "./table.js";

/** The scores of a photo, computed for those classes only that it has not met yet; the first time is measured. */
export async function scoresOf(photo, table, { model, shape }) {
  const missing = table.vectors.filter((vector) => !photo.similarities.has(vector));
  if (missing.length) {
    const begun = performance.now();
    const found = await model.scores(photo.pixels, stacked(missing, shape), new Float32Array(missing.length));
    photo.milliseconds ??= performance.now() - begun;
    missing.forEach((vector, i) => photo.similarities.set(vector, found[i]));
  }
  return table.vectors.map((vector, i) => photo.similarities.get(vector) + table.bias[i]);
}

/** From scores to probabilities: softmax or sigmoid. */
export function probabilities(scores, activation) {
  if (activation === "sigmoid") return scores.map((score) => 1 / (1 + Math.exp(-score)));
  const best = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  const raised = scores.map((score) => Math.exp(score - best));
  const total = raised.reduce((sum, value) => sum + value, 0);
  return raised.map((value) => value / total);
}

/** Rows of the likeliest classes, best first; the scores decide where probabilities are equal in all digits. */
export function ranking(scores, count) {
  return [...scores.keys()].sort((one, other) => scores[other] - scores[one]).slice(0, count);
}

/** Whether a photo is none of the classes. */
export function isNone(scores, threshold) {
  return threshold !== null && scores.every((score) => score < threshold);
}

/** The least and the greatest value of a column of semantics over the classes that the model came with. */
export function range(rows, column) {
  const values = rows.map((row) => row[column]);
  return values.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Infinity, -Infinity],
  );
}

/**
 * The classes' attributes weighted by their probabilities, 0 to 1 over the built-in classes' range.
 *
 * Classes that came by photos alone have no attributes and take no part.
 *
 * @param columns which ones: those with names that say something.
 * @param builtIn rows of semantics that tell the range.
 * @returns [{column, value}], greatest first; none where classes without attributes are the likelier ones.
 */
export function attributes(shares, semantics, columns, builtIn) {
  const told = semantics.map((row) => row.some((value) => value !== 0));
  const all = shares.reduce((sum, share) => sum + share, 0);
  const known = shares.reduce((sum, share, i) => sum + (told[i] ? share : 0), 0);
  if (known < all / 2 || known === 0) return [];
  const found = columns.flatMap((column) => {
    const [least, most] = range(builtIn, column);
    if (!(most > least)) return [];
    const sum = shares.reduce((part, share, i) => part + (told[i] ? share * semantics[i][column] : 0), 0);
    return [{ column, value: Math.min(1, Math.max(0, (sum / known - least) / (most - least))) }];
  });
  return found.sort((one, other) => other.value - one.value);
}
