"""The command line; TensorFlow is imported where a command needs it."""

import argparse
import importlib.util
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from zsltf import __version__
from zsltf.checks import check_choice
from zsltf.discovery import FAMILIES, constructors, names, summary

__all__ = ["main"]

SCRIPTS = {
    "adapt": ("adapt_run", "from a few photos a class, on a run's backbone, to a run that exports"),
    "export": ("export_model", "export a run to SavedModel, TFLite and ONNX"),
    "classes": ("edit_classes", "list, add, remove or rename the classes of an exported file"),
    "verify": ("verify_export", "check an export: hashes, labels, replay; name the layer that differs"),
    "benchmark": ("benchmark_artifact", "time and test exported files on labelled photos"),
    "rank": ("rank_backbones", "sort backbones by what their features promise on labelled images, without training"),
    "doctor": ("doctor", "tell which clients of exported files this machine has, and how to get the others"),
    "serve": ("serve_models", "serve exported models by TensorFlow Serving's protocol, for development"),
}
"""Commands that are scripts of their own: file in export/, and what it does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; bad input ends in one message on standard error and status 1."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    given = list(sys.argv[1:] if arguments is None else arguments)
    options, rest = _parser().parse_known_args(given)
    if rest and options.start not in (_run, _script):
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return int(options.start(options, rest) or 0)
    except BrokenPipeError:  # whoever read our lines has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 (or Python complains once more at exit)
        return 0
    except (ValueError, OSError, ImportError, MemoryError) as error:
        if os.environ.get("ZSLTF_TRACEBACK"):
            raise
        print(f"zsltf {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"zsltf {options.command}: stopped; nothing half-written is left", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zsltf", description="Transfer and zero-shot learning in Keras, with artifacts whose classes stay open."
    )
    parser.add_argument("--version", action="version", version=f"zsltf {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run a recipe: photos in, a run folder out", add_help=False)
    run.add_argument("recipe", nargs="?", help="a name that `zsltf ls recipes` prints")
    run.set_defaults(start=_run)

    for command, (_, about) in SCRIPTS.items():
        commands.add_parser(command, help=about, add_help=False).set_defaults(start=_script)

    predict = commands.add_parser("predict", help="classify photos with an exported file")
    predict.add_argument("artifact", type=Path, help="a .onnx, a .tflite or a SavedModel folder")
    predict.add_argument("photos", type=Path, nargs="+", help="photos, or folders of photos")
    predict.add_argument("--classes", type=Path, metavar="ROWS.CSV", help="more classes: class, then the attributes")
    predict.add_argument("--csv", type=Path, metavar="OUT.CSV", help="write the predictions there too")
    predict.add_argument("--top", type=int, default=3, help="classes a photo (default 3)")
    predict.set_defaults(start=_predict)

    ls = commands.add_parser("ls", help="list recipes, backbones, heads, methods and formats")
    ls.add_argument("family", nargs="?", help=f"recipes, {', '.join(FAMILIES)}; all of them by default")
    ls.set_defaults(start=_ls)
    return parser


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    known = _scripts("recipes")
    if options.recipe in (None, "-h", "--help"):
        print("usage: zsltf run RECIPE [--help]\n\nrecipes:", *(f"  {name}" for name in known), sep="\n")
        return 0
    check_choice("recipe", options.recipe, known)
    return _start(known[options.recipe], f"zsltf run {options.recipe}", rest)


def _script(options: argparse.Namespace, rest: list[str]) -> int:
    name, _ = SCRIPTS[options.command]
    return _start(_scripts("export")[name], f"zsltf {options.command}", rest)


def _start(script: Path, program: str, arguments: list[str]) -> int:
    """Read a script's Config from the command line and call its main, as the script itself would."""
    import tyro

    module = _module(script)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: print(f"{program}: {message}", file=sys.stderr)
        return int(module.main(tyro.cli(module.Config, prog=program, args=arguments)) or 0)


def _predict(options: argparse.Namespace, _: list[str]) -> int:
    from zsltf.artifacts.card import NONE_OF_THESE
    from zsltf.prediction import check_table, open_artifact, photo_paths, predict, write_predictions

    if options.csv:
        check_table(options.csv)
    photos = photo_paths(options.photos)
    done = []
    for prediction in predict(open_artifact(options.artifact, options.classes), photos, options.top):
        done.append(prediction)
        if prediction.error:
            print(f"zsltf predict: {prediction.error}", file=sys.stderr)
            continue
        ranking = ", ".join(f"{name} {probability:.3f}" for name, probability, _score in prediction.ranking)
        nothing = "" if prediction.known else f"{NONE_OF_THESE}; nearest "
        print(f"{prediction.photo}: {nothing}{ranking}")
    if options.csv:
        write_predictions(options.csv, done)
    return int(any(prediction.error for prediction in done))


def _ls(options: argparse.Namespace, _: list[str]) -> int:
    if options.family:
        check_choice("family", options.family, ("recipes", *FAMILIES))
    for family in ("recipes", *FAMILIES):
        if options.family == family == "backbones":
            _list_backbones()
        elif options.family in (None, family):
            more = " (`zsltf ls backbones` lists their networks)" if family == "backbones" else ""
            print(f"{family}{more}:", *(f"  {name:24}{text}" for name, text in _lines(family)), sep="\n")
    return 0


def _lines(family: str) -> list[tuple[str, str]]:
    if family == "recipes":
        return [
            (name, path.read_text("utf-8").partition("\n")[0].strip('"')) for name, path in _scripts(family).items()
        ]
    return [(name, summary(family, name)) for name in names(family)]


def _list_backbones() -> None:
    """One line a network; a pipe gets lines of 100 characters."""
    from rich.console import Console
    from rich.table import Table

    from zsltf.pretrained.catalogue import catalogue

    table, families = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0)), catalogue()
    for header in ("backbone", "million", "size", "features", "stages", "licence", "weights"):
        table.add_column(header, justify="right" if header in ("million", "size", "features") else "left")
    for family in families.values():
        for name, member in family.members.items():
            stages = tuple(family.stages_of(name))
            named = f"{len(stages)}: {stages[0]} to {stages[-1]}" if stages else "none"
            numbers = (f"{member.parameters / 1e6:.1f}", str(member.size), str(member.features))
            table.add_row(name, *numbers, named, family.licence, family.source)
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    print("\nmillion: parameters without the head; size: pixels; features: length of one vector. Besides:")
    others = {name: file for name, file in constructors("backbones").items() if file not in families}
    print(*(f"  {name:24}{summary('backbones', file)}" for name, file in others.items()), sep="\n")


def _scripts(folder: str) -> dict[str, Path]:
    """Scripts of an installed wheel, or of a checkout."""
    package = Path(__file__).parent
    installed = package / "_scripts" / folder
    where = installed if installed.is_dir() else package.parent / folder
    return {path.stem: path for path in sorted(where.glob("*.py"))}


def _module(script: Path) -> Any:
    name = f"zsltf._scripts.{script.stem}"
    spec = importlib.util.spec_from_file_location(name, script)
    if spec is None or spec.loader is None:
        raise ImportError(f"{script}: expected a Python script, received something else. Reinstall zsltf.")
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where the types in Config's annotations are looked up
    spec.loader.exec_module(module)
    return module
