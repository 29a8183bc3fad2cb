# Two commands on a fresh machine with only Python and make:
#   make demo   the main job on a simulated cohort, against its known truth
#   make test   everything the tests need, and all of them
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OPENBLAS_NUM_THREADS = 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint fuzz coverage bench bench-read torture accuracy

help:
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.test-installed: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[test]"
	touch $@

demo: $(VENV)/.installed ## run the main job on a simulated cohort and compare with its known truth
	$(BIN)/cytorecon demo

lint: $(VENV)/.test-installed ## ruff and mypy strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## install what the tests need and run them all
	$(BIN)/python -m pytest -n 2 --dist loadfile

torture: $(VENV)/.test-installed ## kill two writers 1,000 times and fill the disk at every write; nothing acknowledged may be lost
	PYTHONPATH=tests $(BIN)/python tests/study/torture.py --kills 500 --writers 2 --full-disks 400

fuzz: $(VENV)/.test-installed ## 100,000 mutations of HEADER and TEXT, within bounds on time and memory
	PYTHONPATH=tests $(BIN)/python -m fcs.fuzz 100000

coverage: $(VENV)/.test-installed ## every branch of cytorecon/fcs/ is taken by tests/fcs
	$(BIN)/coverage run --branch --data-file=$(VENV)/.coverage --source=cytorecon/fcs -m pytest -q tests/fcs
	$(BIN)/coverage report --data-file=$(VENV)/.coverage --show-missing --fail-under=100

bench: $(VENV)/.test-installed ## gating speed, memory and exactness against FlowKit and a bare read, about half an hour
	$(BIN)/python benchmarks/bench_gating.py

bench-read: ## reading speed against a bare read and the other readers that are installed; installs nothing
	$(BIN)/python benchmarks/bench_read.py benchmarks

accuracy: $(VENV)/.installed ## counts against the truth of 3,240 simulated tubes and of two labelled files; cost of placement
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/labelled.py
	$(BIN)/python benchmarks/placement.py
