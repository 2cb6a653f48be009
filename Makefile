# One command for each thing that a person does here. `make` alone lists them.
#
# Only relative paths, so that a checkout may stand in a folder whose name holds spaces.
# PYTHON chooses the interpreter that the virtual environment is made from: make test PYTHON=python3.13
# ARGS is handed on:  make pytest ARGS="tests/unit -k quiet"   make serve ARGS="--port 8080"

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo run serve worker doctor test pytest drill bench-find bench-areas bench-import bench-geo bench-send bench-feed bench-receipts bench-map bench-addresses bench-board bench-plan bench-web check format venv venv-test servers lock clean

PYTHON ?= python3
ARGS ?=

export PYTHON
BIN := .venv/bin
RUFF := $(BIN)/ruff
RUFF_CONFIG := --config .ci/ruff.toml

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: venv ## play the life of a planned outage, then keep serving its pages (needs no server)
	@$(BIN)/outage-notify demo --stay $(ARGS)

run: serve ## the same as serve
serve: venv ## start the web server and, with the default broker, the worker
	@$(BIN)/outage-notify serve $(ARGS)

worker: venv ## start a worker of its own (production)
	@$(BIN)/outage-notify worker $(ARGS)

doctor: venv ## say in plain words which settings and services are missing
	@$(BIN)/outage-notify doctor $(ARGS)

test: servers check ## set up what the tests need, check the code, run all tests
	@$(BIN)/python -m pytest $(ARGS)

pytest: venv-test ## run tests alone, with what is installed: make pytest ARGS="tests/unit -x"
	@$(BIN)/python -m pytest $(ARGS)

bench-geo: venv-test ## trace, find and show beside ten other ways, at one and at ten million customers
	@sh .ci/servers.sh geo
	@$(BIN)/python -m pip install --quiet --require-hashes -r .ci/bench.lock \
	  || echo "igraph and numba could not be installed; they are left out." >&2
	@$(BIN)/python -m tests.load.bench_geo $(ARGS)

drill: servers ## break each part in the midst of 5,000 messages and count who was told
	@DRILL_PEOPLE=5000 $(BIN)/python -m pytest tests/drill $(ARGS)

bench-find: venv-test ## measure finding by place against an STRtree: make bench-find ARGS=10000000
	@$(BIN)/python -m tests.load.bench_find $(ARGS)

bench-areas: venv-test ## measure public areas: what they cost, and what an outsider learns from them
	@$(BIN)/python -m tests.load.bench_areas $(ARGS)

bench-import: servers ## import a network and its customers: make bench-import ARGS="--customers 1000000"
	@$(BIN)/python -m tests.load.bench_import $(ARGS)

bench-send: servers ## measure how fast a wave goes out, beside plain twilio-python and one task per message
	@$(BIN)/python -m tests.load.bench_send $(ARGS)

bench-feed: venv-test ## serve a calendar feed and an empty view in one run, compare the rates
	@$(BIN)/python -m tests.load.bench_feed $(ARGS)

bench-receipts: venv-test ## sign and verify a chain of receipts: make bench-receipts ARGS=1000000
	@$(BIN)/python -m tests.load.bench_receipts $(ARGS)

bench-map: venv-test ## the public's pages: rates beside an empty view and a plain file, rebuild, first view on a phone
	@sh .ci/servers.sh load
	@$(BIN)/python -m tests.load.bench_map $(ARGS)
	@$(BIN)/python -m tests.load.bench_first_view
	@$(BIN)/python -m tests.load.bench_nginx

bench-addresses: venv-test ## "Is my place affected?" among a million addresses: make bench-addresses ARGS=1000000
	@$(BIN)/python -m tests.load.bench_addresses $(ARGS)

bench-board: venv-test ## first byte of the desk's pages with 10,000 outages: make bench-board ARGS="--outages 1000"
	@$(BIN)/python -m tests.load.bench_board $(ARGS)

bench-plan: servers ## click on the planner's map in Chromium until the answer is painted
	@$(BIN)/python -m tests.load.bench_plan $(ARGS)

bench-web: servers ## each page in Chromium at 1,000 and 10,000 outages and a million customers: first byte, interactive
	@$(BIN)/python -m tests.load.bench_web $(ARGS)

check: venv-test ## formatter, linter, type checker and import contracts
	@echo "check: format" && $(RUFF) format --quiet --check $(RUFF_CONFIG) . \
	  || { echo "Some files are not formatted: run 'make format'." >&2; exit 1; }
	@echo "check: lint" && $(RUFF) check --quiet $(RUFF_CONFIG) .
	@echo "check: types" && $(BIN)/mypy --no-error-summary
	@echo "check: imports" && $(BIN)/lint-imports --no-logo --config setup.cfg

format: venv-test ## format the code and mend what the linter can mend
	@$(RUFF) check --quiet --fix --exit-zero $(RUFF_CONFIG) .
	@$(RUFF) format $(RUFF_CONFIG) .

venv: ## make .venv for running, from requirements.lock
	@sh .ci/venv.sh run

venv-test: ## make .venv for testing, from requirements-test.lock
	@sh .ci/venv.sh test

servers: venv-test ## install PostgreSQL, Redis, RabbitMQ and Chromium for the tests (Debian, as root)
	@sh .ci/servers.sh

lock: ## resolve setup.cfg anew into the hashed lock files
	@sh .ci/lock.sh

clean: ## remove what was built; var/, where data lives, stays
	@rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
