/** What lies behind the page: a description in JSON, and the runtime that it names. */

import { fitted, shrink } from "./resample.js";

const FORMAT = 1;
const BACKENDS = { "onnxruntime-web": "./onnx_model.js", litert: "./litert_model.js", server: "./server_model.js" };

/** Read a description: {card, table, ...}, or an error that says what is wrong with it. */
export async function describe(address) {
  const description = await readJson(address);
  if (description?.format !== FORMAT) {
    const found = description?.format ?? "none";
    throw new Error(
      `The model's description is of format ${found}, and this page reads format ${FORMAT}. Export it again.`,
    );
  }
  if (!(description.runtime in BACKENDS)) {
    throw new Error(
      `The model wants the runtime “${description.runtime}”, which this page does not know. Export it again.`,
    );
  }
  const vectors = numbers(description.class_vectors, "class vectors");
  const bias = numbers(description.class_bias, "class bias");
  const count = description.card.names.length;
  if (vectors.shape[0] !== count || bias.shape[0] !== count) {
    throw new Error(
      `The model has ${count} names, ${vectors.shape[0]} class vectors and ${bias.shape[0]} biases. Export it again.`,
    );
  }
  return { ...description, vectors, bias };
}

/** The model that a description names. Its calls wait for one another: a runtime has its memory for one of them. */
export async function open(description, address) {
  try {
    const backend = await import(BACKENDS[description.runtime]);
    return inTurn(await backend.open(description, address));
  } catch (error) {
    throw new Error(`The model does not load with ${description.runtime}: ${error.message ?? error}`, { cause: error });
  }
}

/** A photo of any size as this model takes it. */
export function fit(image, { card, runtime }) {
  const small = shrink(image, card.size, card.resize);
  return runtime === "litert" || !card.any_size ? fitted(small, card.size, card.resize) : small;
}

/** JSON from an address, or an error that names it. */
export async function readJson(address) {
  const answer = await reached(address);
  try {
    return await answer.json();
  } catch (error) {
    throw new Error(`${new URL(address).pathname} is not JSON.`, { cause: error });
  }
}

/** The bytes at an address, or an error that names it. */
export async function readBytes(address) {
  return new Uint8Array(await (await reached(address)).arrayBuffer());
}

async function reached(address) {
  const { pathname } = new URL(address);
  const answer = await fetch(address).catch((error) => {
    throw new Error(`${pathname} can't be reached.`, { cause: error });
  });
  if (!answer.ok) throw new Error(`${pathname} is not there (${answer.status}).`);
  return answer;
}

function inTurn(model) {
  let last = Promise.resolve();
  const queued =
    (call) =>
    (...inputs) => {
      const result = last.then(() => call.apply(model, inputs));
      last = result.catch(() => {});
      return result;
    };
  return Object.fromEntries(Object.entries(model).map(([name, call]) => [name, queued(call)]));
}

/** {shape, data} of base64 that holds little-endian float32. */
function numbers({ shape, data }, what) {
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  const wanted = shape.reduce((product, length) => product * length, 4);
  if (bytes.length !== wanted) {
    throw new Error(
      `The model's ${what} have ${bytes.length} bytes, and their shape tells ${wanted}. Export it again.`,
    );
  }
  const values = new Float32Array(bytes.buffer);
  if (!values.every(Number.isFinite)) throw new Error(`The model's ${what} are not all finite. Export it again.`);
  return { shape, data: values };
}
