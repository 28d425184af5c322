# Two commands matter: `make demo` and `make test`. Both set up their own environment in $(VENV), nothing global.

VENV ?= .venv
DEMO ?= lampyris-demo
SEED ?= 1
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# packages are compiled to bytecode when they are first imported, which is less work than compiling all of them
INSTALL := $(PIP) install --prefer-binary --no-compile --constraint constraints.txt

# without it every process would compile every package anew
unexport PYTHONDONTWRITEBYTECODE

# real files of others with known answers, where they lie beside the checkout; tests that need them are skipped elsewhere
export LAMPYRIS_SAMPLES ?= $(abspath $(wildcard ../shared/samples))

.PHONY: demo test lint speed accuracy docs clean
.DELETE_ON_ERROR:

demo: $(VENV)/.runtime
	$(BIN)/lampyris demo $(DEMO) --seed $(SEED)

# Assertions are rewritten to tell more only where one failed, as rewriting them all takes as long as many tests.
test: lint
	$(BIN)/python -m pytest -q --numprocesses auto --dist worksteal --assert plain || \
	  { $(BIN)/python -m pytest -q --last-failed --last-failed-no-failures none; exit 1; }

lint: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

speed: $(VENV)/.peers
	$(BIN)/python -m speed $(ROWS)

accuracy: $(VENV)/.runtime
	$(BIN)/python -m accuracy $(TABLES)

# the tables of the documentation that are drawn from the code
docs: $(VENV)/.runtime
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) .venv-ci build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# An environment is made once; a stamp says what is in it, and is older than the pins when they change.
$(VENV)/.made:
	@found=; for name in $(PYTHON) python3.11 python3.12 python3.13 python3 python; do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$name; break; fi; done; \
	if [ -z "$$found" ]; then echo "Lampyris needs Python 3.11 or newer, and found none. Install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; fi; \
	rm -rf $(VENV); \
	"$$found" -m venv $(VENV) || { rm -rf $(VENV); echo "$$found cannot make an environment: it lacks the module venv (on Debian and Ubuntu: the package python3-venv)." >&2; exit 1; }
	@touch $@

$(VENV)/.runtime: $(VENV)/.made constraints.txt pyproject.toml
	@echo "Installing Lampyris into $(VENV) (once)"
	@$(INSTALL) hatchling editables
	@$(INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.runtime
	@echo "Installing the test tools into $(VENV) (once)"
	@$(call group,test)
	@touch $@

$(VENV)/.peers: $(VENV)/.runtime
	@echo "Installing what speed is measured against into $(VENV) (once)"
	@$(call group,peers)
	@touch $@

# The pip of an older Python cannot read dependency groups, so they are read here.
define group
$(BIN)/python -c 'import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"][sys.argv[1]], sep="\n")' $(1) > $(VENV)/$(1).txt && $(INSTALL) --requirement $(VENV)/$(1).txt
endef
