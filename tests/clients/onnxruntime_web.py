"""onnxruntime-web in headless Chromium."""

from contextlib import contextmanager

from clients.browser_page import opened_page

NAME, PACKAGE, ANSWER = "onnxruntime-web", "onnxruntime-web", "scores"
_START = """
const ort = await import("/ort.wasm.min.mjs");
ort.env.wasm.numThreads = 1;
window.ort = ort;
const model = await ort.InferenceSession.create(name, { executionProviders: ["wasm"], logSeverityLevel: 3 });
"""
_CALL = """
const entries = Object.entries(arrays(inputs));
const feed = entries.map(([name, { type, shape, data }]) => [name, new window.ort.Tensor(type, data, shape)]);
const { scores } = await model.run(Object.fromEntries(feed));
return [Array.from(scores.data)];
"""


@contextmanager
def opened(path):
    """Images, and class vectors with bias if they are not the file's -> scores."""
    with opened_page("onnxruntime-web", [path], _START, _CALL) as call:

        def scores(images, table=None):
            given = {} if table is None else {"class_vectors": table[0], "class_bias": table[1]}
            return call(images=images, **given)

        yield scores
