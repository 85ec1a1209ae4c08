# Two commands do everything: `make run` and `make test`.
# The rest: install, models, lint, docs, bench, soak, clean.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: run install models test lint docs bench soak clean

run: install
	@$(BIN)/glasses talk

install: .venv/installed

.venv/installed: pyproject.toml .ci/install.py .ci/pull.py
	@$(PYTHON) .ci/install.py
	@touch $@

.venv/installed-test: .venv/installed
	@$(PYTHON) .ci/install.py --extra test
	@touch $@

models: .venv/installed
	@$(BIN)/glasses models pull --suitable

test: .venv/installed-test lint
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

lint: .venv/installed-test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

.venv/installed-docs: .venv/installed
	@$(PYTHON) .ci/install.py --extra docs
	@touch $@

docs: .venv/installed-docs
	@$(BIN)/python -m agent.docs $(ARGS)

bench: .venv/installed-test
	@$(BIN)/python -m tests.bench $(ARGS)

soak: .venv/installed-test
	@$(BIN)/python -m tests.bench.payments $(ARGS)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache bench-results build
