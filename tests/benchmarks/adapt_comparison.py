"""DANN, DeepCORAL, KMM and TrAdaBoost beside those of ADAPT 0.4.5, on the same arrays, in turn: accuracy and time.

pip install --no-deps --target FOLDER adapt==0.4.5 cvxopt==1.3.3 scikeras==0.13.0
PYTHONPATH=FOLDER python tests/benchmarks/adapt_comparison.py --data $ZSLTF_TEST_DATA/digits --results rows.json

ADAPT (de Mathelin et al., arXiv 2107.03049) is no part of the project, and goes into a folder of its own. Both sides
get the same images as vectors, the same starting network, Adam, epochs, batches and weights of terms. What can't be
made equal: ADAPT 0.4.5's DeepCORAL trains its encoder on the distance of covariances alone, not on the labels; its
TrAdaBoost takes errors of probabilities where Dai et al. count mistakes, and error / (2 - error) where they have error
/ (1 - error).

Measured from MNIST to USPS, seeds 0 to 4, one thread; accuracy in percent with Student's 95 % interval, time as the
median of the ratios of processor time, zsltf / ADAPT:

    DANN        39.5 (31.4 to 47.5)   ADAPT 39.5 (25.3 to 53.6)   0.24
    DeepCORAL   43.2 (39.3 to 47.0)   ADAPT 39.6 (38.6 to 40.7)   0.35
    KMM         33.9 (23.8 to 44.0)   ADAPT 38.4 (29.1 to 47.7)   0.50
    TrAdaBoost  73.7 (72.1 to 75.3)   ADAPT 71.8 (69.7 to 73.9)   0.53

Either KMM solves the same program to the same weights (correlation 0.9999 on one part of the source); the source is cut
into its two parts by another draw on either side, and a part of 1,000 is worth 18 examples under its weights.
"""

import importlib.util
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tyro
from digit_domains import CLASSES, drawn, protocol, read_digits
from sklearn.linear_model import LogisticRegression

from zsltf.adaptation.dann import DANN
from zsltf.adaptation.deep_coral import DeepCORAL
from zsltf.checks import fail
from zsltf.data.features import Features
from zsltf.data.unlabelled import Unlabelled
from zsltf.evaluation.adaptation import dealt
from zsltf.files import atomic_file
from zsltf.instance.kmm import KMM, median_distance
from zsltf.instance.tradaboost import TrAdaBoost
from zsltf.metrics.intervals import class_interval
from zsltf.training.descent import Descent

BATCH, LABELLED = 64, 5
"""Images a step; and labelled target images of each class, for TrAdaBoost alone."""
ROUNDS, UPPER = 10, 100.0
WANTED = 1.1
"""Most median of the ratios of time, ours to theirs."""


@dataclass(frozen=True, kw_only=True)
class Config:
    data: Path
    """A folder with mnist_10k.npz and usps.npz."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    source: str = "MNIST"
    target: str = "USPS"
    epochs: int = 20
    results: Path = Path("adapt_comparison.json")
    """A JSON file, a row a line; rows that it has are kept."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Arrays:
    """What both sides get, as vectors."""

    source: Features
    target: Unlabelled
    few: Features
    """Of the target, with labels."""
    test: Features


def main(config: Config) -> None:
    """Seeds x methods x sides -> rows and a table; the order of the sides turns round with the seed."""
    if importlib.util.find_spec("adapt") is None:
        fix = (
            "Run: pip install --no-deps --target FOLDER adapt==0.4.5 cvxopt==1.3.3 scikeras==0.13.0; PYTHONPATH=FOLDER"
        )
        fail("ADAPT", "version 0.4.5 on PYTHONPATH", "none", fix)
    rows: list[dict[str, Any]] = json.loads(config.results.read_text("utf-8")) if config.results.is_file() else []
    done = {(row["method"], row["seed"]) for row in rows}
    digits = read_digits(config.data, 16)
    for seed in config.seeds:
        arrays = arrays_of(digits, (config.source, config.target), seed)
        for name, sides in METHODS.items():
            if (name, seed) in done:
                continue
            order = list(sides.items())[:: -1 if seed % 2 else 1]
            told = {side: measured(run, arrays, config, seed) for side, run in order}
            rows.append({"method": name, "seed": seed, **told})
            print(rows[-1], flush=True)  # noqa: T201 (a script)
            with atomic_file(config.results) as staging:
                staging.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", "utf-8")
    print("\n".join(table(rows)))  # noqa: T201


def arrays_of(digits: Mapping[str, Features], direction: tuple[str, str], seed: int) -> Arrays:
    """Images of a seed; of the source so many that they make whole batches."""
    source, target = drawn(digits, direction, seed)
    (train, _), (adapted, test) = (
        dealt(examples, share, seed)
        for examples, share in ((source, protocol(seed).validation), (target, protocol(seed).test))
    )
    vectors = [part.with_x(part.x.reshape(len(part), -1)) for part in (train, adapted, test)]
    whole = vectors[0].select(np.random.default_rng(seed).permutation(len(train))[: len(train) // BATCH * BATCH])
    few = np.concatenate([np.flatnonzero(adapted.y == label)[:LABELLED] for label in range(len(CLASSES))])
    return Arrays(source=whole, target=vectors[1].unlabelled(), few=vectors[1].select(few), test=vectors[2])


def measured(run: Callable[[Arrays, int, int], Any], arrays: Arrays, config: Config, seed: int) -> dict[str, float]:
    """Target accuracy, and seconds of fitting by the clock and of the processor."""
    start, began = time.perf_counter(), time.process_time()
    predict = run(arrays, config.epochs, seed)
    seconds, processor = time.perf_counter() - start, time.process_time() - began
    accuracy = float((np.asarray(predict(arrays.test.x)).argmax(axis=1) == arrays.test.y).mean())
    return {"accuracy": accuracy, "seconds": seconds, "processor": processor}


def encoder(width: int, seed: int) -> keras.Model:
    """Two dense layers with BatchNorm."""
    keras.utils.set_random_seed(seed)
    layers: list[Any] = [keras.Input((width,))]
    for units in (128, 64):
        norm = keras.layers.BatchNormalization(momentum=0.9)
        layers += [keras.layers.Dense(units, use_bias=False), norm, keras.layers.ReLU()]
    return keras.Sequential(layers)


def ours(method: Any) -> Callable[[Arrays, int, int], Any]:
    """A method of zsltf on a network."""

    def run(arrays: Arrays, epochs: int, seed: int) -> Any:
        descent = Descent(epochs=epochs, batch_size=BATCH, seed=seed, penalty=0.0)
        network = encoder(arrays.source.x.shape[1], seed)
        return method(descent=descent).fit(arrays.source, arrays.target, CLASSES, network=network).score

    return run


def theirs(name: str) -> Callable[[Arrays, int, int], Any]:
    """The same of ADAPT; its weights of terms are those that give zsltf's losses."""

    def run(arrays: Arrays, epochs: int, seed: int) -> Any:
        from adapt import feature_based
        from adapt.utils import UpdateLambda

        head = keras.Sequential([keras.layers.Dense(len(CLASSES), activation="softmax")])
        options: dict[str, Any] = {"lambda_": 10.0}
        callbacks = []
        if name == "DANN":
            hidden = [keras.layers.Dense(128, activation="relu") for _ in range(2)]
            last = keras.layers.Dense(1, activation="sigmoid")
            options = {"lambda_": tf.Variable(0.0), "discriminator": keras.Sequential([*hidden, last])}
            options["optimizer_disc"] = keras.optimizers.Adam(1e-3)
            steps = epochs * len(arrays.source) // BATCH
            callbacks = [UpdateLambda(lambda_max=0.5, max_steps=steps, gamma=10.0)]  # it sums both domains' losses
        model = getattr(feature_based, name)(
            encoder=encoder(arrays.source.x.shape[1], seed),
            task=head,
            Xt=arrays.target.x,
            loss="categorical_crossentropy",
            optimizer=keras.optimizers.Adam(1e-3),
            optimizer_enc=keras.optimizers.Adam(1e-3),
            verbose=0,
            random_state=seed,
            **options,
        )
        y = np.eye(len(CLASSES), dtype=np.float32)[arrays.source.y]
        model.fit(arrays.source.x, y, epochs=epochs, batch_size=BATCH, verbose=0, callbacks=callbacks)
        return lambda x: model.predict(x, verbose=0)

    return run


def regression() -> LogisticRegression:
    """What learns from weighted examples, on both sides."""
    return LogisticRegression(C=1.0, max_iter=1000)


def our_kmm(arrays: Arrays, _: int, seed: int) -> Any:
    """Weights of the published problem, without a ridge."""
    weighed = KMM(ridge=0.0, upper=UPPER, seed=seed).weigh(arrays.source, arrays.target)
    return regression().fit(weighed.x, weighed.y, sample_weight=weighed.weights).decision_function


def their_kmm(arrays: Arrays, _: int, seed: int) -> Any:
    """With the same kernel."""
    from adapt import instance_based

    gamma = 1 / (2 * median_distance(arrays.target.x, seed) ** 2)
    x, target = (part.x.astype(np.float64) for part in (arrays.source, arrays.target))  # all that cvxopt takes
    model = instance_based.KMM(regression(), Xt=target, B=UPPER, gamma=gamma, verbose=0, random_state=seed)
    return model.fit(x, arrays.source.y).estimator_.decision_function


def our_tradaboost(arrays: Arrays, _: int, __: int) -> Any:
    """Softmax regressions."""
    return TrAdaBoost(rounds=ROUNDS).fit(arrays.source, arrays.few, CLASSES).score


def their_tradaboost(arrays: Arrays, _: int, seed: int) -> Any:
    """Softmax regressions."""
    from adapt import instance_based

    model = instance_based.TrAdaBoost(
        regression(), Xt=arrays.few.x, yt=arrays.few.y, n_estimators=ROUNDS, verbose=0, random_state=seed
    )
    model.fit(arrays.source.x, arrays.source.y)
    return lambda x: np.eye(len(CLASSES))[np.asarray(model.predict(x)).ravel().astype(int)]


METHODS = {
    "DANN": {"ours": ours(DANN), "theirs": theirs("DANN")},
    "DeepCORAL": {"ours": ours(DeepCORAL), "theirs": theirs("DeepCORAL")},
    "KMM": {"ours": our_kmm, "theirs": their_kmm},
    "TrAdaBoost": {"ours": our_tradaboost, "theirs": their_tradaboost},
}


def table(rows: list[dict[str, Any]]) -> list[str]:
    """In Markdown: accuracies with Student's 95 % interval over seeds, and the ratios of time."""
    headings = ("method", "seeds", "zsltf", "95 %", "ADAPT", "95 %", "wanted", "time, zsltf / ADAPT", "wanted")
    lines = [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]
    for name in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == name]
        own, other = (np.array([row[side]["accuracy"] for row in mine]) for side in ("ours", "theirs"))
        ratios = np.array([row["ours"]["processor"] / row["theirs"]["processor"] for row in mine])
        low, high = class_interval(other)
        cells = (
            name,
            str(len(mine)),
            f"{100 * own.mean():.1f}",
            " to ".join(f"{100 * end:.1f}" for end in class_interval(own)),
            f"{100 * other.mean():.1f}",
            f"{100 * low:.1f} to {100 * high:.1f}",
            "met" if own.mean() >= low else "MISSED",
            f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})",
            "met" if np.median(ratios) <= WANTED else "MISSED",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    main(tyro.cli(Config))
