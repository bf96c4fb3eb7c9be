# `make demo` and `make test` set up all they need in .venv; PYTHON names the interpreter to start from.
PYTHON ?= python3
BIN := .venv/bin
# What of pyproject.toml's extras is installed to test with.
TEST_EXTRAS ?= test
TEST_WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
# Blender as a Python module, which the extension is built by and tested in: up to 375 MB
# to download and 900 MB on disk for each version.
BPY_4.2 := 4.2.23
BPY_4.5 := 4.5.15
BPY_5.0 := 5.0.1
BPY_5.3 := 5.3.0
# From 5.1 on Blender has Python 3.13, and wants that as a module too.
BPY_PYTHON_5.3 := python3.13

# Our modules are compiled once, and not in each of the hundreds of processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test tests check lint generated bench docs wheel blender-extension bpy-4.2 bpy-4.5 bpy-5.0 bpy-5.3 clean

demo: .venv/demo.stamp
	$(BIN)/cleanplate demo --output demo_out

# All tests; those of one file stay together, so that what they share is made once, and files come in the order
# that tests/conftest.py gives them. One process more than there are cores: many tests wait.
test: lint bpy-4.5
	$(MAKE) tests

tests: .venv/test.stamp
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadscope --no-loadscope-reorder

# The inner loop: what can be known in a minute and a half.
check: lint
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadscope -m "not slow" -q

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What stands in plugin_core/job/settings.py, for the command, the hosts, the schemas and docs/settings.md.
generated: .venv/test.stamp
	$(BIN)/python -m generate

bench: .venv/test.stamp
	$(BIN)/python -m tests.benchmarks

# The documentation as a site, in site/; a broken link fails.
docs: .venv/docs.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

wheel: .venv/test.stamp
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

blender-extension: bpy-4.5
	.venv-bpy-4.5/bin/python blender/build.py --out dist

# Where it can't be had this says why, and the tests that need it are skipped.
bpy-4.2 bpy-4.5 bpy-5.0 bpy-5.3: bpy-%:
	@test -f .venv-bpy-$*/installed.stamp || { \
	    $(or $(BPY_PYTHON_$*),$(PYTHON)) -m venv .venv-bpy-$* && \
	    .venv-bpy-$*/bin/python -m pip install --quiet --disable-pip-version-check --no-compile bpy==$(BPY_$*) && \
	    touch .venv-bpy-$*/installed.stamp; \
	} || echo "bpy $(BPY_$*) can't be installed here (it wants $(or $(BPY_PYTHON_$*),Python 3.11)); its tests will be skipped"

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Cleanplate needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv

.venv/demo.stamp: .venv/bin/python pyproject.toml
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/docs.stamp: .venv/bin/python pyproject.toml
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $@

.venv/test.stamp: .venv/bin/python pyproject.toml
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[$(TEST_EXTRAS)]'
	touch $@

clean:
	rm -rf .venv .venv-* build dist site demo_out *.egg-info
