"""The page's class table against `Artifact`, edit for edit, and its download."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from zsltf.artifacts.artifact import Artifact
from zsltf.artifacts.card import Card
from zsltf.data.classes import ClassTable

RNG = np.random.default_rng()
NAMES = ("ant", "bee", "cat", "dog", "eel")
COLUMNS = ("wings", "legs", "fur")
PIXELS, WIDTH = 12, 4  # a photo of 2 x 2 pixels, and a class vector

MODEL = """
const times = (row, matrix) => matrix[0].map((_, k) => row.reduce((sum, value, i) => sum + value * matrix[i][k], 0));
const model = {
  embed: async ({ data }) => Float32Array.from(times(data, inputs.embed)),
  project: async ({ shape, data }) => ({
    shape: [1, inputs.width], data: Float32Array.from(times(Array.from(data), inputs.project).map(Math.tanh)),
  }),
  scores: async ({ data }, vectors, bias) => {
    const embedding = times(data, inputs.embed);
    const row = (i) => Array.from(vectors.data.slice(i * inputs.width, (i + 1) * inputs.width));
    return Float32Array.from(bias, (b, i) => row(i).reduce((sum, value, k) => sum + value * embedding[k], b));
  },
};
const { card } = inputs;
const context = { card, model, shape: [inputs.width] };
const given = { data: Float32Array.from(inputs.vectors.flat()), shape: [inputs.vectors.length, inputs.width] };
let now = table.tableOf(card, given, { data: Float32Array.from(inputs.bias) });
for (const edit of inputs.edits) {
  const photos = edit.photos?.map((data) => ({ data, height: 2, width: 2 }));
  const semantics = edit.semantics ? Float32Array.from(edit.semantics) : null;
  if (edit.photos) now = await table.withPhotos(now, context, edit.name, photos, semantics);
  else if (semantics) now = await table.withSemantics(now, context, edit.name, semantics);
  else if (edit.to !== undefined) now = table.renamed(now, edit.name, edit.to);
  else now = table.without(now, edit.name);
}
"""
TABLE = (
    MODEL
    + """
const rows = (all) => all.map((row) => Array.from(row));
return {
  ...now, semantics: rows(now.semantics), vectors: rows(now.vectors),
  edits: edits.edits(card.names, card.columns, now),
};
"""
)


def artifact(**options):
    """A model in NumPy, and what the page is told of it."""
    embed, project = RNG.normal(size=(PIXELS, WIDTH)) / 400, RNG.normal(size=(len(COLUMNS), WIDTH))
    semantics = RNG.normal(size=(len(NAMES), len(COLUMNS))).astype(np.float32)
    card = Card(
        names=NAMES,
        seen=(True, True, False, True, False),
        columns=COLUMNS,
        semantics=tuple(tuple(map(float, row)) for row in semantics),
        gamma=0.0,
        activation="softmax",
        opens_by=("semantics", "photos"),
        project=True,
        size=2,
        resize="stretch",
        mean=(0.0,) * 3,
        scale=(1.0,) * 3,
        channels="rgb",
        **options,
    )

    def embedded(images):
        return (images.reshape(len(images), -1) @ embed).astype(np.float32)

    made = Artifact(
        card=card,
        class_vectors=np.tanh(semantics @ project).astype(np.float32),
        class_bias=RNG.normal(size=len(NAMES)).astype(np.float32),
        built_in=lambda images: {},
        open_vocabulary=lambda images, vectors, bias: {"scores": embedded(images) @ vectors.T + bias},
        run_embed=embedded,
        run_project=lambda rows: np.tanh(rows @ project).astype(np.float32),
    )
    facts = ("names", "columns", "semantics", "seen", "prior_photos", "photo_level", "project")
    told = {
        "card": {fact: getattr(card, fact) for fact in facts},
        "embed": embed.tolist(),
        "project": project.tolist(),
        "width": WIDTH,
        "vectors": made.class_vectors.tolist(),
        "bias": made.class_bias.tolist(),
    }
    return made, told


def photos(count):
    return RNG.integers(0, 256, (count, 2, 2, 3), dtype=np.uint8)


def rows_of(name, semantics):
    row = np.asarray(semantics, np.float32)[None]
    return ClassTable(names=(name,), semantics=row, seen=np.zeros(1, bool), columns=COLUMNS)


def edited(file, edit):
    """The same edit in Python."""
    if "photos" in edit:
        images = [np.array(photo, np.uint8).reshape(1, 2, 2, 3) for photo in edit["photos"]]
        return file.with_photos(edit["name"], images, edit.get("semantics"))
    if "semantics" in edit:
        return file.with_classes(rows_of(edit["name"], edit["semantics"]))
    if "to" in edit:
        return file.renamed({edit["name"]: edit["to"].strip()})
    return file.without([edit["name"]])


def random_edits(count):
    names, edits = list(NAMES), []
    for i in range(count):
        kind = RNG.choice(["semantics", "photos", "both", "rename", "remove"])
        if kind == "remove" and len(names) > 1:
            edits.append({"name": names.pop(RNG.integers(len(names)))})
        elif kind == "rename":
            row = RNG.integers(len(names))
            edits.append({"name": names[row], "to": f" renamed {i} "})
            names[row] = f"renamed {i}"
        else:
            new = {"name": f"new {i}"}
            if kind != "photos":
                new["semantics"] = RNG.normal(size=len(COLUMNS)).astype(np.float32).tolist()
            if kind != "semantics":
                new["photos"] = photos(RNG.integers(1, 5)).reshape(-1, PIXELS).tolist()
            edits.append(new)
            names.append(new["name"])
    return edits


@pytest.mark.parametrize("options", [{}, {"photo_level": 2.5}, {"photo_level": -1.0, "prior_photos": 3.0}])
def test_every_edit_gives_the_table_that_python_gives(javascript, options):
    file, told = artifact(**options)
    edits = random_edits(25)
    for edit in edits:
        file = edited(file, edit)
    page = javascript(TABLE, **told, edits=edits)
    assert tuple(page["names"]) == file.card.names
    assert tuple(page["seen"]) == file.card.seen
    np.testing.assert_allclose(page["semantics"], file.card.semantics, rtol=1e-6)
    np.testing.assert_allclose(page["vectors"], file.class_vectors, atol=1e-5)
    np.testing.assert_allclose(page["bias"], file.class_bias, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"photo_level": -1.0, "prior_photos": 3.0}])
def test_the_download_leads_from_the_file_to_the_table(javascript, options):
    file, told = artifact(**options)
    check_download(file, javascript(TABLE, **told, edits=random_edits(25)))


def test_a_download_may_remove_every_class_of_the_file(javascript):
    file, told = artifact()
    new = {"name": NAMES[0], "photos": photos(2).reshape(-1, PIXELS).tolist()}
    edits = [{"name": NAMES[0], "to": "last"}, *({"name": name} for name in NAMES[1:]), new, {"name": "last"}]
    page = javascript(TABLE, **told, edits=edits)
    assert sorted(page["edits"]["remove"]) == sorted(NAMES)
    check_download(file, page)


def check_download(file, page):
    """The page's edits of the file give the page's table."""
    download = page["edits"]
    assert tuple(download["of"]) == NAMES
    leaving = {name: f"{name}, which leaves" for name in download["remove"]}
    file = file.renamed({**download["rename"], **leaving})
    for new in download["add"]:
        semantics = [new["semantics"][column] for column in COLUMNS] if "semantics" in new else [0.0] * len(COLUMNS)
        row = rows_of(new["name"], semantics)
        if "vector" not in new:
            file = file.with_classes(row)
            continue
        vectors = np.append(file.class_vectors, np.array([new["vector"]], np.float32), axis=0)
        bias = np.append(file.class_bias, np.float32(new["bias"]))
        file = file.with_table(file.card.classes.concatenate(row), vectors, bias)
    if leaving:
        file = file.without(tuple(leaving.values()))
    assert tuple(page["names"]) == file.card.names
    np.testing.assert_allclose(page["semantics"], file.card.semantics, rtol=1e-6)
    np.testing.assert_allclose(page["vectors"], file.class_vectors, atol=1e-5)
    np.testing.assert_allclose(page["bias"], file.class_bias, atol=1e-5)


def test_an_unedited_table_has_nothing_to_write(javascript):
    _, told = artifact()
    script = TABLE.replace(
        "return {", "return {\n  edited: edits.isEdited(edits.edits(card.names, card.columns, now)),"
    )
    there_and_back = [{"name": "ant", "to": "emmet"}, {"name": "emmet", "to": "ant"}]
    assert javascript(script, **told, edits=there_and_back)["edited"] is False
    assert javascript(script, **told, edits=there_and_back[:1])["edited"] is True


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"name": "  ", "semantics": [0, 1, 2]}, "The class has no name: write one."),
        ({"name": " bee ", "semantics": [0, 1, 2]}, "“bee” is there already: write another name."),
        ({"name": "a\nb", "semantics": [0, 1, 2]}, "The name has a line break or a control character"),
        ({"name": "gnu", "photos": []}, "Give at least one photo of the class."),
        ({"name": "gnu", "photos": [["x"] * PIXELS]}, "The model gives no finite numbers for this class"),
        ({"name": "ant", "to": "bee"}, "“bee” is there already: write another name."),
        ({"name": "yeti"}, "There is no class called “yeti”."),
    ],
)
def test_bad_edits_are_refused(javascript, edit, message):
    _, told = artifact()
    script = "try { " + MODEL + " return now.names; } catch (error) { return error.message; }"
    assert message in javascript(script, **told, edits=[edit])


def test_the_last_class_stays(javascript):
    _, told = artifact()
    script = "try { " + MODEL + " return now.names; } catch (error) { return error.message; }"
    removals = [{"name": name} for name in NAMES]
    message = javascript(script, **told, edits=removals)
    assert message == "“eel” is the last class: add another one before removing it."


@pytest.mark.parametrize(("activation", "expected"), [("softmax", softmax), ("sigmoid", expit)])
def test_probabilities(javascript, activation, expected):
    scores = RNG.normal(size=6, scale=300)
    found = javascript(
        "return answers.probabilities(inputs.scores, inputs.activation);", scores=scores.tolist(), activation=activation
    )
    np.testing.assert_allclose(found, expected(scores), atol=1e-12)


def test_none_of_these_is_below_the_threshold(javascript):
    cases = [[[1.0, 2.0], 2.0], [[1.0, 1.9], 2.0], [[1.0, -9.0], None]]
    found = javascript("return inputs.cases.map(([scores, least]) => answers.isNone(scores, least));", cases=cases)
    assert found == [False, True, False]


def test_attributes_are_those_of_the_classes_weighted_by_probability(javascript):
    built_in, new = RNG.normal(size=(5, 4)), RNG.normal(size=(1, 4))
    built_in[:, 2] = 0.5  # all classes alike: it tells nothing
    semantics = np.concatenate([built_in, np.zeros((1, 4)), new])  # a class by photos alone has none
    shares = RNG.dirichlet(np.ones(7))
    shares[5] /= 4  # and is not the likelier part
    found = javascript(
        "return answers.attributes(inputs.shares, inputs.semantics, [0, 2, 3], inputs.builtIn);",
        shares=shares.tolist(),
        semantics=semantics.tolist(),
        builtIn=built_in.tolist(),
    )
    told = np.delete(np.arange(7), 5)
    mean = shares[told] @ semantics[told] / shares[told].sum()
    low, high = built_in.min(axis=0), built_in.max(axis=0)
    expected = {i: np.clip((mean[i] - low[i]) / (high[i] - low[i]), 0, 1) for i in (0, 3)}
    assert {row["column"] for row in found} == set(expected)
    assert [row["value"] for row in found] == pytest.approx(sorted(expected.values(), reverse=True))


def test_no_attributes_where_the_answer_has_none(javascript):
    script = "return answers.attributes([0.9, 0.1], [[0, 0], [1, 2]], [0, 1], [[0, 0], [1, 2]]);"
    assert javascript(script) == []
