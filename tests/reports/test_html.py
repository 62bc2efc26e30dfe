import re
import shutil
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jinja2
import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image
from sklearn.preprocessing import normalize

from zsltf.data.classes import ClassTable
from zsltf.data.features import Features
from zsltf.data.images import ImageFolder
from zsltf.evaluation.summary import describe_features, describe_outcome, partition_rows, spread
from zsltf.evaluation.zero_shot import Outcome
from zsltf.evaluation.zero_shot_report import evaluate_zero_shot
from zsltf.metrics.rejection import OpenSet
from zsltf.pretrained.extract import Extraction
from zsltf.proof import Proof
from zsltf.reports.html import write_report
from zsltf.reports.zero_shot import print_outcomes
from zsltf.runs import Run
from zsltf.training.preparation import Preparation
from zsltf.training.selection import Choice
from zsltf.zeroshot.eszsl import ESZSL

OPEN_SET = OpenSet(
    threshold=-1.25, allowed=0.05, rejected=0.071, accepted=0.333, auroc=0.789, strangers="others <&> more"
)
STEP = {
    "precision": "dynamic",
    "float_layers": 0,
    "megabytes": 3.98,
    "accuracy": 0.91,
    "agreement": 0.985,
    "within": False,
}
QUANTISATION = {
    "chosen": {**STEP, "precision": "int8", "megabytes": 4.22, "within": True},
    "steps": [STEP, {**STEP, "precision": "int8", "megabytes": 4.22, "within": True}],
    "points": 0.5,
    "photos": [20, 40, 60],
    "choice_accuracy": 0.92,
    "accuracy": 0.9,
    "float_accuracy": 0.905,
    "interval": [-0.021, 0.012],
    "agreement": 0.97,
}
COLUMNS = ("unseen_accuracy", "chance", "shuffled", "mean_colour", "seen", "unseen", "harmonic_mean", "area")


def outcome(names, rng, unseen=None, per_class=5, left_out=()):
    """A test set scored by arrays: the truth is favoured, seen classes more so; `left_out` have no photo."""
    count = len(names)
    mask = np.ones(count, bool)
    mask[rng.permutation(count)[: max(2, count // 4)] if unseen is None else unseen] = False
    classes = ClassTable(names=tuple(names), semantics=rng.normal(size=(count, 5)), seen=mask)
    y = np.repeat([i for i in range(count) if i not in left_out], per_class)
    scores = rng.normal(size=(len(y), count)) + 2 * (y[:, None] == np.arange(count)) - 0.5 * mask
    classifier = SimpleNamespace(
        classes=classes, gamma=0.5, score=lambda x: x, similarity=SimpleNamespace(scale=np.float32(7.5))
    )
    tried = [
        Choice(method=ESZSL(feature_ridge=10.0**i), preparation=preparation, accuracy=0.7 - 0.01 * i)
        for i, preparation in enumerate([Preparation(centre=True, components=64, unit_norm=True), *[Preparation()] * 9])
    ]
    test = Features(x=scores - classifier.gamma * mask, y=y)
    return Outcome(
        classifier=classifier,
        choice=tried[0],
        runners_up=tried[1:],
        train=test,
        test=test,
        report=evaluate_zero_shot(classifier, test),
        open_set=OPEN_SET,
        shuffled=[0.2, 0.3],
        seconds=1.5,
    )


def sample(folder, number, names, mask, rng, right):
    Image.fromarray(rng.integers(0, 255, (160, 160, 3), np.uint8)).save(folder / f"samples/{number:02d}.jpg")
    truth = int(rng.integers(len(names)))
    order = np.roll(np.arange(len(names)), -truth - (not right))[:3]
    return {
        "file": f"samples/{number:02d}.jpg",
        "source": f"{names[truth]}/{number:03d} <i>&.jpg",
        "truth": names[truth],
        "seen": bool(mask[truth]),
        "ranking": [[names[i], p] for i, p in zip(order, (0.7, 0.2, 0.05), strict=True)],
        "reasons": [["stripes <i>&", 0.5, 0.12], ["no hooves", 0.1, 0.05]][: number % 3],
    }


def semantics(count, rng):
    """As describe_semantics gives it."""
    rows = normalize(rng.normal(size=(count, 5)))
    columns = ["stripes", "hooves & <b>", "\u2028 line", "$y$", "très long " * 5]
    return {"columns": columns, "shown": rng.random((count, 5)).tolist(), "likeness": (rows @ rows.T).tolist()}


def make_run(nasty, folder: Path, num_classes=32, *, exported=False, partitions=3, **options) -> Run:
    """A run folder without a model, its figures made by zsltf's own functions from random scores."""
    rng = np.random.default_rng(num_classes)
    names = [*nasty, *(f"class_{i}" for i in range(num_classes))][:num_classes]
    outcomes = {f"random_{i} <&>": outcome(names, rng, **options) for i in range(partitions)}
    rows = partition_rows(outcomes, {"random_0 <&>": 0.21})
    first = next(iter(outcomes.values()))
    images = ImageFolder(
        root=Path("/photos/<of> & mine"),
        paths=("a.jpg",),
        y=np.zeros(1, int),
        left_out=("left <out>",),
        not_images=("notes & <b>.txt", "no text \udcfe"),
    )
    skipped = {"broken <b>&.jpg": "image file is truncated: <3 bytes> & more"}
    extraction = Extraction(features=first.test, key="0123abcd", cached=False, skipped=skipped)
    run = Run(folder)
    (folder / "samples").mkdir(parents=True)
    seen = first.report.classes.seen
    report = {
        "title": "Zero-shot <classification> & more",
        "recipe": "zero_shot",
        "seconds": 75.25,
        "backbone": {
            "name": "efficientnet_lite0",
            "weights": "imagenet",
            "sha256": "5793" * 16,
            "licence": "Apache-2.0",
            "feature_size": 1280,
            "input_size": 224,
            "resize": "stretch",
        },
        "features": describe_features(images, extraction),
        "main": {**describe_outcome(first), "semantics": semantics(len(names), rng)},
        "known_to_backbone": {},
        "partitions": rows,
        "spread": {"random <&>": spread(rows)} if partitions > 1 else {},
        "samples": [sample(folder, i, names, seen, rng, right=i % 3 > 0) for i in range(9)],
    }
    run.write_json("report.json", report)
    settings = {"method": {"feature_ridge": 1.0}, "photos": {"images": Path("<i>&"), "drawn": [0, 1]}, "seed": 0}
    run.write_json("config.json", {"settings": settings, "versions": {"python": "3.12.1", "zsltf": "0.1.0"}})
    if exported:
        write_export(run, num_classes)
    return run


def write_export(run, num_classes, quantisation=None):
    rows = [asdict(proof) for proof in proofs(num_classes)]
    run.write_json("export.json", {"proofs": rows, "quantisation": quantisation})


def proofs(num_classes):
    for file, format_, batches in (("model.onnx", "Onnx", (1, 7)), ("model.tflite", "TFLite", (1,))):
        for classes in (num_classes, num_classes + 4):
            for batch in batches:
                yield Proof(
                    format=format_,
                    file=file,
                    classes=classes,
                    batch=batch,
                    precision="float32",
                    difference=3.2e-6 if batch == 1 else 9.9e-3,
                    tolerance=5e-5,
                    margin=5e-5,
                    probability_error=1e-7,
                    agreement=1.0,
                    megabytes=13.84,
                    seconds=3.41,
                )


def percent(share):
    return "\N{EN DASH}" if share is None else f"{100 * share:.1f}%"


def shown(name):
    """A name that is no text shows its bytes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


@pytest.fixture(scope="module")
def make(nasty):
    return partial(make_run, nasty)


@pytest.fixture(scope="module")
def big(make, tmp_path_factory):
    return make(tmp_path_factory.mktemp("runs") / "big", exported=True)


@pytest.fixture(scope="module")
def page(big, render):
    return render(big)


@pytest.fixture
def small(make, tmp_path):
    return partial(make, tmp_path / "small", 3, unseen=[1, 2])


def test_asks_for_nothing_from_outside(page):
    page.check_stands_alone()


def test_names_from_users_stand_there_literally(page, big, nasty):
    for name in nasty:
        assert shown(name) in page.text
    for text in ("/photos/<of> & mine", "random_0 <&>", "random <&>", "left <out>", "notes & <b>.txt", "<i>&"):
        assert text in page.text
    assert ["broken <b>&.jpg", "image file is truncated: <3 bytes> & more"] in page.rows()
    assert [title.text for title in page.find("title")] == ["Zero-shot <classification> & more"]
    alternatives = [picture.attributes["alt"] for picture in page.find("img")]
    samples = big.read_json("report.json")["samples"]
    assert alternatives == [shown(f"Photo of {row['truth']}, {row['source']}") for row in samples]


def test_names_in_the_figures_are_neither_mathematics_nor_tags(page):
    for name in (
        "$x$",
        r"$\frac{broken",
        "a_b & <script>alert(1)</scrip…",
        "#0000a0 &amp; fill: #0000a7",
        "雪豹 パンダ",
    ):
        assert page.labels().count(name) == 5  # of rows of three figures and of columns of two
    assert page.labels().count("turned\ufffdround") == 5
    for column in ("$y$", "hooves & <b>"):
        assert page.labels().count(column) == 1
    assert not [element for element in page.elements if "#0000a" in element.attributes.get("style", "")]


def test_matrix_has_seen_classes_first_and_its_shares_written_in(make, render, nasty, tmp_path):
    run = make(tmp_path / "run", 3, unseen=[0, 1])
    matrix = np.array(run.read_json("report.json")["main"]["confusion"])[np.ix_([2, 0, 1], [2, 0, 1])]
    texts = [element.text.strip() for element in render(run).find("text")]
    order = [nasty[2], "◆ a_b & <script>alert(1)</scr…", "◆ $x$"]
    assert [text for text in texts if text in order] == 5 * order  # likewise
    shares = [f"{100 * count / 5:.0f}" for count in matrix.ravel() if count]
    assert [text for text in texts if text.isdecimal()] == shares


@pytest.mark.parametrize("options", [{}, {"exported": True}, {"partitions": 1}, {"left_out": (2,)}])
def test_every_class_and_figure_is_present(small, render, nasty, options):
    run = small(**options)
    page, report = render(run), run.read_json("report.json")
    rows, head = page.rows(), report["partitions"][0]
    assert [row[:3] for row in rows if row[0].removeprefix("◆ unseen class ") in nasty] == [
        [("" if c["seen"] else "◆ unseen class ") + c["name"], str(c["test_images"]), percent(c["accuracy"])]
        for c in sorted(report["main"]["classes"], key=lambda c: (c["seen"], -(c["accuracy"] or -1)))
    ]
    for row in report["partitions"]:
        assert [row["partition"], *(percent(row[column]) for column in COLUMNS)] in rows
    for figures in report["spread"].values():
        statistics = {"mean": "mean", "low": "95 %, from", "high": "to", "sd": "sd", "min": "min", "max": "max"}
        for statistic, heading in statistics.items():
            assert [heading, *(percent(figures[column][statistic]) for column in COLUMNS)] in rows
    for key, start in {"seen": "S, seen", "unseen": "U, unseen", "harmonic_mean": "H, harmonic"}.items():
        assert [percent(at[key]) for at in (head["uncalibrated"], head, head["oracle"])] in [
            row[1:] for row in rows if row[0].startswith(start)
        ]
    for choice in report["main"]["tried"]:
        assert percent(choice["fold_accuracy"]) in [row[1] for row in rows if "ESZSL" in row]
    assert ["method.feature_ridge", "1.0"] in rows
    assert ["python", "3.12.1"] in rows
    assert "1 min 15 s" in page.text
    assert "\N{GREEK SMALL LETTER GAMMA} = 0.5, chosen" in page.labels()
    assert [figure.attributes["role"] for figure in page.find("svg")] == 4 * ["img"]


def test_samples_say_right_or_wrong_in_words(page, big):
    samples = big.read_json("report.json")["samples"]
    cards = [item for item in page.find("li") if "✓ right" in item.text or "✗ wrong" in item.text]
    assert len(page.find("img")) == len(samples)
    for i, (card, row) in enumerate(zip(cards, samples, strict=True)):
        assert ("✗ wrong" if i % 3 == 0 else "✓ right") in card.text
        assert ("◆ unseen class" in card.text) == (not row["seen"])
        for name, probability in row["ranking"]:
            assert f"{shown(name)} {percent(probability)}" in card.text
        for attribute, shown_share, share in row["reasons"]:
            assert f"{attribute} {shown_share:.2f} (+{percent(share)})" in card.text
        told = f"→ {shown(row['ranking'][0][0])}, against {shown(row['ranking'][1][0])}"
        assert (told in card.text) == bool(row["reasons"])


def test_tables_and_figures_are_announced(page):
    page.check_announced()


def test_export_table_or_the_command_that_fills_it(small, render):
    run = small()
    assert "zsltf export RUN --format all" in render(run).text
    write_export(run, 3)
    page = render(run)
    assert "zsltf export RUN" not in page.text
    assert ["model.onnx Onnx", "13.8", "3.4", "3", "1", "3.2e-06", "5e-05", "100.0%", "✓ holds"] in page.rows()
    assert ["7", "7", "9.9e-03", "5e-05", "100.0%", "✗ differs"] in page.rows()


def test_the_search_for_an_integer_file_and_the_benchmark_are_added(small, render):
    run = small(exported=True)
    assert "benchmark" not in render(run).text
    write_export(run, 3, QUANTISATION)
    files = [
        {
            "file": "model.onnx",
            "status": "passed",
            "reason": "",
            "megabytes": 13.8,
            "accuracy": 0.912,
            "difference": 3e-6,
        }
        | {"p50": 12.5, "p95": 15.25, "images_per_second": 88.0, "peak_megabytes": 301.0, "litert_milliseconds": 9.75},
        {"file": "model.tflite", "status": "failed", "reason": "no <runtime>", "megabytes": None, "accuracy": None}
        | dict.fromkeys(("difference", "p50", "p95", "images_per_second", "peak_megabytes")),
    ]
    run.write_json("benchmark.json", {"photos": 470, "machine": "x86_64, 2 cores", "files": files})
    page = render(run)
    assert ["dynamic", "0", "3.98", "91.0%", "98.5%", "✗ beyond"] in page.rows()
    assert ["int8", "0", "4.22", "91.0%", "98.5%", "✓ within, chosen"] in page.rows()
    assert "int8 reaches 90.0% and float32 90.5%; right answers differ by -2.1 to +1.2 points (95%)" in page.text
    assert ["model.onnx", "passed", "13.8", "91.2%", "3e-06", "12.5", "15.25", "88", "301", "9.75"] in page.rows()
    assert ["model.tflite", "failed no <runtime>", *["\N{EN DASH}"] * 8] in page.rows()
    page.check_announced()


def test_none_of_these_has_a_section_where_there_is_a_threshold(small, render):
    run = small()
    assert "None of these" not in render(run).text
    run.write_json("report.json", {**run.read_json("report.json"), "open_set": asdict(OPEN_SET)})
    page = render(run)
    assert "best score is below -1.25" in page.text
    assert "Strangers: others <&> more." in page.text
    assert ["Known classes refused", "7.1%"] in page.rows()
    assert ["Strangers let pass", "33.3%"] in page.rows()
    page.check_announced()


def test_more_than_fifty_classes_are_not_labelled(make, render, tmp_path):
    page = render(make(tmp_path / "many", 60, partitions=1))
    assert "too many classes to label" in page.text
    assert page.labels().count("class_40") == 0
    assert "class_40" in page.text


def test_two_renders_are_equal_and_leave_matplotlib_alone(small, tmp_path):
    run, before = small(exported=True), dict(mpl.rcParams)
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first
    assert dict(mpl.rcParams) == before
    shutil.move(run.path, tmp_path / "elsewhere")
    assert write_report(Run(tmp_path / "elsewhere")).read_bytes() == first


def test_failing_render_leaves_the_old_file(small):
    run = small()
    before = write_report(run).read_bytes()
    report = run.read_json("report.json")
    run.write_json("report.json", {**report, "samples": [{**report["samples"][0], "truth": None, "ranking": []}]})
    with pytest.raises(jinja2.UndefinedError):
        write_report(run)
    assert (run.path / "report.html").read_bytes() == before
    assert sorted(path.name for path in run.path.iterdir()) == ["config.json", "report.html", "report.json", "samples"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("report.json", "expected a run folder with report.json, received none. Give the folder that zsltf run wrote."),
        ("config.json", "expected a run folder with config.json, received none"),
        ("samples/03.jpg", "expected a picture that report.json names, received none. Run the recipe again."),
    ],
)
def test_what_is_missing_is_named(small, name, message):
    run = small()
    (run.path / name).unlink()
    with pytest.raises(ValueError, match=re.escape(message)):
        write_report(run)
    assert not (run.path / "report.html").exists()


def test_intervals_the_oracle_and_the_split_stand_on_the_page(small, render):
    run = small()
    report = run.read_json("report.json")
    head = report["partitions"][0]
    head["split"] = "0123456789abcdef"
    run.write_json("report.json", report)
    page = render(run)
    interval = f"{percent(head['interval'][0])} to {percent(head['interval'][1])}"
    assert f"Other classes might have given {interval} (95 % interval over these 2)" in page.text
    assert f"95 % interval over classes {interval}" in page.text
    assert "chosen on the test images" in page.text
    assert ["split", "0123456789abcdef"] in page.rows()
    assert "split 0123456789abcdef" in page.text


def test_a_run_that_has_no_oracle_or_split_has_a_page_too(small, render):
    run = small()
    report = run.read_json("report.json")
    for row in report["partitions"]:
        del row["oracle"], row["split"], row["per_class"]
    run.write_json("report.json", report)
    page = render(run)
    assert "oracle" not in page.text
    page.check_announced()


def test_unseen_classes_that_the_backbone_knows_are_told_in_a_whole_sentence(small, render):
    run = small()
    report = run.read_json("report.json")
    head = report["partitions"][0]
    known = {head["unseen_classes"][0]: "<zebra>", head["unseen_classes"][1]: "lion"}
    head["known_to_backbone"], head["new_to_backbone"], report["known_to_backbone"] = list(known), None, known
    run.write_json("report.json", report)
    assert "(lion): no unseen class of this partition is new to it" in render(run).text
    head["known_to_backbone"], head["new_to_backbone"] = list(known)[:1], 0.25
    run.write_json("report.json", report)
    assert "(<zebra>); without it the mean is 25.0%." in render(run).text


def test_the_shares_of_a_sum_stand_beside_its_candidates(small, render):
    run = small()
    assert ["rank", "fold accuracy", "method", "share"] not in [row[:4] for row in render(run).rows()]
    report = run.read_json("report.json")
    for choice, share in zip(report["main"]["tried"], (None, 0.75, 0.25, *[0.0] * 7), strict=True):
        choice["share"] = share
    run.write_json("report.json", report)
    page = render(run)
    shares = [row[3] for row in page.rows() if row[2:3] == ["ESZSL"]]
    assert shares == ["\N{EN DASH}", "75.0%", "25.0%", *["0.0%"] * 7]
    assert "within a standard error of the best one" in page.text
    page.check_announced()


@pytest.mark.parametrize(("partitions", "told"), [(1, "One partition, one seed."), (3, "the first of 3 partitions")])
def test_how_many_partitions_the_figures_rest_on_stands_next_to_them(make, render, tmp_path, partitions, told):
    results, _, others = render(make(tmp_path / "run", 8, partitions=partitions)).text.partition("Sample predictions")
    assert told in " ".join(results.split())
    assert "One partition" not in others


@pytest.mark.parametrize("count", [1, 2])
def test_how_many_partitions_the_figures_rest_on_is_printed(capsys, count):
    rng = np.random.default_rng(0)
    outcomes = {f"part {i}": outcome(["a", "b", "c", "d", "e", "f"], rng) for i in range(count)}
    print_outcomes(outcomes)
    assert ("One partition, one seed" in capsys.readouterr().out) == (count == 1)
