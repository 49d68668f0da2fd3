# Every chore of the project is one command. It needs python3 (3.11 or newer, with the venv module) and nothing else:
# no Graphviz, no compiler. Packages are installed into .venv with pip, under your own pip configuration.

PYTHON    ?= python3
EXTRAS    ?= dev,docs,services
TESTFLAGS ?= -n auto
RUNS      ?= 3
FULL      ?=

VENV  := .venv
BIN   := $(VENV)/bin
COMMA := ,
STAMP := $(VENV)/.installed-$(subst $(COMMA),-,$(EXTRAS))

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# mkdocs-material prints a notice about a later MkDocs, which pyproject.toml excludes.
export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help setup check test test-slow browser test-browser lint format docs serve bench clean distclean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=$(PYTHON) makes the environment; EXTRAS=$(EXTRAS) are installed into it;"
	@echo "  TESTFLAGS goes to pytest, for example: make test TESTFLAGS='-n auto -k parser'"
	@echo "  make bench RUNS=5 measures each five times (default: $(RUNS)); FULL=1 adds the large graphs"

check: $(STAMP) ## Model-check every spec under specs/ and print a table of verdicts
	@$(BIN)/lockstep check specs

test: $(STAMP) ## Run the tests, without the slow ones
	@$(BIN)/pytest $(TESTFLAGS)

test-slow: $(STAMP) ## Run all tests, the slow ones too
	@$(BIN)/pytest -m "slow or not slow" $(TESTFLAGS)

browser: $(STAMP) ## Install what the tests in a browser need beside Chromium; this takes npm
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS),browser]'
	@mkdir -p build/browser && cp tests/browser/package.json build/browser/
	@npm install --prefix build/browser --no-package-lock --no-audit --no-fund --silent

test-browser: browser ## Run the tests of the site in Chromium
	@LOCKSTEP_REQUIRE_BROWSER=1 $(BIN)/pytest tests/browser $(TESTFLAGS)

lint: $(STAMP) ## Run ruff, mypy and import-linter over everything
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Format the code and apply the safe fixes of ruff
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP) ## Build the documentation site into site/, strictly
	$(BIN)/lockstep docs
	$(BIN)/mkdocs build --strict
	$(BIN)/mkdocs build --strict --config-file mkdocs.zh.yml

serve: $(STAMP) ## Serve the documentation at http://127.0.0.1:8000 and rebuild it on changes
	$(BIN)/lockstep docs
	$(BIN)/mkdocs serve

bench: $(STAMP) ## Measure speed and memory beside Spin and TLC, where they are installed
	@$(BIN)/python -m benchmarks.run --runs $(RUNS) $(if $(FULL),--full)

setup: $(STAMP) ## Make .venv and install into it, which every other target does when needed

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null 2>&1 || \
	  { echo "make: $(PYTHON) not found. Install Python 3.11 or newer, or run: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: Lockstep needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	         "Choose another with: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || \
	  { echo "make: $(PYTHON) cannot make a virtual environment. Install its venv module" \
	         "(on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@echo "installing Lockstep with [$(EXTRAS)] into $(VENV)"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

clean: ## Remove what was built and cached, but not .venv
	rm -rf build dist site docs/protocols docs/zh/protocols docs/assets/editor .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## Remove .venv, too
	rm -rf $(VENV)
