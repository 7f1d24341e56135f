# The entry to everything. Needs only python3 (3.11 or newer, with venv), git and make; `make help` lists the targets.

PYTHON ?= python3
HOME_OF_DEMO := $(CURDIR)/.demo
BIN := .venv/bin
READY := .venv/.synced
KILLS ?= 500
SHELL := /bin/sh
.DEFAULT_GOAL := help

# A virtual environment holds absolute paths: one that was copied or moved with its checkout is made anew.
ifneq ($(wildcard $(READY)),)
ifneq ($(shell cat $(READY)),$(CURDIR))
$(shell rm -rf .venv)
endif
endif

# uv brings certificate roots of its own. Where the system has a store, what the system trusts is trusted, a proxy's too.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS ?= true
endif

.PHONY: help setup demo demo-down test chaos lint format bench bench-scoring docs lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## Make .venv from requirements.lock; a second call does nothing

demo: $(READY) ## Bring examples/titanic to production on this machine; it goes on serving
	@LOOPWRIGHT_HOME="$(HOME_OF_DEMO)" $(BIN)/loopwright up examples/titanic --auto-approve
	@echo "In this checkout: make demo-down stops it, and $(BIN)/loopwright is the command."

demo-down: ## Stop the demo and all that it started; fine where nothing runs
	@if [ -d .demo ]; then $(MAKE) -s setup && $(BIN)/loopwright down --home "$(HOME_OF_DEMO)"; \
	else echo "No demo has been started here."; fi

test: $(READY) ## Run all tests; some of them: make test ARGS="tests/unit -k gates"
	@$(BIN)/python -m pytest $(ARGS)

chaos: $(READY) ## Kill everything at random, 500 times, under load; again as it was: make chaos SEED=1 KILLS=100
	@LOOPWRIGHT_CHAOS_KILLS=$(KILLS) $(if $(SEED),LOOPWRIGHT_CHAOS_SEED=$(SEED)) \
	  $(BIN)/python -m pytest -n 0 -q -s tests/chaos/test_campaign.py

lint: $(READY) ## Check style, types and which room imports which
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY) ## Format the code, and mend what ruff can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## Measure against the budgets; fails where one is missed
	@missed=0; for file in $(filter-out benchmarks/report.py,$(wildcard benchmarks/*.py)); do echo "== $$file"; $(BIN)/python "$$file" || missed=1; done; exit $$missed

bench-scoring: $(READY) ## Measure the replica beside other model servers; quicker: make bench-scoring ARGS="--short --only echo,compiled"
	@$(BIN)/python benchmarks/scoring $(ARGS)

docs: $(READY) ## Write docs/reference again from the code
	@mkdir -p docs/reference
	@$(BIN)/python -m loopwright.cli.reference > docs/reference/.cli.md && mv docs/reference/.cli.md docs/reference/cli.md
	@$(BIN)/python -m loopwright.spec.reference > docs/reference/.spec.md && mv docs/reference/.spec.md docs/reference/spec.md

lock: $(BIN)/uv ## Resolve requirements.lock again, after a change in pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --all-extras --group dev --no-header --no-annotate \
	  pyproject.toml --output-file requirements.lock

clean: demo-down ## Stop the demo, then remove what make and the tools made
	@[ ! -d .demo ] || chmod -R u+w .demo  # what the store holds is read-only
	@rm -rf .venv .demo .bench .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml | $(BIN)/uv
	@echo "Syncing .venv with requirements.lock ..."
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --python $(BIN)/python --editable .
	@printf '%s' "$(CURDIR)" > $@

# uv comes from the lock as all else does: its lines are cut out and given to pip, which checks their hashes.
$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Loopwright needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 || true)." \
	       "Install one and name it: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv --clear .venv
	@awk '/^uv==/ {inside=1} inside {print} inside && !/\\$$/ {exit}' requirements.lock > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.lock
