# make demo: install, train for 90 seconds, write two tunes.  make test: install, lint, type-check, test.
# make test-numpy: the tests of what computes once more, without the kernels in C; make test does it too.
# make studies: renew the figures of docs/studies.md; DIGITS=folder and SHAKESPEARE=file spare the downloads.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

COMPUTES = feedforward gradients graph kernel_choice kernels networks odd_graphs optim recurrent \
	sampling sequential task_reber task_xor trainer

.PHONY: demo test test-numpy studies clean

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
	$(MAKE) test-numpy

test-numpy: $(VENV)/installed-for-tests
	MUSICGEN_KERNELS=numpy $(BIN)/python -m pytest $(COMPUTES:%=tests/test_%.py)

studies: $(VENV)/installed
	$(BIN)/python benchmarks/studies.py $(TASKS) $(if $(DIGITS),--digits $(DIGITS)) $(if $(SHAKESPEARE),--shakespeare $(SHAKESPEARE))

$(VENV)/installed: pyproject.toml setup.py $(wildcard musicgen/kernels/*.[ch])
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-for-tests: pyproject.toml $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

clean:
	rm -f musicgen/kernels/*.so
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
