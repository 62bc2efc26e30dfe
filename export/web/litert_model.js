/** .tflite files in this browser, by LiteRT.js, which takes inputs of fixed shapes: one photo, one class. */

import { readBytes } from "./model.js";

/** Load the runtime and the graphs. `runtime_files.wasm` is the folder of its .wasm and their loaders. */
export async function open({ files, runtime_files, card }, address) {
  const litert = await import(new URL(runtime_files.module, address));
  await litert.loadLiteRt(new URL(runtime_files.wasm, address).href);
  const network = await start(litert, files.network, address);
  const comparison = await start(litert, files.compare, address);
  const projection = files.project ? await start(litert, files.project, address) : null;
  const embeddings = new WeakMap();

  async function embed(photo) {
    if (!embeddings.has(photo)) {
      const { data, height, width } = photo;
      const found = await run(litert, network, { images: [data, [1, height, width, 3]] });
      embeddings.set(photo, found.embedding);
    }
    return embeddings.get(photo);
  }

  return {
    embed,
    async scores(photo, { shape, data }, bias) {
      const embedding = await embed(photo);
      const given = shapesOf(comparison);
      const width = data.length / shape[0];
      const scores = new Float32Array(shape[0]);
      for (let i = 0; i < scores.length; i++) {
        const found = await run(litert, comparison, {
          embedding: [embedding, given.embedding],
          class_vectors: [data.slice(i * width, (i + 1) * width), given.class_vectors],
          class_bias: [bias.slice(i, i + 1), given.class_bias],
        });
        scores[i] = found.scores[0];
      }
      return scores;
    },
    async project({ shape, data }) {
      if (!card.project) return { shape, data };
      const width = shape[1];
      const rows = [];
      for (let i = 0; i < shape[0]; i++) {
        const row = data.slice(i * width, (i + 1) * width);
        rows.push((await run(litert, projection, { semantics: [row, [1, width]] })).class_vectors);
      }
      const all = new Float32Array(rows.length * rows[0].length);
      rows.forEach((row, i) => all.set(row, i * row.length));
      return { shape: [rows.length, rows[0].length], data: all };
    },
  };
}

async function start(litert, file, address) {
  return litert.loadAndCompile(await readBytes(new URL(file, address)), { accelerator: "wasm" });
}

function shapesOf(graph) {
  return Object.fromEntries(graph.getInputDetails().map(({ name, shape }) => [name, Array.from(shape)]));
}

/** Call a graph with {name: [data, shape]} for {name: data}. Its tensors lie outside the garbage collector's reach. */
async function run(litert, graph, inputs) {
  const given = Object.entries(inputs).map(([name, [data, shape]]) => [name, new litert.Tensor(data, shape)]);
  const tensors = [...given.map(([, tensor]) => tensor)];
  try {
    const answers = Object.entries(await graph.run(Object.fromEntries(given)));
    tensors.push(...answers.map(([, tensor]) => tensor));
    return Object.fromEntries(answers.map(([name, tensor]) => [name, tensor.toTypedArray().slice()]));
  } finally {
    for (const tensor of tensors) tensor.delete();
  }
}
