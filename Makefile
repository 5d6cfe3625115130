# Each target sets up what it needs; a bare checkout with python3 and make is enough.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.ready

CLIENT = $(VENV)/client/.ready
TLOG = $(VENV)/tlog/.ready

.PHONY: demo test check torture mutants bench lock format client
demo: $(STAMP)
	$(BIN)/python -m tsuzuri.app.story.tell $(if $(SERVE),--serve)

# A file of tests at a time on each processor: what its tests share is made once.
test: $(STAMP) $(CLIENT) $(TLOG)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py tests/test_layout.py

# Every harness at full size, an hour or so. ISSUE=3: those of the log, 4: projections, 5: intake, 6: access, 7: the API, 8: audit.
torture: $(STAMP)
	$(BIN)/python tests/torture

# Do the tests notice when the code that decides and guards says something else? Some twenty minutes on two free cores.
mutants: $(STAMP)
	$(BIN)/python tests/mutants.py

bench: $(STAMP)
	$(BIN)/python -m bench

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The example of a client, generated from the schema.
client: $(CLIENT)
	cd examples/python-client && $(abspath $(VENV))/client/bin/ariadne-codegen

# The pins: what the server runs on, and beside it what its developers need.
lock: $(STAMP)
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    --python-version 3.11 pyproject.toml --all-extras -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    --python-version 3.11 pyproject.toml --all-extras --group dev -o requirements-dev.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    --python-version 3.11 examples/python-client/pyproject.toml \
	    --group examples/python-client/pyproject.toml:generate -o examples/python-client/requirements.lock

$(STAMP): requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(CLIENT): examples/python-client/requirements.lock $(STAMP)
	$(PYTHON) -m venv $(VENV)/client
	$(VENV)/client/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    -r examples/python-client/requirements.lock
	touch $@

$(TLOG): tests/tlog/requirements.lock $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --ignore-requires-python \
	    --target $(VENV)/tlog -r tests/tlog/requirements.lock
	touch $@
