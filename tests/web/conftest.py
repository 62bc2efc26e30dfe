"""Node for the page's modules, and the packages from npm that the browser runs."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zsltf.serving.browser_runtime import RUNTIMES

PAGE = Path(__file__).parents[2] / "export" / "web"
PACKAGES = (*(package.spec for runtime in RUNTIMES.values() for package in runtime.packages), "axe-core@4")


@pytest.fixture(scope="session")
def javascript(tmp_path_factory) -> Callable[..., Any]:
    """Run a function's body in Node, with the page's modules and `inputs` at hand; its result comes back by JSON."""
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    folder = tmp_path_factory.mktemp("modules")
    for module in PAGE.glob("*.js"):
        shutil.copy(module, folder)
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    runner = folder / "run.mjs"
    runner.write_text(
        """
        import { readFileSync } from "node:fs";
        const { body, inputs, names } = JSON.parse(readFileSync(0, "utf-8"));
        const modules = await Promise.all(names.map((name) => import(`./${name}.js`)));
        const Body = Object.getPrototypeOf(async function () {}).constructor;
        console.log(JSON.stringify((await new Body(...names, "inputs", body)(...modules, inputs)) ?? null));
        """,
        "utf-8",
    )

    def run(body: str, **inputs: Any) -> Any:
        names = ["answers", "edits", "resample", "table"]
        told = json.dumps({"body": body, "inputs": inputs, "names": names})
        done = subprocess.run((node, str(runner)), check=False, input=told, capture_output=True, text=True, timeout=120)
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def packages(tmp_path_factory) -> Path:
    """A node_modules folder with the runtimes: ZSLTF_NODE_MODULES, else from npm."""
    if given := os.environ.get("ZSLTF_NODE_MODULES"):
        return Path(given)
    if not shutil.which("npm"):
        pytest.skip("npm is not installed: the runtimes of the page come from there")
    folder = tmp_path_factory.mktemp("npm")
    command = ("npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES)
    subprocess.run(command, check=True, capture_output=True)
    return folder / "node_modules"
