/**
 * The class table: names, seen, semantics, vectors and bias, a row a class. Every edit gives a new table.
 *
 * `origins` tells what a class was called in the file, and null for one that was added here. `byPhotos` tells whether
 * its vector came from photos. Rows are shared between tables and never changed.
 */

const NO_TEXT = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** The table that a model comes with. */
export function tableOf(card, vectors, bias) {
  const count = card.names.length;
  const width = vectors.data.length / count;
  return {
    names: card.names,
    seen: card.seen,
    semantics: card.semantics.map((row) => Float32Array.from(row)),
    vectors: card.names.map((_, i) => vectors.data.slice(i * width, (i + 1) * width)),
    bias: Array.from(bias.data),
    origins: card.names,
    byPhotos: card.names.map(() => false),
  };
}

/** Rows as the models take them: {shape: [C, ...], data}. */
export function stacked(rows, shape) {
  const data = new Float32Array(rows.length * (rows[0]?.length ?? 0));
  rows.forEach((row, i) => data.set(row, i * row.length));
  return { shape: [rows.length, ...shape], data };
}

/** The table and a class by its semantics; its bias is 0, as for any unseen class. */
export async function withSemantics(table, { card, model }, name, semantics) {
  const named = checkedName(table, name);
  return withRow(table, named, semantics, await projected(semantics, card, model), 0, false);
}

/**
 * The table and a class whose vector is the mean embedding of a few photos.
 *
 * @param photos as the model takes them; sizes may differ.
 * @param semantics or null; they also count as the card's `prior_photos` photos.
 */
export async function withPhotos(table, { card, model, shape }, name, photos, semantics = null) {
  const named = checkedName(table, name);
  if (!photos.length) throw new Error("Give at least one photo of the class.");
  const embeddings = [];
  for (const photo of photos) embeddings.push(await model.embed(photo));
  let vector = mean(embeddings);
  if (semantics && card.prior_photos) {
    const prior = await projected(semantics, card, model);
    const count = embeddings.length;
    vector = vector.map((value, i) => (count * value + card.prior_photos * prior[i]) / (count + card.prior_photos));
  }
  const bias = card.photo_level === null ? 0 : card.photo_level - (await ownScore(model, photos, vector, shape));
  return withRow(table, named, semantics ?? new Float32Array(card.columns.length), vector, bias, true);
}

/** The table without a class. */
export function without(table, name) {
  const index = rowOf(table, name);
  if (table.names.length === 1) throw new Error(`“${name}” is the last class: add another one before removing it.`);
  return Object.fromEntries(Object.entries(table).map(([key, rows]) => [key, rows.filter((_, i) => i !== index)]));
}

/** The table with another name for a class. */
export function renamed(table, name, wanted) {
  const index = rowOf(table, name);
  if (wanted.trim() === name) return table;
  return { ...table, names: table.names.with(index, checkedName(table, wanted)) };
}

/** The name that a new class may have, without spaces around it. */
export function checkedName(table, name) {
  const wanted = name.trim();
  if (!wanted) throw new Error("The class has no name: write one.");
  if (NO_TEXT.test(wanted)) throw new Error("The name has a line break or a control character: write it on one line.");
  if (table.names.includes(wanted)) throw new Error(`“${wanted}” is there already: write another name.`);
  return wanted;
}

async function projected(semantics, card, model) {
  const vector = card.project ? (await model.project(stacked([semantics], [semantics.length]))).data : semantics;
  return Float32Array.from(vector);
}

async function ownScore(model, photos, vector, shape) {
  let total = 0;
  for (const photo of photos) total += (await model.scores(photo, stacked([vector], shape), new Float32Array(1)))[0];
  return total / photos.length;
}

function mean(rows) {
  return Float32Array.from(rows[0], (_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);
}

function withRow(table, name, semantics, vector, bias, byPhotos) {
  if (![...vector, ...semantics, bias].every(Number.isFinite)) {
    throw new Error("The model gives no finite numbers for this class: use other attributes or photos.");
  }
  const row = { names: name, seen: false, semantics, vectors: vector, bias, origins: null, byPhotos };
  return Object.fromEntries(Object.entries(table).map(([key, rows]) => [key, [...rows, row[key]]]));
}

function rowOf(table, name) {
  const index = table.names.indexOf(name);
  if (index < 0) throw new Error(`There is no class called “${name}”.`);
  return index;
}
