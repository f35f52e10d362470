# What a person types. Each target builds .venv first, and only when the requirements have changed.

PYTHON ?= python3
PY := .venv/bin/python
CHECKED := accounts billing bench config demo gateway kit marketplace notices portal tests usage manage.py

# mypy's Django plugin loads the settings and connects to nothing.
SETTINGS := SECRET_KEY=- TOLLGATE_KEY_PEPPERS=- TOLLGATE_ENCRYPTION_KEY=- DATABASE_URL=postgresql://-@/- REDIS_URL=redis://-

.PHONY: run test quick check bench format python

run: python
	@$(PYTHON) config/local/bootstrap.py requirements.txt
	@$(PY) manage.py up $(ARGS)

test: python
	@$(PYTHON) config/local/bootstrap.py requirements.txt requirements-dev.txt
	@$(PY) -m pytest $(ARGS)

# No browser, no killed processes, no whole product: under a minute.
quick: python
	@$(PYTHON) config/local/bootstrap.py requirements.txt requirements-dev.txt
	@$(PY) -m pytest -q -m "not browser and not faults and not whole" $(ARGS)

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
