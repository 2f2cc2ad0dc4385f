# Every target sets up what it needs in .venv, once; `make` alone lists them.
# Another interpreter: make test PYTHON=python3.12. Arguments: make test ARGS="-k replay -x".

PYTHON ?= python3
ARGS ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:  # targets share one .venv
.PHONY: help demo test test-coexist test-sinks lint bench dashboards soak clean

BIN := .venv/bin
UNFINISHED := .venv/.unfinished
comma := ,

# Stops with the reason where PYTHON cannot make the environment.
define check_python
$(PYTHON) -c '' 2>/dev/null || { \
    echo "$(PYTHON) does not run. Install Python 3.11 or newer, or name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
    exit 1; }; \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
    echo "$(PYTHON) is $$($(PYTHON) --version 2>&1), and 3.11 is the oldest that works." >&2; \
    echo "Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
    exit 1; }; \
$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
    version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
    echo "$(PYTHON) ($$version) cannot make virtual environments: its venv package is missing." >&2; \
    echo "On Debian and Ubuntu, as root: apt install python$$version-venv" >&2; \
    echo "Then run make again." >&2; \
    exit 1; }
endef

# Brings .venv up to the extras $(1), then touches the stamps $(2). UNFINISHED stands while this runs: a run
# that was cut short leaves it behind, and the next one starts over. (A failing pip undoes its own doing.)
define install
@set -e; trap 'exit 130' HUP INT TERM; \
if [ -e $(UNFINISHED) ]; then \
    echo "An earlier set-up was cut short; starting over"; \
    rm -rf .venv; \
fi; \
if ! $(BIN)/python -c '' 2>/dev/null; then \
    $(check_python); \
    rm -rf .venv; mkdir .venv; : > $(UNFINISHED); \
    echo "Making .venv with $$($(PYTHON) --version)"; \
    $(PYTHON) -m venv .venv; \
fi; \
: > $(UNFINISHED); \
$(BIN)/python -c 'import pip' 2>/dev/null || $(BIN)/python -m ensurepip; \
echo "Installing llm-flight-recorder[$(1)] into .venv (once; may take a minute)"; \
$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(1)]' || { \
    rm -f $(UNFINISHED); \
    echo "Could not install; .venv is as it was" >&2; \
    exit 1; }; \
touch $(2); \
rm -f $(UNFINISHED)
endef

help:  ## list these targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-12s %s\n", $$1, $$2 }'

demo: .venv/.demo  ## record, look and replay against a local upstream; needs no key and no network
	@$(BIN)/recorder demo $(ARGS)

test: .venv/.dev  ## run the tests
	@$(BIN)/python -m pytest -n auto --maxprocesses 8 $(ARGS)

test-coexist: .venv/.dev  ## run beside other pytest plugins and tracers, each in an environment of its own; takes minutes
	@$(BIN)/python -m tests.coexist $(ARGS)

test-sinks: .venv/.dev  ## send spans to Phoenix and MLflow and read them back; installs both, which takes minutes
	@$(BIN)/python -m tests.sinks $(ARGS)

lint: .venv/.dev  ## check style and types: ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/.bench  ## measure what recording and replay cost, beside their peers
	@$(BIN)/python tests/bench.py $(ARGS)
	@$(BIN)/python tests/bench_replay.py $(ARGS)
	@$(BIN)/python tests/bench_telemetry.py $(ARGS)
	@$(BIN)/python tests/bench_drain.py $(ARGS)

dashboards: .venv/.dev  ## write the dashboards anew from recorder/panels, and all pictures
	@$(BIN)/python -m recorder.panels
	@$(BIN)/python -m tests.pictures
	@$(BIN)/python -m tests.picture_terminal
	@$(BIN)/python -m tests.picture_page

soak: .venv/.soak  ## run the tests that take minutes
	@$(BIN)/python -m pytest -m soak $(ARGS)

clean:  ## remove .venv, caches and built files
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find recorder tests migrations -type d -name __pycache__ -prune -exec rm -rf {} +

# A larger set of extras holds the smaller ones, so its stamp counts for theirs.
.venv/.demo: pyproject.toml
	$(call install,demo,.venv/.demo)

.venv/.dev: pyproject.toml
	$(call install,dev,.venv/.demo .venv/.dev)

.venv/.bench: pyproject.toml
	$(call install,dev$(comma)bench,.venv/.demo .venv/.dev .venv/.bench)

.venv/.soak: pyproject.toml
	$(call install,soak,.venv/.demo .venv/.dev .venv/.soak)
