# What a person types. Each target builds .venv first, and only when the requirements have changed.

PYTHON ?= python3
PY := .venv/bin/python
ALONE := browser or faults or whole
CHECKED := accounts billing bench config demo gateway kit marketplace notices portal tests usage manage.py

# mypy's Django plugin loads the settings and connects to nothing.
SETTINGS := SECRET_KEY=- TOLLGATE_KEY_PEPPERS=- TOLLGATE_ENCRYPTION_KEY=- DATABASE_URL=postgresql://-@/- REDIS_URL=redis://-

.PHONY: run test quick check bench format python

run: python
	@$(PYTHON) config/local/bootstrap.py requirements.txt
	@$(PY) manage.py up $(ARGS)

# What needs the machine for itself (a browser, killed processes, the whole product) runs after the rest, alone.
test: python
	@$(PYTHON) config/local/bootstrap.py requirements.txt requirements-dev.txt
	@status=0; \
	$(PY) -m pytest -q -n auto -m "not ($(ALONE))" $(ARGS) || status=$$?; \
	$(PY) -m pytest -q -m "$(ALONE)" $(ARGS) || status=$$?; \
	exit $$status

# No browser, no killed processes, no whole product: under a minute.
quick: python
	@$(PYTHON) config/local/bootstrap.py requirements.txt requirements-dev.txt
	@$(PY) -m pytest -q -n auto -m "not ($(ALONE) or slow)" $(ARGS)

check: python
	@$(PYTHON) config/local/bootstrap.py requirements.txt requirements-dev.txt
	.venv/bin/ruff format --check $(CHECKED)
	.venv/bin/ruff check $(CHECKED)
	$(SETTINGS) .venv/bin/mypy
	.venv/bin/lint-imports --no-cache
	$(PY) -m pytest -q tests/house/test_wiring.py -k migration

bench: python
	@$(PYTHON) config/local/bootstrap.py requirements.txt requirements-dev.txt
	@$(PY) -m bench.ingest
	@$(PY) -m bench.door

format: python
	@$(PYTHON) config/local/bootstrap.py requirements.txt requirements-dev.txt
	.venv/bin/ruff check --fix-only $(CHECKED)
	.venv/bin/ruff format $(CHECKED)

python:
	@command -v $(PYTHON) >/dev/null || { echo "Tollgate: Python 3.11 or newer is needed, and there is no $(PYTHON) here: install one, or name it with PYTHON=." >&2; exit 1; }
