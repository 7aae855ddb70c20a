# The only scripts of this project; .ci/run calls the same targets.
PYTHON ?= python3.11
PY := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help demo serve test pgtest traintest lint types layers openapi bundle hoax bench clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.venv/serve.stamp: pyproject.toml
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@echo "installing what serving needs (no torch) ..."
	@$(PY) -m pip install -qq --disable-pip-version-check -e . --config-settings editable_mode=strict
	@touch $@

.venv/dev.stamp: pyproject.toml .venv/serve.stamp
	@echo "installing what the tests need ..."
	@$(PY) -m pip install -qq --disable-pip-version-check -e '.[dev]' --config-settings editable_mode=strict
	@touch $@

# A strict editable install lists the files it ships: one that came since must be listed too.
FILES := $(shell find models service training datasets evaluation -name '__pycache__' -prune -o -type f -print | sort)
.venv/files.stamp: .venv/serve.stamp $(FILES)
	@echo '$(sort $(FILES))' | cmp -s - $@ || \
	  $(PY) -m pip install -qq --disable-pip-version-check --no-deps -e . --config-settings editable_mode=strict
	@echo '$(sort $(FILES))' > $@

demo: .venv/files.stamp  ## Classify the example reports with the bundled model
	@.venv/bin/pilah classify datasets/data/examples/laporan.jsonl --table
	@echo "That was \`pilah classify datasets/data/examples/laporan.jsonl --table\`. For the JSON leave --table out."
	@echo "Start the service with its start page: make serve   (then open http://127.0.0.1:8000/)"

serve: .venv/files.stamp  ## Start the service: API, reference and start page
	@.venv/bin/pilah serve

test: .venv/dev.stamp .venv/files.stamp  ## Run the whole test suite
	@.venv/bin/pytest -n auto

.venv/train.stamp: pyproject.toml .venv/dev.stamp
	@echo "installing what training encoders needs (torch) ..."
	@$(PY) -m pip install -qq --disable-pip-version-check -e '.[dev,train]' --config-settings editable_mode=strict
	@touch $@

PILAH_TEST_DATABASE ?=
pgtest: .venv/dev.stamp .venv/files.stamp  ## Run the service's tests on PostgreSQL: make pgtest PILAH_TEST_DATABASE=URL
	@test -n "$(PILAH_TEST_DATABASE)" || { echo "give PILAH_TEST_DATABASE=postgresql+psycopg://user@host/database"; exit 1; }
	@PILAH_TEST_DATABASE=$(PILAH_TEST_DATABASE) .venv/bin/pytest -n auto tests/test_postgresql.py tests/test_desk_[aprst]*.py \
	  tests/test_indicators.py tests/test_loop_*.py tests/test_oidc.py tests/test_service_[ai]*.py tests/test_service_pages.py tests/test_service_faults.py tests/test_demo.py

traintest: .venv/train.stamp .venv/files.stamp  ## Run the tests that need torch
	@.venv/bin/pytest -m train

lint: .venv/dev.stamp  ## Style
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .

types: .venv/dev.stamp .venv/files.stamp  ## Types
	@.venv/bin/mypy models service training datasets evaluation

layers: .venv/dev.stamp .venv/files.stamp  ## Imports only run downwards
	@.venv/bin/lint-imports

openapi: .venv/dev.stamp .venv/files.stamp  ## Write the committed OpenAPI document anew
	@$(PY) -c "import json; from pilah.service.app import openapi_document; \
	print(json.dumps(openapi_document(), ensure_ascii=False, indent=1, sort_keys=True))" > tests/contract/openapi.json

bundle: .venv/files.stamp  ## Train the bundled model anew from the written corpus
	@.venv/bin/pilah train training/experiments/default.toml -o models/data/bundle

hoax: .venv/files.stamp  ## Fit the learned part of the hoax detector anew from the written corpus
	@$(PY) -m pilah.training.hoax datasets/data/corpus/train.jsonl models/data/hoax.npz

# One after the other, for they take the time. PILAH_BENCHMARKS names the folder of the data, PILAH_BUNDLE
# another bundle. Passive waiting: threads that spin beside other work would slow the peer unfairly.
BENCHES := surabaya_classify surabaya_topics surabaya_retrain surabaya_incidents incident_pairs route_head side_by_side hoax fairness
bench: .venv/files.stamp  ## Measure on real reports, if they are there; JSON in var/bench
	@for b in $(BENCHES); do echo "== $$b"; \
	  OMP_WAIT_POLICY=PASSIVE $(PY) tests/bench/$$b.py -o var/bench/$$b.json || exit 1; done

clean:  ## Remove the environment and everything built
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
