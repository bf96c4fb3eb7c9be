# `make demo` and `make test` set up all they need in .venv; PYTHON names the interpreter to start from.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint bench wheel clean

demo: .venv/demo.stamp
	$(BIN)/cleanplate demo --out demo_out

test: lint
	$(BIN)/python -m pytest

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/test.stamp
	$(BIN)/python -m tests.benchmarks

wheel: .venv/test.stamp
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Cleanplate needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv

.venv/demo.stamp: .venv/bin/python pyproject.toml
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/test.stamp: .venv/bin/python pyproject.toml
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

clean:
	rm -rf .venv build dist demo_out *.egg-info
