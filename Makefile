.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
ARGS ?=
# Many tests wait for a socket or a process, so there are more workers than cores: one in the long tests, two in the others.
CORES := $(shell $(PYTHON) -c 'import os; print(os.cpu_count() or 1)')
WORKERS ?= $(shell $(PYTHON) -c 'print(min(4, $(CORES) + 2))')
LONG_WORKERS ?= $(shell $(PYTHON) -c 'print(min(4, $(CORES) + 1))')
RUNS ?= 20000
# Without compiled tests every worker of every run would compile hundreds of files anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## what can be done here
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: $(STAMP) ## install everything into .venv, exactly as locked

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Baton needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "Setting up .venv (some minutes the first time) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --disable-pip-version-check --no-deps --no-build-isolation --quiet -e .
	@touch $(STAMP)

demo: setup ## a working week in minutes: real mails, reps, deadlines (ARGS="--exit --report out.json")
	$(BIN)/baton demo $(ARGS)

test: setup ## every test that needs no other service, in minutes
	$(BIN)/python -m pytest -n $(WORKERS) --durations 10 --durations-min 1 -m "not long" $(ARGS)

test-long: setup ## races, live Prefect servers, Chromium, PostgreSQL, SIGKILL; then test-loaded
	$(BIN)/python -m pytest -n $(LONG_WORKERS) --dist worksteal --durations 15 --durations-min 20 -m "long and not live" $(ARGS)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 15 --durations-min 20 -m "long and live" $(ARGS)
	$(MAKE) test-loaded ARGS=

test-loaded: setup ## what deals with processes, sockets, locks or the real clock, on one core beside two busy loops
	$(BIN)/python -m tests.loaded $(ARGS)

test-examples: setup ## the searches of make test with all their examples instead of a few
	BATON_EXAMPLES=all $(BIN)/python -m pytest -n $(WORKERS) -m "hypothesis and not long" $(ARGS)

test-properties: setup ## what holds for every calendar and instant, tried 20,000 times each (RUNS=5000 fewer)
	BATON_EXAMPLES=new BATON_PROPERTY_RUNS=$(RUNS) $(BIN)/python -m pytest -n $(WORKERS) --timeout 900 tests/agreements/calendar/test_working_time_properties.py tests/agreements/calendar/test_working_time_oracle.py

coverage: setup ## which lines and branches make test does not reach (ARGS="tests/storage" measures some of the tests)
	$(BIN)/python -m pytest -q -n $(WORKERS) -m "not long" --cov --cov-report term $(ARGS)

watch: setup ## tests again at each change of a file (ARGS=tests/storage/test_waits.py)
	$(BIN)/watchfiles "$(BIN)/python -m pytest -q -p no:xdist $(ARGS)" agreements storage notifications tasks flows app examples tests

check: setup ## ruff, its formatting, mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

docs: setup ## the documentation as a site in site/, with every link and anchor checked
	$(BIN)/sphinx-build -c docs -W --keep-going --quiet . site
	@echo "Open site/index.html"

pictures: setup ## the pages in docs/pictures, as Chromium shows them to the tests
	BATON_PICTURES=$(or $(FOLDER),/tmp/baton-pictures) $(BIN)/python -m pytest -m long tests/browser/test_pictures.py tests/browser/test_overview.py tests/browser/test_prefect_window.py

bench: setup ## the figures of docs/benchmarks.md, on this machine (ARGS="--quick --json FILE")
	$(BIN)/python -m benchmarks $(ARGS)

chaos: setup ## 1,000 leads while everything is killed and started again (ARGS="--seed 7 --leads 60 --minutes 2")
	$(BIN)/python -m benchmarks.chaos $(ARGS)

nightly: setup ## what takes too long for every change: a year of forty reps, 8,000 real leads where they are at hand, chaos, killed readers, storms of 10,000 changes, 20,000 fuzzed requests, every story of a lead on PostgreSQL, new examples, every test in another order, every property 20,000 times, every benchmark
	BATON_YEAR=1 $(BIN)/python -m pytest tests/year -k a_year
	for seed in 1 2 3; do $(BIN)/python -m benchmarks.chaos --seed $$seed || exit 1; done
	BATON_OLIST=1 $(BIN)/python -m pytest tests/app/review/test_olist_replay.py
	BATON_STORM=1 $(BIN)/python -m pytest tests/tasks/crm/test_killed_readers.py tests/contracts/test_crm_storm.py tests/app/test_fuzz.py tests/tasks/messages/test_faulty_mail.py tests/flows/test_driver_equals_flow.py tests/flows/test_live_races.py tests/storage/test_answer_races.py tests/storage/test_offer_races.py tests/storage/test_recall_races.py tests/storage/test_undo_races.py tests/app/test_crm_storm_at_the_door.py tests/app/review/test_planted_causes.py tests/app/review/test_proposed_points.py
	BATON_STORM=1 $(BIN)/python -m pytest tests/year -k a_fault
	BATON_STORM=1 $(BIN)/python -m pytest tests/app/test_demo.py -k killed
	BATON_POSTGRESQL=all $(BIN)/python -m pytest tests/storage/test_on_postgresql.py
	BATON_EXAMPLES=new $(BIN)/python -m pytest -n $(WORKERS) -m "hypothesis and not long"
	BATON_ORDER=$$(date +%F) $(BIN)/python -m pytest -n $(WORKERS) -m "not long"
	$(MAKE) test-properties
	$(BIN)/python -m benchmarks $(ARGS)

lock: setup ## write requirements.lock anew from pyproject.toml
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet -o requirements.lock

.PHONY: help setup demo test test-long test-loaded test-examples test-properties coverage watch check docs pictures bench chaos nightly lock
