# Each target sets up what it needs; see CONTRIBUTING.md. Only Python >= 3.11, git and make are assumed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := server tests scripts

.DEFAULT_GOAL := help
.PHONY: help demo test check generate long e2e redteam bench vscode lock docs clean

help:  ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …"; exit 2; }
	@echo "setting up $(VENV) (once; about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)  ## the main job, from start to undo, on a copy of the sample project
	@$(BIN)/attache demo

test: $(STAMP)  ## everything that needs no outside service
	@$(BIN)/python -m pytest -q -n auto --cov --cov-report= && $(BIN)/python -m coverage report --skip-covered --fail-under=85 | tail -n 40

check: $(STAMP)  ## lint, types, import contracts, generated files
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/generate.py --check
	@$(BIN)/python scripts/vscode.py check

generate: $(STAMP)  ## write the files that are made from the code
	@$(BIN)/python scripts/generate.py

long: $(STAMP)  ## the full counts of the randomised, kill and race suites
	@ATTACHE_LONG=1 $(BIN)/python -m pytest -q -n auto -m long

e2e: $(STAMP)  ## real editors
	@$(BIN)/python scripts/editors.py
	@$(BIN)/python scripts/vscode.py host
	@$(MAKE) --no-print-directory vscode
	@$(BIN)/python -m pytest -q -rs tests/e2e --override-ini addopts="-ra --strict-markers --strict-config --import-mode=importlib"

redteam: $(STAMP)  ## attacks by a model that obeys the attacker, every case in every mode
	@ATTACHE_LONG=1 $(BIN)/python -m pytest -q -n auto tests/redteam --override-ini addopts="-ra --strict-markers --strict-config --import-mode=importlib"

bench: $(STAMP)  ## ratios against peers, in one run
	@$(BIN)/python -m tests.bench $(if $(PEERS),--peers)

vscode: $(STAMP)  ## dist/attache-<version>.vsix (needs Node 20 or newer)
	@$(BIN)/python scripts/vscode.py build

lock:  ## pin the dependencies anew (needs uv)
	@for name in base dev; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" \
	    $$(test $$name = dev && echo --extra dev) pyproject.toml --output-file requirements/$$name.txt; done

docs:  ## the tables and references in docs/ that are made from the code
	@$(MAKE) --no-print-directory generate

clean:  ## remove what make made
	@rm -rf $(VENV) dist build client-vscode/dist client-vscode/node_modules client-vscode/wheel .coverage* .pytest_cache .ruff_cache .cache
