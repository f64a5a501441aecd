# Everything a newcomer runs: each target sets up its own .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo leaderboard reproduce-cpu test check format clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

install: $(STAMP)  ## set up .venv with the tested set of packages

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "saom-bench needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

# Train, val and test scenes never overlap. Every step resumes, so a demo that was broken off goes on where it stopped.
# The second eval gives SAM the fine-tuned model's everything mode thresholds: thresholds alone must not win.
SAOM_BENCH := $(BIN)/saom-bench
VIEWS := --size 480x360 --fov 70 --seed 0
EVERYTHING := --everything-grid 16x16 --everything-limit 12
demo: install  ## collect, train and score on the embedded player: under 20 minutes on 2 cores
	$(SAOM_BENCH) collect demo/train --split train --limit-scenes 32 --views-per-scene 6 $(VIEWS)
	$(SAOM_BENCH) collect demo/val --split val --limit-scenes 4 --views-per-scene 4 $(VIEWS)
	$(SAOM_BENCH) collect demo/test --split test --limit-scenes 12 --views-per-scene 3 $(VIEWS)
	$(SAOM_BENCH) shards preview demo/train --out demo/preview.png
	$(SAOM_BENCH) train demo/saomv1 --recipe saomv1-cpu --data demo/train --val demo/val --cache demo/embeddings
	$(SAOM_BENCH) eval --data demo/test --models sam:mobile-sam,demo/saomv1/best.safetensors --names SAM,SAOM \
	  --protocol oracle-point,everything $(EVERYTHING) --out demo/results --pictures demo/pictures
	$(SAOM_BENCH) eval --data demo/test --models sam:mobile-sam --names "SAM with SAOM thresholds" \
	  --protocol everything $(EVERYTHING) --pred-iou 0.3 --stability 0.45 --out demo/results
	$(SAOM_BENCH) leaderboard demo/results --baseline SAM
	@echo
	@echo "look at   demo/preview.png            what the model learned from"
	@echo "          demo/pictures/*.png         ground truth | SAM | SAOM, on scenes it never saw"
	@echo "          demo/results/LEADERBOARD.md the table above, with a table by class"

# PACKS=DIR adds the half on scene packs; SEEDS=0, RECIPES=saomv1-cpu and EPOCHS=1 do a part; DRY_RUN=1 says how long it takes.
# What is done in reproduce/ is not done again.
reproduce-cpu: install  ## the table of the recipes against SAM, seeds 0-2: hours; PACKS=DIR, SEEDS=, RECIPES=, DRY_RUN=1
	$(BIN)/python -m saom_benchmarks.reproduce --out reproduce --page data/results/REPRODUCE.md \
	  $(if $(PACKS),--packs $(PACKS)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(RECIPES),--recipes $(RECIPES)) \
	  $(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(DRY_RUN),--dry-run)

# The committed leaderboard. The checkpoints are those of make reproduce-cpu, or yours; one that
# is not there is left out. PACKS adds the rooms of AI2-THOR itself, where you have made packs of them (collectors/PACKS.md).
SAOMv1 ?= reproduce/runs/saomv1-cpu.embedded.seed0/last.safetensors
SAOMv2 ?= reproduce/runs/saomv2-cpu.embedded.seed0/last.safetensors
PanoSAM ?= reproduce/runs/panosam-cpu.panoramas.seed0/last.safetensors
empty :=
joined = $(subst $(empty) ,$(comma),$(strip $(1)))
comma := ,
FOUND := $(foreach name,SAOMv1 SAOMv2 PanoSAM,$(if $(wildcard $($(name))),$(name)))
CONTENDERS = --models $(call joined,sam:mobile-sam $(foreach name,$(FOUND),$($(name))) part-merge grid-boxes oracle) \
  --names $(call joined,SAM $(FOUND) part-merge grid-boxes oracle) --out board/results
SCORED := board/views.scored board/panoramas.scored $(if $(PACKS),board/packs.scored)
leaderboard: $(SCORED)  ## score SAM, the trained checkpoints, floors and the oracle, and write data/results with the page
	$(SAOM_BENCH) leaderboard board/results --html data/results/leaderboard.html --markdown data/results/LEADERBOARD.md \
	  $(SCORED:%.scored=--data %)
	cp -r board/results/*.json board/results/pictures data/results/

# A table that is scored is not scored again, until a checkpoint changes; one that was broken off goes on.
CHECKPOINTS = $(foreach name,$(FOUND),$($(name)))
board/views.scored: $(CHECKPOINTS) | install
	$(SAOM_BENCH) collect board/views --split test --views-per-scene 6 $(VIEWS)
	$(SAOM_BENCH) eval --task embedded-views@1 --data board/views $(CONTENDERS) --everything-grid 16x16
	@touch $@

board/panoramas.scored: $(CHECKPOINTS) | install
	$(SAOM_BENCH) collect board/panoramas --kind panoramas --split test --views-per-scene 2 --seed 0
	$(SAOM_BENCH) eval --task embedded-panoramas@1 --data board/panoramas $(CONTENDERS) --everything-grid 40x8
	@touch $@

board/packs.scored: $(CHECKPOINTS) | install
	$(SAOM_BENCH) collect board/packs --packs $(PACKS) --split val --views-per-scene 4 $(VIEWS)
	$(SAOM_BENCH) eval --data board/packs $(CONTENDERS) --everything-limit 20 --everything-grid 16x16
	@touch $@

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
	rm -rf $(VENV) demo board reproduce build dist .mypy_cache .ruff_cache .pytest_cache
