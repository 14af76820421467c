# Two commands for a newcomer: `make demo` trains a network on real text and draws it,
# `make test` runs every check. Both set up what they need in .venv.
PYTHON ?= python3
VENV := .venv
# A second BLAS thread gains nothing at these sizes, and when another program needs its core,
# waiting for it makes a step many times slower.
export OPENBLAS_NUM_THREADS ?= 1
BIN := $(VENV)/bin

.PHONY: demo figures docs test test-deep coverage lint bench readme clean

demo: $(VENV)/demo.done
	$(BIN)/minigrad demo --out demo

figures: $(VENV)/test.done
	$(BIN)/minigrad figures -o gallery

docs: $(VENV)/docs.done
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d build/doctrees docs build/site
	@echo "open build/site/index.html"

test: $(VENV)/test.done lint
	$(BIN)/python -m pytest -q -n 2 -m "not deep"

test-deep: $(VENV)/test.done
	HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -q -n 2

# Tracing more than doubles the time of a test, so it is not done on the whole of `make test`; few
# examples reach every line that many do. It starts with the interpreter, before any import.
TRACED := COVERAGE_PROCESS_START=$(CURDIR)/pyproject.toml COVERAGE_FILE=$(CURDIR)/.coverage
coverage: $(VENV)/test.done
	rm -f .coverage .coverage.*
	$(TRACED) HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest -q -n 2 -m "not deep" \
		tests/minigrad tests/rnn tests/testing minigrad rnn
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

lint: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/test.done
	$(BIN)/python -m pytest -q tests/benchmarks --benchmark-enable --benchmark-only

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.done: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e ".[train,study]"
	touch $@

$(VENV)/docs.done: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e ".[docs]"
	touch $@

$(VENV)/test.done: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -e ".[test]"
	touch $@

readme: $(VENV)/test.done
	$(BIN)/python -m tests.stub
	$(BIN)/python -m tests.readme
	$(BIN)/python -m tests.viz.docs

clean:
	rm -rf $(VENV) demo gallery build docs/generated *.egg-info
