# Needs make and Python 3.11 or later, nothing else, and no root. All it makes is under .venv and .retoma.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
CACHE := .retoma/cache

# Where tools would otherwise leave directories of their own.
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/$(CACHE)/hypothesis
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help run test coverage lint format psql clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

run: $(STAMP) ## See it work: campaigns to a local sandbox; your own: make run CSV=contacts.csv TEXT='Hi {{ name }}'
	@$(BIN)/retoma demo $(if $(CSV),--csv "$(CSV)") $(if $(TEXT),--text "$$TEXT")
run: export TEXT := $(value TEXT)

test: $(STAMP) ## All tests, on real PostgreSQL 18, and 15 if Debian's is installed
	@mkdir -p $(CACHE)
	$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

coverage: $(STAMP) ## All tests, and which lines none of them runs; takes half as long again
	@mkdir -p $(CACHE)
	$(BIN)/pytest -n 2 --dist worksteal --cov --cov-branch --cov-report=term $(ARGS)

lint: $(STAMP) ## Style and types of Python and SQL, and plpgsql_check over every function
	@mkdir -p $(CACHE)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar sql
	$(BIN)/python -m tests.lint.bodies
	$(BIN)/python -m tests.lint.raises
	$(BIN)/python -m tests.lint.plpgsql

format: $(STAMP) ## Let ruff and sqlfluff put Python and SQL in shape
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(BIN)/sqlfluff fix --processes 2 --disable-progress-bar sql

psql: $(STAMP) ## Open psql on the database
	@$(BIN)/retoma db psql

clean: ## Stop the embedded server; remove its data, the environment and all caches
	@if [ -x $(BIN)/retoma ]; then RETOMA_DATABASE_URL= RETOMA_HOME=.retoma $(BIN)/retoma db stop; fi
	rm -rf .venv .retoma
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'error: Python 3.11 or later is needed; name it: make PYTHON=python3.13' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

.PHONY: chaos soak
chaos: $(STAMP) ## Break everything on random schedules for about 5 minutes, and judge what is left
	$(BIN)/python -m tests.chaos soak --kept --minutes 5 --first-seed $$(date +%s) --report $(CACHE)/chaos/$$(date +%s).jsonl

soak: $(STAMP) ## The same for hours: make soak HOURS=8
	$(BIN)/python -m tests.chaos soak --kept --hours $(or $(HOURS),1) --first-seed $$(date +%s) --report $(CACHE)/chaos/$$(date +%s).jsonl

.PHONY: dialects
dialects: $(STAMP) ## 16,000 messages through each provider's dialect, with lost answers and a killed runner (10 minutes)
	$(BIN)/python -m tests.dialects $(ARGS)

.PHONY: bench
bench: $(STAMP) ## Measure (an hour); some of it, quickly: make bench ARGS='engine wire --quick'
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m tests.bench $(ARGS)

.PHONY: model
model: ## Check the model of the protocol with spin (Debian: apt-get install spin gcc)
	docs/model/check

.PHONY: hammer
hammer: $(STAMP) ## Call all public functions at random, with open transactions and ended sessions: make hammer MINUTES=30
	$(BIN)/python -m tests.hammer --minutes $(or $(MINUTES),2) --seed $$(date +%s)
