/** An .onnx file in this browser, by onnxruntime-web. */

import { readBytes } from "./model.js";

/** Load the runtime and the network. `runtime_files.module` has its .wasm and .mjs beside it. */
export async function open({ files, runtime_files, card, vectors }, address) {
  const ort = await import(new URL(runtime_files.module, address));
  if (!crossOriginIsolated) ort.env.wasm.numThreads = 1;
  const session = await start(ort, files.network, address);
  const projection = files.project ? await start(ort, files.project, address) : null;
  const none = {
    shape: [1, ...vectors.shape.slice(1)],
    data: new Float32Array(vectors.data.length / vectors.shape[0]),
  };

  async function run({ data, height, width }, { shape, data: rows }, bias) {
    return session.run({
      images: new ort.Tensor("uint8", data, [1, height, width, 3]),
      class_vectors: new ort.Tensor("float32", rows, shape),
      class_bias: new ort.Tensor("float32", bias, [bias.length]),
    });
  }

  return {
    async scores(photo, table, bias) {
      return (await run(photo, table, bias)).scores.data;
    },
    async embed(photo) {
      return (await run(photo, none, new Float32Array(1))).embedding.data;
    },
    async project({ shape, data }) {
      if (!card.project) return { shape, data };
      const { class_vectors: made } = await projection.run({ semantics: new ort.Tensor("float32", data, shape) });
      return { shape: made.dims, data: made.data };
    },
  };
}

async function start(ort, file, address) {
  return ort.InferenceSession.create(await readBytes(new URL(file, address)), { executionProviders: ["wasm"] });
}
