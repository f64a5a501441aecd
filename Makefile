# Everything a newcomer runs: each target sets up its own .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test check format clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: $(STAMP)  ## set up .venv with the tested set of packages

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "saom-bench needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

# Train, val and test scenes never overlap. Every step resumes, so a demo that was broken off goes on where it stopped.
COLLECT := $(BIN)/saom-bench collect
VIEWS := --size 480x360 --fov 70 --seed 0
demo: install  ## collect, train and score on the embedded player: about 20 minutes on 2 cores
	$(COLLECT) demo/train --split train --limit-scenes 24 --views-per-scene 6 $(VIEWS)
	$(COLLECT) demo/val --split val --limit-scenes 4 --views-per-scene 4 $(VIEWS)
	$(COLLECT) demo/test --split test --limit-scenes 8 --views-per-scene 3 $(VIEWS)
	$(BIN)/saom-bench shards preview demo/train --out demo/preview.png
	$(BIN)/saom-bench train demo/saomv1 --recipe saomv1-cpu --data demo/train --val demo/val --cache demo/embeddings
	$(BIN)/saom-bench eval --data demo/test --models sam:mobile-sam,demo/saomv1/best.safetensors \
	  --protocol oracle-point,everything --everything-grid 16x16 --everything-limit 12 \
	  --out demo/results --pictures demo/pictures
	$(BIN)/saom-bench leaderboard demo/results
	@echo
	@echo "look at   demo/preview.png            what the model learned from"
	@echo "          demo/pictures/*.png         ground truth | SAM | SAOM, on scenes it never saw"
	@echo "          demo/results/LEADERBOARD.md the table above"

test: install  ## the whole test suite
	$(BIN)/python -m pytest

check: install  ## format, lint, types, import floors, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

format: install  ## rewrite the sources in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove what the targets made
	rm -rf $(VENV) demo build dist .mypy_cache .ruff_cache .pytest_cache
