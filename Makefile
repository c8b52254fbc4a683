# Two commands set up everything: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

PAGES := harness/stack/page harness/report/page
NAME_OF_harness/stack/page := call
NAME_OF_harness/report/page := report
BUILT_PAGES := $(addsuffix /dist/index.html,$(PAGES))

# Many images of Python set it, and each start of a command or of pytest then compiles all of our modules again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: install page page-lint page-test run test test-waiting test-measured test-measured-beside test-by-the-cpu test-fast lint bench lock clean

# Everything but `stack up --backend` and `--web`, and report.html beyond its verdict, works without the pages.
install: $(STAMP)
	@$(MAKE) --no-print-directory page || echo "The pages are not built (see above). All else is installed; make page tries again."

# uv comes first, by pip and with its hash from the same lock; it then installs the rest in seconds.
$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "voice-harness needs Python 3.11 or newer: make install PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ .*--hash/p;}' requirements.lock > $(VENV)/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

# The stack's pages and the report's: with Node where it is installed, else with the one packaged on PyPI.
page: $(STAMP) $(BUILT_PAGES)

# Those that are older than a source of theirs.
.SECONDEXPANSION:
$(BUILT_PAGES): %/dist/index.html: $$(wildcard $$(addprefix %/,package-lock.json vite.config.ts *.html check-size.mjs src/* src/*/*))
	$(BIN)/python -m harness.build_pages --page $(NAME_OF_$*) build

page-lint: $(STAMP)
	$(BIN)/python -m harness.build_pages lint

page-test: $(STAMP)
	$(BIN)/python -m harness.build_pages test

# The main job: the smoke scenario against the embedded stack; the report lands in reports/.
run: install
	$(BIN)/voice-harness run scenarios/smoke.yaml --target embedded --retry-unfit 2

# What needs nothing but the CPU runs beside measured calls, on what they leave of it. The tests that reach how a call is
# measured and judged carry the coverage gate (pyproject.toml); in the others it would cost the most and find nothing.
GATED := $(addprefix tests/,caller judge measure metrics recorded recordings timeline \
	call/test_heard_again.py call/test_who_is_called.py)
BY_THE_CPU := $(addprefix tests/,calibrate call caller capacity cli compare docs doctor hearing judge measure metrics parsing process \
	pytest_plugin record recorded recordings report run scenario target telemetry testing timeline utterances test_build_pages.py test_habits.py)
# The longest first, so that all processes end together.
LONG := $(addprefix tests/,live/test_faults.py stack/test_shapes_of_agents.py stack/agents/test_live.py \
	live/test_load_live.py live/test_pytest_plugin_live.py browser live/test_cli_live.py live/test_capacity.py stack/speech)
WAITING := $(LONG) $(addprefix tests/,flow shards load transport machine observe proxies contract) \
	$(addprefix tests/stack/,service tools knowledge reference_voice web) \
	$(filter-out $(LONG),$(wildcard tests/stack/test_*.py tests/stack/agents/test_*.py))
test: $(STAMP) page
	$(MAKE) --keep-going test-waiting test-measured-beside

# What mostly waits runs three files at a time: each process has servers of its own.
test-waiting: $(STAMP)
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(WAITING)

# Then the calls that are measured, one after the other.
test-measured: $(STAMP)
	$(BIN)/python -m pytest $(addprefix --ignore=,$(BY_THE_CPU) $(WAITING))

# They leave most of the CPU to what needs nothing else. The shapes of agents, which need it all, come last.
test-measured-beside: $(STAMP)
	$(BIN)/python tests/beside.py $(MAKE) --keep-going page-test test-by-the-cpu -- $(MAKE) test-measured

test-by-the-cpu: $(STAMP)
	$(BIN)/python -m pytest -n 2 --cov --cov-branch $(GATED)
	$(BIN)/python -m pytest -n 2 $(filter-out $(GATED),$(BY_THE_CPU)) $(addprefix --ignore=,$(GATED))

# For the inner loop: without what starts commands or computes for long.
SLOW := $(addprefix tests/,calibrate/test_onset_over_noise.py cli hearing parsing/test_plain_words.py \
	pytest_plugin/test_plugin_outcomes.py pytest_plugin/test_plugin_shares_a_stack.py recordings target/test_first_workflow.py \
	target/test_gitlab_job.py telemetry utterances/test_fixtures_say.py)
test-fast: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 $(filter-out $(SLOW),$(BY_THE_CPU)) tests/test_secret.py $(addprefix --ignore=,$(SLOW))

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python ci/lint.py
	$(MAKE) page-lint

bench: $(STAMP)
	$(BIN)/python -m pytest -o addopts="--strict-markers --strict-config" tests/benchmarks -q -s

# Pins stay as they are; `make lock UPGRADE=--upgrade` moves them.
lock:
	$(BIN)/uv pip compile pyproject.toml --extra stack --extra mcp --extra otel --extra dev --universal --generate-hashes --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links $(UPGRADE) --output-file requirements.lock

clean:
	rm -rf $(VENV) build dist *.egg-info $(addsuffix /dist,$(PAGES)) $(addsuffix /node_modules,$(PAGES))
