# What people do here, one word each; .ci/run does the same.
# A fresh machine needs Python 3.11+ with venv and pip, git and make. Everything else is set up
# in .venv, at the versions of uv.lock. Words for pytest or the demo: make test ARGS="-k claim".

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP = $(BIN)/python -m pip --quiet --no-input --disable-pip-version-check
UV_VERSION := 0.13.8
UV = env -u UV_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	UV_NO_CONFIG=1 UV_PYTHON=$(BIN)/python $(BIN)/uv --quiet
SCRATCH := build/make
# In the order in which they are found: what takes long is in the middle, and what is quick comes
# last, so that no process is left alone with a long file.
PARALLEL := -n 3 --dist loadfile --no-loadscope-reorder

# The tests start thousands of commands: compiled modules are kept, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test soak lint format types imports reference check
.PHONY: bench bench-quick bench-report
.PHONY: lock lock-check dist wheel-check clean
.DELETE_ON_ERROR:

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.run ## Set everything up and run the guided tour
	@$(BIN)/baton demo $(ARGS)

test: $(VENV)/.dev ## Set everything up and run the tests
	@$(BIN)/pytest $(PARALLEL) $(ARGS)

soak: $(VENV)/.dev ## Run the long tests: hundreds of seeds
	@BATON_SOAK=1 BATON_COLD=1 $(BIN)/pytest -m soak $(ARGS)

lint: $(VENV)/.dev ## Check style and format
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { $(BIN)/ruff format --check .; exit 1; }

format: $(VENV)/.dev ## Bring style and format in order
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.dev ## Check types, strictly
	@$(BIN)/mypy src tests benchmarks

imports: $(VENV)/.dev ## Check that imports point downwards only
	@$(BIN)/lint-imports --no-logo

reference: $(VENV)/.dev ## Write docs/reference/ anew from the code
	@$(BIN)/python -m gitbaton.cli.reference docs/reference

bench: $(VENV)/.bench ## Measure, against what people use today: about twenty minutes
	@$(BIN)/python -m benchmarks $(ARGS)

bench-quick: $(VENV)/.bench ## The same with small numbers: about a minute
	@$(BIN)/python -m benchmarks --quick $(ARGS)

bench-report: $(VENV)/.bench ## Write tables and plots of the last measurement into docs/
	@$(BIN)/python -m benchmarks report $(ARGS)

check: lint types imports lock-check test wheel-check demo ## Run everything that CI runs

# --- dependencies -----------------------------------------------------------------------------

lock: $(BIN)/uv ## Bring uv.lock and requirements/ up to date with pyproject.toml
	@$(UV) lock
	@mkdir -p requirements
	@$(call write_requirements,requirements,run,--no-dev)
	@$(call write_requirements,requirements,dev,)
	@$(call write_requirements,requirements,bench,--only-group bench)
	@$(call only_public_hosts)

lock-check: $(BIN)/uv ## Check that uv.lock and requirements/ are up to date
	@$(UV) lock --check --offline || { echo "uv.lock is out of date: make lock" >&2; exit 1; }
	@mkdir -p $(SCRATCH)
	@$(call write_requirements,$(SCRATCH),run,--no-dev)
	@$(call write_requirements,$(SCRATCH),dev,)
	@$(call write_requirements,$(SCRATCH),bench,--only-group bench)
	@for name in run dev bench; do \
		cmp -s $(SCRATCH)/$$name.txt requirements/$$name.txt || \
		{ echo "requirements/$$name.txt is out of date: make lock" >&2; exit 1; }; \
	done
	@$(call only_public_hosts)

# $(call write_requirements,DIRECTORY,NAME,OPTIONS): the lock, with hashes, in a form pip reads.
define write_requirements
{ echo "# Written from uv.lock by \`make lock\`. Do not edit."; \
	$(UV) export --frozen --offline --no-emit-project --no-header $(3); } > $(1)/$(2).txt
endef

# A lock made behind a mirror would name the mirror, and be of no use to anybody else.
define only_public_hosts
hosts=$$(grep -Eo 'https?://[^/"]+' uv.lock | sort -u | \
	grep -vxE 'https://(pypi\.org|files\.pythonhosted\.org)'); \
	test -z "$$hosts" || { echo "uv.lock names other hosts:" $$hosts >&2; exit 1; }
endef

$(BIN)/uv: | $(VENV)/.pip
	@$(PIP) install uv==$(UV_VERSION)

# --- distribution -----------------------------------------------------------------------------

dist: $(BIN)/uv ## Build the wheel and the source distribution in dist/
	@$(UV) build --clear
	@ls dist/*

wheel-check: $(VENV)/.pip ## Build the wheel, install it by itself and run it
	@rm -rf $(SCRATCH)/wheel $(SCRATCH)/venv
	@$(PIP) wheel --no-deps --wheel-dir $(SCRATCH)/wheel .
	@$(BIN)/python -m venv $(SCRATCH)/venv
	@$(SCRATCH)/venv/bin/python -m pip --quiet --no-input --disable-pip-version-check \
		install $(SCRATCH)/wheel/*.whl
	@$(SCRATCH)/venv/bin/baton --version

clean: ## Remove everything that can be made again, .venv too
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up -----------------------------------------------------------------------------------

# The interpreter is a link to the system's: when that is gone or replaced, .venv is made anew.
$(BIN)/python:
	@command -v git > /dev/null || { echo "git is not installed" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
		found=$$("$(PYTHON)" --version 2> /dev/null || echo not there); \
		echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$found." >&2; \
		echo "If you have one by another name: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2> /dev/null || { \
		echo "'$(PYTHON)' has no venv module. On Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 1; }
	@echo "setting up $(VENV)"
	@"$(PYTHON)" -m venv --clear $(VENV)

# A .venv that another tool made may have no pip.
$(VENV)/.pip: $(BIN)/python
	@$(BIN)/python -c 'import pip' 2> /dev/null || $(BIN)/python -m ensurepip > /dev/null
	@touch $@

$(VENV)/.run: pyproject.toml uv.lock requirements/run.txt $(VENV)/.pip
	@echo "installing gitbaton in $(VENV)"
	@$(PIP) install --require-hashes --requirement requirements/run.txt
	@$(PIP) install --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "installing the tools for the tests in $(VENV)"
	@$(PIP) install --require-hashes --requirement requirements/dev.txt
	@touch $@

$(VENV)/.bench: requirements/bench.txt $(VENV)/.run
	@echo "installing what draws the plots in $(VENV)"
	@$(PIP) install --require-hashes --requirement requirements/bench.txt
	@touch $@
