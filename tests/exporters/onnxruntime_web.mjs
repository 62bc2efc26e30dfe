// node onnxruntime_web.mjs FOLDER_WITH_NODE_MODULES MODEL FEEDS.json: scores as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, model, feeds] = process.argv.slice(2);
const ort = createRequire(`${folder}/`)("onnxruntime-web");
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
const arrays = { uint8: Uint8Array, float32: Float32Array };
const inputs = Object.entries(JSON.parse(readFileSync(feeds, "utf-8"))).map(([name, { type, shape, values }]) => [
  name,
  new ort.Tensor(type, arrays[type].from(values), shape),
]);
const { scores } = await session.run(Object.fromEntries(inputs));
console.log(JSON.stringify({ shape: scores.dims, values: Array.from(scores.data) }));
