"""LiteRT.js in headless Chromium."""

from contextlib import contextmanager

from clients.browser_page import opened_page
from zsltf.exporters._tflite_fixed import FixedTFLite

NAME, PACKAGE, ANSWER = "LiteRT.js", "@litertjs/core", "scores"
_START = """
const litert = await import("/litert.js");
await litert.loadLiteRt("/");
window.litert = litert;
const load = (file) => litert.loadAndCompile(file, { accelerator: "wasm" });
const model = { network: await load(name) };
if (name.includes(".fixed.")) model.comparison = await load(name.replace(".fixed.", ".fixed.compare."));
"""
_CALL = """
const { images, ...table } = arrays(inputs);
const run = async (graph, given) => {
  const tensors = Object.entries(given).map(([name, { data, shape }]) => [name, new window.litert.Tensor(data, shape)]);
  return graph.run(Object.fromEntries(tensors));
};
const answer = await run(model.network, model.comparison ? { images } : { images, ...table });
if (!model.comparison) {
  const known = model.network.getInputDetails().map(({ name }) => name);
  const unknown = Object.keys(table).find((name) => !known.includes(name));
  if (unknown) throw new Error(`it ignores ${unknown}, which is no input`);
  const scores = answer.scores.toTypedArray();
  if (!(scores instanceof Float32Array)) throw new Error("its scores are integers, and it doesn't tell their scale");
  return [Array.from(scores)];
}
const data = answer.embedding.toTypedArray().slice();
const { class_vectors: { shape: [classes, width], data: rows }, class_bias: { data: bias } } = table;
const scores = [];
for (let i = 0; i < classes; i++) {
  const found = await run(model.comparison, {
    embedding: { data, shape: [1, data.length] },
    class_vectors: { data: rows.slice(i * width, (i + 1) * width), shape: [1, width] },
    class_bias: { data: bias.slice(i, i + 1), shape: [1] },
  });
  scores.push(found.scores.toTypedArray()[0]);
}
return [scores];
"""


@contextmanager
def opened(path):
    """Images, and class vectors with bias where the file has a comparison beside it -> scores."""
    compare = FixedTFLite.compare_path(path)
    with opened_page("litert", [path, compare] if compare.is_file() else [path], _START, _CALL) as call:

        def scores(images, table=None):
            given = {} if table is None else {"class_vectors": table[0], "class_bias": table[1]}
            return call(images=images, **given)

        yield scores
