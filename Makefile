# make demo   install, fill the bundled sample cohort, measure it against its manual table
# make test   install, lint, type-check, test
# make check  lint and types alone

PYTHON ?= python3
BIN := .venv/bin
SAMPLE := configs/studies/stroke/sample
DICTIONARY := configs/studies/stroke/dictionary.csv
STUDY := $(wildcard configs/studies/stroke/study.yml)
DEMO := runs/demo

.PHONY: demo test check clean

demo: .venv/installed
	@$(BIN)/cohort-rag fill --documents $(SAMPLE)/documents.jsonl --dictionary $(DICTIONARY) \
	    $(if $(STUDY),--study $(STUDY)) --out $(DEMO) --fresh
	@echo && $(BIN)/python -c "import pandas; print(pandas.read_csv('$(DEMO)/table.csv', dtype=str) \
	    .fillna('').iloc[:6, :9].to_string(index=False))"
	@echo && $(BIN)/cohort-rag evaluate --predictions $(DEMO)/table.csv --gold $(SAMPLE)/table.csv \
	    --dictionary $(DICTIONARY) --evidence $(DEMO)/evidence.jsonl --documents $(SAMPLE)/documents.jsonl \
	    --gold-evidence $(SAMPLE)/evidence.jsonl --out $(DEMO)/report
	@echo && echo "outputs   $(DEMO)/"

test: check
	@$(BIN)/python -m pytest -n auto --maxprocesses 4

check: .venv/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# torch first and pinned: a range that admits a newer release would take gigabytes of CUDA packages.
.venv/installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv (a few minutes the first time)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt torch
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf runs/demo build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
