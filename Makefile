# make demo: install, train for 90 seconds, write two tunes.  make test: install, lint, type-check, test.
# make studies: renew the figures of docs/studies.md; DIGITS=folder and SHAKESPEARE=file spare the downloads.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test studies clean

demo: $(VENV)/installed
	$(BIN)/musicgen corpora get ryans
	$(BIN)/musicgen train corpora/ryans --minutes 1.5 --num-layers 1 --learning-rate 0.01 --dropout 0 --out models/demo.safetensors
	$(BIN)/musicgen sample demo --format abc --format midi --count 2 --seed 1 --out samples
	@echo "Open samples/ in your player and your notation program."

test: $(VENV)/installed-for-tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

studies: $(VENV)/installed
	$(BIN)/python benchmarks/studies.py $(TASKS) $(if $(DIGITS),--digits $(DIGITS)) $(if $(SHAKESPEARE),--shakespeare $(SHAKESPEARE))

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-for-tests: pyproject.toml $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
