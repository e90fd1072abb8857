# Two commands do everything on a fresh machine with Python 3.11 and make:
#   make certify   every suite on the emulated bench, ending with a report
#   make test      the tests of the rig itself
# and `make setup` only sets up: .venv with everything pinned.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/installed
DOCS   := $(VENV)/docs-installed

.PHONY: setup certify certify-all test lint bench qualify proofs chaos metrology fuzz soak week docs tutorials report clean

setup: $(STAMP)

certify: $(STAMP)
	$(BIN)/v2hrig certify $(ARGS)

# Every system of the idea through all suites on its bench, with its report; ten minutes of one core.
certify-all: $(STAMP)
	$(BIN)/v2hrig certify-all $(ARGS)

test: $(STAMP) lint
	$(BIN)/python -m pytest tests -n 2 --random-order -m "not realtime and not long" $(ARGS)
	$(BIN)/python -m pytest tests -n 2 --dist loadfile -m "realtime and not long" $(ARGS) || [ $$? -eq 5 ]

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# At length what `make test` tries in short: a lease raced for, a sealed folder spoiled, a run killed and gone on with,
# a journal cut anywhere and reported.
proofs: $(STAMP)
	$(BIN)/python -m benchmarks.race_lease
	$(BIN)/python -m benchmarks.spoil_sealed
	$(BIN)/python -m benchmarks.kill_certify
	$(BIN)/python -m benchmarks.true_reports

# Every case of the protocol suite against the planted defect that must turn it red; then every planted defect, and a
# thousand good sessions, against the suites. `make qualify QUALIFY=--full`: every test meets every defect.
qualify: $(STAMP)
	$(BIN)/python -m pytest tests -m long $(ARGS)
	$(BIN)/v2hrig qualify $(QUALIFY)

# Whether what is stated as uncertainty covers known truths, 10,000 random cases of each kind; an hour.
metrology: $(STAMP)
	$(BIN)/python -m benchmarks.coverage $(ARGS)

# Rigs and their supervisors killed at random moments of an energised run, over real sockets: an hour and a half.
chaos: $(STAMP)
	$(BIN)/python -m benchmarks.chaos $(ARGS)

# Whatever comes from outside, at random: a million lines and replies, a million frames, and files; a quarter of an hour.
fuzz: $(STAMP)
	$(BIN)/python -m benchmarks.fuzz $(ARGS)

# Three days of bench time at random: memory, energy and verdicts stay what they are; an hour.
soak: $(STAMP)
	$(BIN)/python -m benchmarks.soak $(ARGS)

# A week of a house with a car, a roof and outages on the emulated circuit, every joule accounted for; seconds.
week: $(STAMP)
	$(BIN)/python -m benchmarks.week $(ARGS)

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(ARGS)

# The pages in build/docs: reference made from the code, warnings are errors, every link and anchor followed, no asset
# from another host.
docs: $(DOCS)
	$(BIN)/python -m docs.generate
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -b html docs build/docs
	$(BIN)/python -m docs.check_site build/docs

# Every command of the tutorials, literally, from a fresh clone; a quarter of an hour.
tutorials: $(STAMP)
	$(BIN)/python -m docs.follow $(ARGS)

$(DOCS): $(STAMP)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $(DOCS)

# The stamp is older than a changed pyproject or constraints file only; a second run installs nothing.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "v2hrig needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
