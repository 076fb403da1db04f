# Everything runs in .venv, made with venv and pip. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

export RAY_USAGE_STATS_ENABLED := 0
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

setup: $(STAMP)  ## make .venv and install Orch with its tested set of packages

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt torch  # first and pinned: a newer one brings gigabytes of CUDA
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,docs]'
	touch $(STAMP)

sweep: $(STAMP)  ## set up, then run the main sweep
	$(BIN)/orch sweep search_spaces/multitask.yaml
	@echo "To use orch in this shell: . $(BIN)/activate"

local-smoke: $(STAMP)  ## the whole chain in under two minutes, with a pass/fail table
	$(BIN)/python benchmarks/local_smoke.py

test: $(STAMP)  ## set up, then run the quick tests
	$(BIN)/python -m pytest -m "not slow"

test-all: $(STAMP)  ## every test, the slow ones too
	$(BIN)/python -m pytest

lint: $(STAMP)  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## mypy, strict
	$(BIN)/mypy

imports: $(STAMP)  ## the import contracts
	$(BIN)/lint-imports

bench: $(STAMP)  ## Orch against a plain Ray Tune script and an expert's, in one run
	$(BIN)/python -m benchmarks.overhead

bench-quick: $(STAMP)  ## under three minutes: has a ratio fallen by more than a third?
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.quick

driver-bench: $(STAMP)  ## what the driver costs an event, at 100 to 10,000 trials: docs/benchmarks.md
	mkdir -p build
	$(BIN)/python -m benchmarks.driver --sampler random --trials 10000 --epochs 5 > build/driver-random.json
	$(BIN)/python -m benchmarks.driver --sampler tpe --trials 10000 --epochs 5 > build/driver-tpe.json
	$(BIN)/python -m benchmarks.driver --plot build/driver-random.json build/driver-tpe.json

large-sweep: $(STAMP)  ## resuming and reading sweeps of 1,000 and 10,000 trials: docs/benchmarks.md
	$(BIN)/python -m benchmarks.large_sweep --trials 1000
	$(BIN)/python -m benchmarks.large_sweep --trials 10000

shipping: $(STAMP)  ## what MLflow costs the driver at 100 measurements a second
	$(BIN)/python -m benchmarks.shipping

many-trials: $(STAMP)  ## 10,000 trials of one second on 16 logical CPUs, about 12 minutes
	$(BIN)/python -m benchmarks.cluster many-trials

many-sweeps: $(STAMP)  ## 20 sweeps of 50 trials at once on one cluster
	$(BIN)/python -m benchmarks.cluster many-sweeps

fused: $(STAMP)  ## lanes of one computation against trials alone
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.fused

fused-sweeps: $(STAMP)  ## small trials an hour: plain Ray Tune, trials alone, lanes
	$(BIN)/python -m benchmarks.fused_sweeps

packing: $(STAMP)  ## throughput against trials side by side, on the CPUs and on a GPU where there is one
	$(BIN)/python -m benchmarks.packing

efficiency: $(STAMP)  ## regret against epochs of three searches: docs/benchmarks.md
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.efficiency

population: $(STAMP)  ## population-based training against fixed and linear schedules: docs/benchmarks.md
	$(BIN)/python -m benchmarks.population

reproduce: $(STAMP)  ## the claims of the source notes, measured again: docs/reproductions.md
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.reproductions

training-speed: $(STAMP)  ## where an epoch's time goes, and Recall@k of 100,000 embeddings: docs/benchmarks.md
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.training

planted: $(STAMP)  ## every fault that the doctor knows, planted over ten seeds: docs/planted.md
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults.planted

kills: $(STAMP)  ## 200 random kill -9 of real sweeps, resumed until done: docs/faults-long.md
	$(BIN)/python -m tests.faults.kills

soak: $(STAMP)  ## 1,000 short trials on Ray with a fault every 30 s: docs/faults-long.md
	$(BIN)/python -m tests.faults.soak

stock-faults: $(STAMP)  ## the same faults on plain Ray Tune and on Orch: docs/stock_faults.md
	$(BIN)/python -m benchmarks.stock_faults

real: $(STAMP)  ## each system on real data, with intervals; skips what is not there
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.real

confirmation-proof: $(STAMP)  ## simulated sweeps of which the answer is known: docs/confirmation.md
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/confirmation_proof.py

pruning-audit: $(STAMP)  ## pruned trials finished all the same: what the rule cost and saved
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/pruning_audit.py

plan-intervals: $(STAMP)  ## ten sweeps planned and then run: do the intervals of plans hold? docs/planning.md
	$(BIN)/python benchmarks/plan_intervals.py

faults: $(STAMP)  ## every fault that Orch survives, made on purpose: docs/faults.md
	$(BIN)/python -m pytest tests/faults --ignore=tests/faults/planted --fault-table docs/faults.md

fuzz: $(STAMP)  ## 100,000 damaged sweep files: clean errors, and soon
	FUZZ_EXAMPLES=25000 $(BIN)/python -m pytest tests/faults/test_yaml_fuzz.py --timeout 0

audit: $(STAMP)  ## known vulnerabilities of the installed packages; advice, never a failure
	-$(BIN)/python -m pip install --quiet pip-audit && $(BIN)/pip-audit --skip-editable --progress-spinner off --timeout 15

docs: $(STAMP)  ## regenerate what is generated: JSON Schema files, the pages about lint rules
	$(BIN)/orch schema > search_spaces/sweep.schema.json
	$(BIN)/python -m orchestrator.sweeps.lint

check: lint types imports  ## what must hold before a commit, besides the tests

.PHONY: audit bench bench-quick check confirmation-proof docs driver-bench efficiency faults fused fused-sweeps fuzz help imports kills large-sweep lint local-smoke many-sweeps many-trials packing plan-intervals planted population pruning-audit real reproduce setup shipping soak stock-faults sweep test test-all training-speed types
