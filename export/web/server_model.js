/** A model of `zsltf serve`, by TensorFlow Serving's REST protocol. */

/** Nothing is loaded: the server has the model. */
export async function open({ name, card, sentences }, address) {
  const predict = new URL(`../v1/models/${encodeURIComponent(name)}:predict`, address);

  async function call(signature, inputs) {
    const { outputs } = await post(predict, { signature_name: signature, inputs });
    return outputs;
  }

  const model = {
    async scores(photo, table, bias) {
      const inputs = { images: [pixels(photo)], class_vectors: nested(table), class_bias: Array.from(bias) };
      return flat(only(await call("open_vocabulary", inputs), "scores"));
    },
    async embed(photo) {
      return flat(only(await call("embed", { images: [pixels(photo)] }), "embedding"));
    },
    async project(rows) {
      if (!card.project) return rows;
      const made = only(await call("project", { semantics: nested(rows) }), "class_vectors");
      return { shape: shapeOf(made), data: flat(made) };
    },
  };
  if (!sentences) return model;
  const written = new URL("sentence", address);
  return {
    ...model,
    async sentence(text) {
      return Float32Array.from((await post(written, { model: name, sentence: text })).semantics);
    },
  };
}

async function post(address, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) }).catch((error) => {
    throw new Error("The server can't be reached: is it still running?", { cause: error });
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(`The server refuses: ${told.error ?? answer.status}`);
  return told;
}

/** A signature's only output comes without its name. */
function only(outputs, name) {
  return Array.isArray(outputs) ? outputs : outputs[name];
}

function pixels({ data, height, width }) {
  return nested({ shape: [height, width, 3], data });
}

/** A flat array as nested lists. */
function nested({ shape: [length, ...inner], data }) {
  if (!inner.length) return Array.from(data);
  const size = data.length / length;
  return Array.from({ length }, (_, i) => nested({ shape: inner, data: data.subarray(i * size, (i + 1) * size) }));
}

function shapeOf(values) {
  return Array.isArray(values) ? [values.length, ...shapeOf(values[0])] : [];
}

function flat(values) {
  return Float32Array.from(values.flat(Infinity));
}
