# The words of this house. `make help` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK := requirements/dev.txt

.PHONY: help install demo up test check bench chaos chaos-controls screens map image-test lock

help:  ## list these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP)  ## make .venv from the lock (once; instantaneous afterwards)
	@:

$(STAMP): $(LOCK) requirements/runtime.in pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Linli needs Python 3.11 or newer; $(PYTHON) is older. Say PYTHON=python3.12 make …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@cmp -s $(LOCK) $(VENV)/.lock || { echo "Installing what the lock names …" >&2; $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(LOCK) && cp $(LOCK) $(VENV)/.lock; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: install  ## a simulated village with all programs; opens with the three addresses, Ctrl-C ends it
	@exec $(BIN)/linli demo $(ARGS)

up: install  ## all programs as linli.toml says (CONFIG=file)
	@exec $(BIN)/linli up --config $(or $(CONFIG),linli.toml)

test: install  ## every test, with real servers and a real browser
	@PYTHON=$(BIN)/python bash .ci/debian-packages
	@$(BIN)/python -m pytest $(ARGS)

check: install  ## formatter, linter, types, import contracts, house rules
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary .
	@said=$$($(BIN)/lint-imports 2>&1) || { echo "$$said"; exit 1; }
	@$(BIN)/python -m pytest -q --no-header -p no:cacheprovider tests/house_rules

bench: install  ## measure: NAME=alarm, storm, away, audit, ingest, frames or rules; the last line is JSON
	@test -n "$(NAME)" || { echo "Say which: make bench NAME=alarm (or storm, away, audit, ingest, frames, rules)"; exit 2; }
	@exec $(BIN)/python -m tests.bench.$(NAME) $(ARGS)

chaos: install  ## kill, pause, cut and fill everything for MINUTES=20 with SEED=1; the last line is JSON, red exits 1
	@exec $(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),20) --seed $(or $(SEED),1) $(ARGS)

chaos-controls: install  ## sabotage the promise in seven ways: the checker must turn red each time
	@exec $(BIN)/python -m tests.chaos.controls $(ARGS)

screens: install  ## render every page into DIR=folder
	@exec $(BIN)/python -m tests.screens --dir $(or $(DIR),build/screens) $(ARGS)

map: install  ## write the generated parts of the documentation again
	@exec $(BIN)/python -m tests.house_rules.code_map --write

image-test: install  ## build the container image and run the demo inside (needs podman, buildah, debootstrap)
	@exec $(BIN)/python -m tests.image_test $(ARGS)

lock:  ## resolve requirements/*.in again into hashed locks (needs pip-tools)
	cd requirements && for name in runtime dev; do \
	  pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
	    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file $$name.txt $$name.in || exit 1; done
