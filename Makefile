# make demo   install, fill the bundled sample cohort, measure it against its manual table
# make test   install, lint, type-check, test
# make check  lint and types alone
# make serve-cpu  install vLLM for a machine without graphics card, in .venv-vllm
# make rehearsal  every step of the language model, from a corpus to a measured table, on small models (25 minutes)
# make models  train the temporal models that come with the program, from fictitious cohorts (an hour)

PYTHON ?= python3
BIN := .venv/bin
SAMPLE := configs/studies/stroke/sample
DICTIONARY := configs/studies/stroke/dictionary.csv
STUDY := $(wildcard configs/studies/stroke/study.yml)
DEMO := runs/demo

.PHONY: demo test check models serve-cpu rehearsal clean

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

# vLLM's build for processors, in an environment of its own: it pins older releases of what we use. Its requirements are
# installed as listed, without being resolved: some of those that it declares (torchvision, torchaudio) have no such build.
serve-cpu: .venv-vllm/installed

.venv-vllm/installed: constraints-vllm.txt
	@test -x .venv-vllm/bin/python || $(PYTHON) -m venv .venv-vllm
	@echo "installing vLLM into .venv-vllm (two minutes, 3.4 GB)"
	@.venv-vllm/bin/python -m pip install -qq --disable-pip-version-check -c constraints-vllm.txt torch
	@.venv-vllm/bin/python -m pip install -qq --disable-pip-version-check --no-deps -r constraints-vllm.txt
	@touch $@

rehearsal: .venv/installed .venv-vllm/installed
	@$(BIN)/cohort-rag rehearsal --out runs/rehearsal

MADE := runs/made
TEMPORAL := retriever/model/temporal
NUMBERS := $(shell seq 16)
COHORTS := $(foreach i,$(NUMBERS),short$(i) long$(i))
TABLES := $(foreach c,$(COHORTS),--documents $(MADE)/$(c)/documents.jsonl --dictionary $(MADE)/$(c)/dictionary.csv \
    --table $(MADE)/$(c)/table.csv)

models: .venv/installed
	@for i in $(NUMBERS); do \
	    $(BIN)/cohort-rag synth --quiet --out $(MADE)/short$$i --patients 8 --documents 5-14 --noise 0.2 \
	        --anaphora 0.5 --extras 25 --vocabulary V$$i --seed $$i && \
	    $(BIN)/cohort-rag synth --quiet --out $(MADE)/long$$i --patients 4 --documents 40-120 --noise 0.1 \
	        --anaphora 0.5 --extras 25 --vocabulary V$$i --seed $$((100 + i)) || exit 1; \
	done
	@$(BIN)/cohort-rag retriever train --new $(TABLES) --out $(TEMPORAL)
	@for part in recurrence gaps kinds; do \
	    $(BIN)/cohort-rag retriever train --new $(TABLES) --without $$part --out $(TEMPORAL)/ablations/no-$$part || exit 1; \
	done

clean:
	rm -rf runs/demo build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
