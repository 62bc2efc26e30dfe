/** What `zsltf classes ARTIFACT apply` reads: how a table came from the file's. */

/** The edits that lead from the names of the file to this table. */
export function edits(fileNames, columns, table) {
  const kept = table.origins.filter((origin) => origin !== null);
  const changed = [...table.names.keys()].filter(
    (i) => table.origins[i] !== null && table.origins[i] !== table.names[i],
  );
  const added = [...table.names.keys()].filter((i) => table.origins[i] === null);
  return {
    of: fileNames,
    remove: fileNames.filter((name) => !kept.includes(name)),
    rename: Object.fromEntries(changed.map((i) => [table.origins[i], table.names[i]])),
    add: added.map((i) => addition(table, i, columns)),
  };
}

/** Whether there is anything to write. */
export function isEdited({ remove, rename, add }) {
  return remove.length + Object.keys(rename).length + add.length > 0;
}

function addition(table, i, columns) {
  const row = table.semantics[i];
  const semantics = Object.fromEntries(columns.map((column, k) => [column, row[k]]));
  const told = row.some((value) => value !== 0);
  if (!table.byPhotos[i]) return { name: table.names[i], semantics };
  const photos = { name: table.names[i], vector: Array.from(table.vectors[i]), bias: Math.fround(table.bias[i]) };
  return told ? { ...photos, semantics } : photos;
}
