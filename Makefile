# The targets: setup, demo, test, check, gas, bench, fuzz, fuzz-judge, hostile, interrupt, mutation, symbolic, compile, lock, clean. A second run does only what changed.

PYTHON ?= python3
PYTEST_ARGS ?= -n 3 --dist loadfile --no-loadscope-reorder

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := setup
MAKEFLAGS += --no-print-directory --no-builtin-rules

# Everything of the project's lies in its own folder: programs are found here first, py-solc-x looks here only.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/@foundry-rs/anvil-linux-amd64/bin:$(CURDIR)/.cache/bin:$(PATH)
export SOLCX_BINARY_PATH := $(CURDIR)/.cache/solcx

UV := .cache/uv/bin/uv
VENV := .venv/.ready
DEMO := .venv/.ready-for-demo
NODE := node_modules/.ready
SOLC := .cache/solcx/.ready
PROVER := .cache/symbolic/.ready

.PHONY: setup demo test check gas bench fuzz fuzz-judge hostile interrupt mutation symbolic compile lock clean kubo artifacts

setup: $(VENV) $(NODE) $(SOLC) $(PROVER) artifacts kubo

# What the demonstration needs is less than half of it all; where everything is there, it is used.
demo: $(if $(wildcard $(VENV)),$(VENV),$(DEMO))
	@.venv/bin/numerbay-chain demo

test: check
	@.venv/bin/python -m pytest $(PYTEST_ARGS)

check: setup
	@.venv/bin/python -m tools.check

gas: setup
	@.venv/bin/python -m tests.contracts.gas --write

bench: $(VENV)
	@.venv/bin/python bench/run.py

# The money test for as long as one likes; the suite runs a short version.
fuzz: setup
	@.venv/bin/python -m tests.contracts.stateful --examples $(or $(EXAMPLES),1000)

# The judge against a reference of its own, ten thousand cases of each kind; the suite runs a few.
fuzz-judge: setup
	@.venv/bin/python -m tests.contracts.libraries --cases $(or $(CASES),10000)

# Honest clients among hostile nodes, gateways, sellers and buyers, on a clock that jumps; the suite runs a sample.
hostile: setup
	@.venv/bin/python -m tests.hostile --runs $(or $(RUNS),2000) $(if $(SEED),--seed $(SEED)) $(HOSTILE_ARGS)

# Every delivery, interrupted at every one of its steps; the suite runs a sample.
interrupt: setup
	@.venv/bin/python -m tests.system.interruptions

# Every small change to the contracts against their tests; goes on where it was broken off, writes docs/mutation.md.
mutation: setup
	@.venv/bin/python -m tests.contracts.mutation $(MUTATION_ARGS)

# Every proof about the contracts; the suite runs those that take seconds.
symbolic: setup
	@.venv/bin/python -m tests.contracts.symbolic

# The package's artifact is committed; this refreshes it after a change to contracts/.
compile: $(VENV) $(NODE) $(SOLC)
	@.venv/bin/python -m tools.compile

lock: $(UV)
	@$(UV) pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
		--custom-compile-command "make lock" --extra dev pyproject.toml --output-file requirements/dev.lock
	@$(UV) pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
		--custom-compile-command "make lock" --extra demo --constraints requirements/dev.lock pyproject.toml requirements/demo.in \
		--output-file requirements/demo.lock
	@$(UV) pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
		--custom-compile-command "make lock" requirements/bootstrap.in --output-file requirements/bootstrap.txt
	@$(UV) pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 \
		--custom-compile-command "make lock" requirements/symbolic.in --output-file requirements/symbolic.txt
	@npm install --package-lock-only --ignore-scripts --loglevel=error
	@if grep -nE '"resolved"|--find-links|--index-url' package-lock.json requirements/*.lock requirements/*.txt; \
		then echo "error: a lock names a download address" >&2; exit 1; fi

clean:
	@rm -rf .venv .cache .build node_modules dist build bench.json .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------------------------------- pieces

$(UV): requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer is needed; name one: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "setup: the installer, from requirements/bootstrap.txt"
	@rm -rf .cache/uv && $(PYTHON) -m venv .cache/uv
	@.cache/uv/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(VENV): $(UV) requirements/dev.lock pyproject.toml
	@echo "setup: .venv, from requirements/dev.lock"
	@test -x .venv/bin/python || $(PYTHON) -m venv --without-pip .venv
	@$(UV) pip sync --quiet --python .venv/bin/python --require-hashes requirements/dev.lock
	@$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

$(DEMO): $(UV) requirements/demo.lock pyproject.toml
	@echo "setup: .venv for the demonstration, from requirements/demo.lock"
	@test -x .venv/bin/python || $(PYTHON) -m venv --without-pip .venv
	@$(UV) pip sync --quiet --python .venv/bin/python --require-hashes requirements/demo.lock
	@$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE): package.json package-lock.json .npmrc
	@command -v npm >/dev/null || \
		{ echo "error: npm is needed for the contracts' tools, install Node.js; \`make demo\` does without" >&2; exit 1; }
	@echo "setup: node_modules, from package-lock.json"
	@npm ci --ignore-scripts --loglevel=error | sed 's/^/   /;/^   $$/d'
	@touch $@

$(SOLC): $(VENV) $(NODE) tools/install_solc.py tools/solc.js tools/solidity.py
	@echo "setup: the Solidity compiler"
	@.venv/bin/python -m tools.install_solc
	@touch $@

# halmos pins versions of its own, so it has an environment of its own.
$(PROVER): $(UV) requirements/symbolic.txt
	@echo "setup: the prover, from requirements/symbolic.txt"
	@test -x .cache/symbolic/venv/bin/python || $(PYTHON) -m venv --without-pip .cache/symbolic/venv
	@$(UV) pip sync --quiet --python .cache/symbolic/venv/bin/python --require-hashes requirements/symbolic.txt
	@touch $@

artifacts: $(VENV) $(SOLC)
	@.venv/bin/python -m tools.compile --tests

kubo:
	@tools/kubo/build.sh
