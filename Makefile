PYTHON ?= python3
BIN := .venv/bin

.PHONY: quickstart test test-all lint backbones clients speed clean

quickstart: .venv/.installed  ## draw pictures, train, export in three formats, write the report
	$(BIN)/zsltf run zero_shot --shuffles 20 --out runs/quickstart --overwrite method:eszsl
	$(BIN)/zsltf export runs/quickstart --format all --overwrite
	@echo "Open runs/quickstart/report.html"

test: .venv/.installed-dev lint  ## what CI runs
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile

test-all: .venv/.installed-dev lint  ## the slow tests too: hours
	$(BIN)/pytest

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

backbones: .venv/.installed-dev  ## build, split and export the catalogue: writes .github/BACKBONES.md
	$(BIN)/python tests/benchmarks/catalogue.py --out .github/BACKBONES.md

clients: .venv/.installed-dev  ## exported files in other people's runtimes, on the test data: writes .github/CLIENTS.md
	$(BIN)/python tests/benchmarks/clients.py --data "$${ZSLTF_TEST_DATA:?expected the folder of test data}/animals" --out .github/CLIENTS.md

speed: .venv/.installed-dev  ## against bare Keras and TensorFlow, in one run
	$(BIN)/python tests/benchmarks/speed.py

.venv/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14) and "zsltf needs Python 3.11 to 3.13: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --editable .
	@touch $@

.venv/.installed-dev: .venv/.installed
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv runs
