import io
import json
import re
from dataclasses import asdict

import keras
import numpy as np
import pytest
from rich.console import Console

from zsltf.classifier import Classifier
from zsltf.data.classes import ClassTable
from zsltf.data.image_array import ImageArray
from zsltf.embeds import linear
from zsltf.evaluation.classification import evaluate_classification
from zsltf.layers.preprocess import Preprocess
from zsltf.proof import Proof
from zsltf.reports.classification import golden_batch, print_classification, print_schedule, write_classification_run
from zsltf.reports.classification_run import Baseline, ClassificationRun, DataSummary
from zsltf.reports.html import write_report
from zsltf.runs import Run
from zsltf.training.history import read_history

STAGES = ("stem", "block1", "block2", "block3", "head")
PLAIN = {"course": "cosine", "layer_decay": 1.0}
SCHEDULE = [
    {
        "phase": "head",
        "epochs": 3,
        "course": "cosine, 0.5 warm-up",
        "batch_norm": "frozen",
        "layer_decay": 1.0,
        "rates": dict.fromkeys(STAGES, 0.0) | {"head": 1e-3},
    },
    {
        **PLAIN,
        "phase": "from block3",
        "epochs": 4,
        "batch_norm": "frozen",
        "rates": dict.fromkeys(STAGES, 0.0) | {"block3": 5e-5, "head": 1e-4},
    },
    {
        **PLAIN,
        "layer_decay": 0.9,
        "phase": "all",
        "epochs": 5,
        "batch_norm": "recalibrate",
        "rates": dict(zip(STAGES, (3.125e-6, 6.25e-6, 1.25e-5, 2.5e-5, 5e-5), strict=True)),
    },
]
PROOFS = [
    {"phase": "head", "frozen": ["stem", "block1", "block2", "block3"], "moved": ["head"]},
    {"phase": "from block3", "frozen": ["stem", "block1", "block2"], "moved": ["block3", "head"]},
    {"phase": "all", "frozen": [], "moved": list(STAGES)},
]


def history(schedule, start=2.5, floor=0.35):
    """Losses that fall and accuracies that rise, with a jolt at each new phase."""
    rng, rows = np.random.default_rng(0), []
    for row in schedule:
        for epoch in range(row["epochs"]):
            loss = floor + (start - floor) * 0.6 ** len(rows) + 0.1 * (epoch == 0) * (len(rows) > 0)
            rows.append(
                {
                    "epoch": len(rows),
                    "phase": row["phase"],
                    "seconds": 4.2,
                    "images_per_second": 350.0,
                    "learning_rate": max(row["rates"].values()),
                    "loss": loss,
                    "accuracy": 1 - loss / 3,
                    "val_loss": loss + 0.1 + 0.05 * rng.random(),
                    "val_accuracy": 0.97 - loss / 3,
                    "penalty_l2_sp": 0.01 * len(rows),
                }
            )
    rows[4]["val_loss"] = float("nan")
    del rows[-1]["penalty_l2_sp"]
    return rows


def sweep():
    rates = np.geomspace(1e-7, 1, 60)
    losses = 2.4 - 1.2 / (1 + np.exp(-2.5 * (np.log10(rates) + 3))) + np.maximum(0, np.log10(rates) + 0.8) ** 2 * 30
    return {"rates": rates, "losses": [*losses[:-1], float("inf")], "suggestion": np.float32(1.1e-3)}


def pictures(y, rng):
    """Stripes whose colour and width are the class's."""
    across = np.arange(96)
    stripes = np.sin(across[None] * (0.1 + 0.05 * (y if y.ndim == 1 else y.sum(axis=1))[:, None]))[:, None, :, None]
    colours = rng.integers(60, 255, (len(y), 1, 1, 3))
    pixels = np.clip(colours * (0.7 + 0.3 * stripes) + rng.normal(0, 12, (len(y), 64, 96, 3)), 0, 255).astype(np.uint8)
    names = tuple(f"class {i % 7}/<b>photo & {i:03d}.jpg" for i in range(len(y)))
    return ImageArray(pixels=pixels, y=y, names=names)


def labels(num_classes, rng, multi_label):
    """Test labels of classes that grow ever rarer, and scores that lean to them."""
    shares = np.linspace(1, 0.12, num_classes)
    if multi_label:
        y = (rng.random((150, num_classes)) < 0.4 * shares).astype(np.float32)
        y[0] = 1
        return y, 2 * rng.normal(size=y.shape) + 4 * y - 3
    y = np.repeat(np.arange(num_classes), np.ceil(18 * shares).astype(int))
    return y, 1.7 * rng.normal(size=(len(y), num_classes)) + 3.5 * (y[:, None] == np.arange(num_classes))


def classifier(names, activation="softmax"):
    """Mean colour against random class vectors."""
    rng = np.random.default_rng(0)
    images = keras.Input((16, 16, 3))
    embed = keras.Model(images, linear(rng.normal(size=(3, 3)))(keras.layers.GlobalAveragePooling2D()(images)))
    table = ClassTable(names=names, semantics=rng.normal(size=(len(names), 3)), seen=np.ones(len(names), bool))
    return Classifier(embed, table, preprocess=Preprocess(16, scale=(255.0,) * 3), activation=activation)


def write(folder, names, *, multi_label=False, perfect=False, trained=True, baseline=False, **parts):
    """A run with every section, but for what `parts` replaces."""
    rng = np.random.default_rng(len(names))
    y, scores = labels(len(names), rng, multi_label)
    scores = 40.0 * (y[:, None] == np.arange(len(names))) if perfect else scores
    activation = "sigmoid" if multi_label else "softmax"
    counts = 4 * (y.sum(axis=0).astype(int) if multi_label else np.bincount(y)) if trained else None
    report = evaluate_classification(scores, y, names, activation=activation, train_images=counts)
    images = pictures(y, rng)
    twins = [{"first": "training a/<1>.jpg", "second": "test b/&2.jpg", "distance": d} for d in (0, 6)]
    worse = evaluate_classification(0.4 * scores + rng.normal(size=scores.shape), y, names, activation=activation)
    data = DataSummary(
        source="/photos/<of> & mine",
        images={"training": 4 * len(y), "validation": len(y), "test": len(y)},
        skipped={"broken <b>&.jpg": "image file is truncated: <3 bytes> & more"},
        not_images=("notes & <b>.txt", "no text \udcfe"),
        folders_left_out=("left <out>",),
        duplicates=twins,
    )
    slower = [{**row, "phase": "all"} for row in history([{**SCHEDULE[2], "epochs": 20}], start=2.9, floor=1.1)]
    given = {
        "recipe": "finetune",
        "seconds": 605.5,
        "backbone": {
            "name": "efficientnet_lite0",
            "weights": "imagenet",
            "sha256": "5793" * 16,
            "licence": "Apache-2.0",
            "feature_size": 1280,
            "input_size": 224,
            "resize": "stretch",
        },
        "data": data,
        "schedule": SCHEDULE,
        "history": history(SCHEDULE),
        "proofs": PROOFS,
        "learning_rate_finder": sweep(),
        "baseline": Baseline(name="from <scratch>", seconds=1500.0, history=slower, report=worse) if baseline else None,
        "notes": ["head: activations of <stem> & co. cached"],
        **parts,
    }
    model = classifier(names, activation)
    folder.mkdir(parents=True)
    content = write_classification_run(
        folder,
        run=ClassificationRun(**given),
        classifier=model,
        report=report,
        images=images,
        golden=golden_batch(images, model.preprocess),
        config={"method": {"schedule": "fine_tune"}, "seed": 0},
    )
    return Run(folder), content, report


def percent(share):
    return "\N{EN DASH}" if share is None else f"{100 * share:.1f}%"


def shown(name):
    """A name that is no text shows its bytes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


@pytest.fixture(scope="module")
def big(tmp_path_factory, nasty):
    return write(tmp_path_factory.mktemp("runs") / "big", nasty, baseline=True)


@pytest.fixture(scope="module")
def page(big, read_page):
    run, _, _ = big
    return read_page(run.path / "report.html")


@pytest.fixture
def small(tmp_path, read_page):
    """Write a run of five classes and read its page."""

    def written(**options):
        run, content, report = write(tmp_path / "run", tuple("abcde"), **options)
        return read_page(run.path / "report.html"), content, report

    return written


def test_the_page_asks_for_nothing_and_announces_everything(page):
    page.check_stands_alone()
    page.check_announced()


def test_names_from_users_stand_there_literally(page, big, nasty):
    for name in nasty:
        assert shown(name) in page.text
    assert ["broken <b>&.jpg", "image file is truncated: <3 bytes> & more"] in page.rows()
    assert ["training a/<1>.jpg", "test b/&2.jpg", "6"] in page.rows()
    for text in (
        "/photos/<of> & mine",
        "left <out>",
        "notes & <b>.txt",
        "activations of <stem> & co.",
        "from <scratch>",
    ):
        assert text in page.text
    pictures = [picture.attributes["alt"] for picture in page.find("img")]
    _, content, _ = big
    assert pictures == [shown(f"Photo of {row['truth'][0]}, {row['source']}") for row in content["samples"]]
    assert page.labels().count("$x$") == 2  # of its row and of its column


def test_the_folder_holds_a_run(big):
    run, content, report = big
    names = {path.name for path in run.path.iterdir()}
    expected = {"classes.json", "config.json", "golden.npz", "history.csv", "model.keras", "report.html", "report.json"}
    assert names == expected | {"samples"}
    stored = run.read_json("report.json")
    assert stored["kind"] == "classification"
    assert stored == content == json.loads(json.dumps(content, allow_nan=False))
    assert stored["history"][4]["val_loss"] is None
    assert stored["learning_rate_finder"]["losses"][-1] is None
    assert len(read_history(run.path / "history.csv")) == 12
    assert len(stored["samples"]) == len(list((run.path / "samples").iterdir())) == 16
    assert [sample["loss"] for sample in stored["samples"]] == sorted(report.losses)[::-1][:16]
    np.testing.assert_array_equal(run.classifier().score(run.golden().images), run.golden().scores)


def test_the_golden_batch_is_neither_square_nor_the_networks_size():
    images = pictures(np.arange(30), np.random.default_rng(0))
    assert golden_batch(images, Preprocess(16)).shape == (7, 17, 18, 3)
    assert golden_batch(images.select(range(3)), Preprocess(16)).shape == (3, 17, 18, 3)


def test_images_of_another_set(big, tmp_path):
    _, _, report = big
    images = pictures(np.arange(3), np.random.default_rng(0))
    parts = {"classifier": None, "golden": None, "config": {}, "run": None}
    with pytest.raises(
        ValueError, match=rf"images: expected {len(report.truth)}, one a row of the report, received 3\."
    ):
        write_classification_run(tmp_path, report=report, images=images, **parts)
    assert not list(tmp_path.iterdir())


def test_headline_figures_stand_beside_the_baselines(page, big):
    _, content, _ = big
    test, other, rows = content["test"], content["baseline"], page.rows()
    assert ["This run", percent(test["mean_class_accuracy"]), ""] in rows
    assert [row[1] for row in rows if row[0].startswith("from <scratch>")] == [percent(other["mean_class_accuracy"])]
    assert [row[1] for row in rows if row[0].startswith("Chance ")] == [percent(test["chance"])]
    for label, key in {
        "Accuracy ": "accuracy",
        "mAP ": "mean_average_precision",
        "AUROC ": "auroc",
        "Sensitivity of rare classes ": "rare_sensitivity",
        "ECE ": "expected_calibration_error",
    }.items():
        assert [row[1:] for row in rows if row[0].startswith(label)] == [[percent(test[key]), percent(other[key])]]
    for label, key in {"Negative log-likelihood ": "negative_log_likelihood", "Brier score ": "brier_score"}.items():
        assert [row[1:] for row in rows if row[0].startswith(label)] == [[f"{test[key]:.3f}", f"{other[key]:.3f}"]]
    assert f"always the commonest class: {percent(test['majority'])}" in page.text
    assert "10 min 6 s" in page.text


def test_every_class_rare_ones_first_worst_first(small):
    page, content, _ = small()
    rows = [row for row in page.rows() if row[0] in set("abcde") and len(row) == 8]
    classes = sorted(content["test"]["classes"], key=lambda row: (not row["rare"], row["sensitivity"]))
    assert [row[0] for row in rows] == [row["name"] for row in classes]
    assert 0 < sum(row["rare"] for row in classes) < 5
    for shown_row, row in zip(rows, classes, strict=True):
        figures = [percent(row[key]) for key in ("specificity", "auroc")]
        counts = [str(row["train_images"]), str(row["test_images"]), percent(row["sensitivity"]), ""]
        assert shown_row[1:7] == [*counts, *figures]
    confusion = np.array(content["test"]["confusion"])
    np.fill_diagonal(confusion, 0)
    for shown_row in rows:
        mistakes = confusion["abcde".index(shown_row[0])]
        assert shown_row[7] == (f"{'abcde'[mistakes.argmax()]} ({mistakes.max()})" if mistakes.any() else "")


def test_the_schedule_as_a_table_and_as_a_heat_map(page):
    rows, labels = page.rows(), page.labels()
    assert ["phase", "head", "from block3", "all"] in rows
    assert ["epochs", "3", "4", "5"] in rows
    assert ["batch norm", "frozen", "frozen", "recalibrate"] in rows
    table = [row[0] for row in rows if row[0] in STAGES and len(row) == 4]
    assert [name for name in table if table.count(name) == 1] == ["block3", "block2", "block1", "stem"]
    assert ["block3", "frozen", "5e-5", "2.5e-5"] in rows
    assert ["stem", "frozen", "frozen", "3.1e-6"] in rows
    for text, count in {"1e-3": 1, "1e-4": 1, "5e-5": 2, "3.1e-6": 1, "frozen": 2, "recalibrate": 1}.items():
        assert labels.count(text) - (text in ("1e-3", "1e-4")) == count  # which the sweep's axis has, too


def test_the_freeze_proof_is_held_against_the_schedule(small):
    page, _, _ = small()
    assert ["from block3", "stem, block1, block2", "block3, head", "✓ as scheduled"] in page.rows()
    assert ["all", "\N{EN DASH}", "stem, block1, block2, block3, head", "✓ as scheduled"] in page.rows()


def test_a_frozen_stage_that_moved_is_called_so(small):
    page, _, _ = small(proofs=[{"phase": "head", "frozen": ["stem"], "moved": ["block1", "head"]}])
    assert ["head", "stem", "block1, head", "✗ a frozen stage moved"] in page.rows()


def test_learning_curves_have_training_validation_baseline_and_phases(page):
    figures = {figure.attributes["aria-label"] for figure in page.find("svg")}
    assert {"loss over epochs", "accuracy over epochs", "penalties over epochs"} <= figures
    assert page.labels().count("training") == page.labels().count("validation, baseline") == 2
    assert page.labels().count("l2_sp") == 1
    assert "12 epochs, and 20 of the baseline (from <scratch>). Phases: 1 head, 2 from block3, 3 all." in page.text


def test_the_sweep_with_its_suggestion(page, small):
    assert "suggestion 1.1e-3" in page.labels()
    without, _, _ = small(learning_rate_finder=None)
    assert "Learning-rate finder" not in without.text


def test_several_labels_an_image(small):
    page, content, _ = small(multi_label=True, baseline=True)
    test = content["test"]
    assert ["This run", percent(test["mean_average_precision"]), ""] in page.rows()
    assert "Confusion" not in page.text
    for row in test["classes"]:
        figures = [percent(row[key]) for key in ("average_precision", "sensitivity")]
        counts = [row["name"], str(row["train_images"]), str(row["test_images"])]
        assert [*counts, *figures, "", percent(row["specificity"]), percent(row["auroc"])] in page.rows()
    sample = content["samples"][0]
    assert f"Photo of {', '.join(sample['truth']) or 'no class'}, {sample['source']}" in [
        picture.attributes["alt"] for picture in page.find("img")
    ]
    page.check_announced()


def test_without_mistakes_phases_baseline_and_training_counts(small):
    empty = {"schedule": [], "history": [], "proofs": [], "notes": [], "learning_rate_finder": None}
    page, content, _ = small(perfect=True, trained=False, **empty)
    assert "None: every test image is right." in page.text
    assert "No phases: nothing was trained by gradient." in page.text
    assert "No epochs." in page.text
    assert content["samples"] == []
    assert content["baseline"] is None
    assert len(page.find("svg")) == 2
    page.check_announced()


def test_many_narrow_phases_and_many_epochs(small):
    stages = {f"block{i}": 1e-4 / i for i in range(1, 13)} | {"head": 1e-3}
    schedule = [
        {**PLAIN, "phase": f"from block{i}", "epochs": 1 + 80 * (i == 3), "batch_norm": "train", "rates": stages}
        for i in range(1, 13)
    ]
    page, _, _ = small(schedule=schedule, history=history(schedule), proofs=[])
    labels = page.labels()
    assert {"from block12", "block12", "10", "90"} <= set(labels)
    assert labels.count("1e-3") <= 2  # of the wide phase, and of the sweep's axis


def test_an_export_is_added_to_the_page(small, tmp_path, render):
    page, _, _ = small()
    assert "zsltf export RUN --format all" in page.text
    run = Run(tmp_path / "run")
    proof = Proof(
        format="Onnx",
        file="model.onnx",
        classes=5,
        batch=1,
        precision="float32",
        difference=3.2e-6,
        tolerance=5e-5,
        margin=5e-5,
        agreement=1.0,
        probability_error=1e-7,
        megabytes=13.84,
        seconds=3.41,
    )
    run.write_json("export.json", {"proofs": [asdict(proof)], "quantisation": None})
    assert ["model.onnx Onnx", "13.8", "3.4", "5", "1", "3.2e-06", "5e-05", "100.0%", "✓ holds"] in render(run).rows()


def test_two_renders_are_equal(small, tmp_path):
    small(baseline=True)
    first = (tmp_path / "run" / "report.html").read_bytes()
    assert write_report(Run(tmp_path / "run")).read_bytes() == first


def test_a_kind_without_a_page(small, tmp_path):
    _, content, _ = small()
    run = Run(tmp_path / "run")
    run.write_json("report.json", {**content, "kind": "clasification"})
    with pytest.raises(ValueError, match=r"report\.json, kind: expected one of adaptation, classification, few_shot,"):
        write_report(run)


def printed(show, *arguments):
    console = Console(file=io.StringIO(), width=100, color_system="standard", force_terminal=True)
    show(*arguments, console)
    text = console.file.getvalue()
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    return text, [line.split() for line in plain.splitlines()]


def test_the_schedule_on_the_terminal():
    text, lines = printed(print_schedule, SCHEDULE)
    assert ["phase", "head", "from", "block3", "all"] in lines
    assert ["epochs", "3", "4", "5"] in lines
    assert ["batch", "norm", "frozen", "frozen", "recalibrate"] in lines
    stages = [line for line in lines if line and line[0] in STAGES]
    assert stages == [
        ["head", "1e-3", "1e-4", "5e-5"],
        ["block3", "frozen", "5e-5", "2.5e-5"],
        ["block2", "frozen", "frozen", "1.3e-5"],
        ["block1", "frozen", "frozen", "6.3e-6"],
        ["stem", "frozen", "frozen", "3.1e-6"],
    ]
    assert text.count("\x1b[90m") == 7  # a frozen stage is grey


def test_names_on_the_terminal_are_no_markup():
    rows = [{**PLAIN, "phase": "[red]x[/red]", "epochs": 1, "batch_norm": "train", "rates": {"[b]": 0.0, "head": 0.02}}]
    _, lines = printed(print_schedule, rows)
    assert ["phase", "[red]x[/red]"] in lines
    assert ["[b]", "frozen"] in lines
    assert ["head", "2e-2"] in lines


@pytest.mark.parametrize("multi_label", [False, True])
def test_figures_on_the_terminal(small, multi_label):
    _, content, _ = small(multi_label=multi_label, baseline=True)
    _, lines = printed(print_classification, content)
    test, other = content["test"], content["baseline"]
    assert [str(test["images"]), "test", "images"] in lines
    assert ["AUROC,", "mean", "over", "classes", f"{test['auroc']:.3f}", f"{other['auroc']:.3f}"] in lines
    assert ["accuracy", f"{test['accuracy']:.3f}", f"{other['accuracy']:.3f}"] in lines
    assert any(line[:1] == ["mAP"] for line in lines) == multi_label
    assert lines[-1][-1] == f"{test['chance']:.3f}."


def test_figures_that_do_not_exist_are_not_printed(small):
    _, content, _ = small()
    content["test"]["rare_sensitivity"] = None
    _, lines = printed(print_classification, content)
    assert not [line for line in lines if "rare" in line]
    assert ["this", "run"] in lines
