# Needs Python 3.11 or newer; `make setup` brings the rest into .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
# Each process takes whole files and has a database server of its own; 0 runs all in one process.
PROCESSES ?= 2
# A migration is one transaction whose connection sets the time limits; small counts are integers; an index
# that is made together with its table locks nobody out.
MIGRATIONS := prefer-robust-stmts,require-statement-timeout,require-lock-timeout,prefer-bigint-over-int,$\
	require-concurrent-index-creation

.PHONY: help setup demo check lint test screens words bench torture docs lock clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

setup: ## Make .venv with the locked packages
	@scripts/setup

demo: setup ## Play a whole raise, for example ARGS="--investors 50"
	@$(BIN)/bookrunner demo $(ARGS)

check: setup ## Lint and test: what CI runs
	@scripts/chromium
	@scripts/poppler
	@$(MAKE) lint
	@$(MAKE) test

lint: setup ## Check style, types and imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m scripts.words --check
	@$(BIN)/squawk --assume-in-transaction --exclude=$(MIGRATIONS) src/bookrunner/db/migrations/sql/*/*.sql

test: setup ## Run the tests, for example ARGS="tests/treasury -x"
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -q --numprocesses=$(PROCESSES) --dist=loadfile --no-loadscope-reorder $(ARGS)

screens: setup ## Save a picture of every page into build/screens
	@mkdir -p build/screens
	@BOOKRUNNER_TEST_SHOTS=build/screens $(BIN)/python -m pytest -q -m browser tests/pages tests/capital tests/subscription $(ARGS)

words: setup ## Write the catalogues of the pages' languages anew; what lacks a translation stands empty
	@$(BIN)/python -m scripts.words

bench: setup ## Measure, for example ONLY=transitions
	@$(BIN)/python -m bench $(ONLY)

torture: setup ## Kill servers and workers, and look for what was lost
	@$(BIN)/python -m pytest -q -m torture $(ARGS)

docs: setup ## Build the documentation site into build/docs, offline
	@$(BIN)/python -m scripts.build_site

lock: setup ## Write the lock files anew, for example ARGS=--upgrade
	@scripts/lock $(ARGS)

clean: ## Remove .venv, builds and caches
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
