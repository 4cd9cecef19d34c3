# Every task sets up what it needs in .venv, and is quick the second time.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
STAMP := $(VENV)/.ready
# The kernel of the `fast` extra exists for Linux on x86-64; elsewhere OpenSSL does the work.
EXTRAS := $(shell [ "$$(uname -s)-$$(uname -m)" = Linux-x86_64 ] && echo 'console,dev,excel,fast,node,parquet,pkcs11,plot,postgres,report' || echo 'console,dev,excel,node,parquet,pkcs11,plot,postgres,report')

.PHONY: setup demo demo-console demo-serve demo-watch pictures drill cluster test test-fast test-long lint proto bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Heqiao needs Python 3.11 or newer; run: make PYTHON=/path/to/python3.11 ...") if sys.version_info < (3, 11) else None'
	[ -x $(RUN)/python ] || $(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	touch $(STAMP)

demo: $(STAMP)
	$(RUN)/python -m testbed.demo

demo-serve: $(STAMP)
	$(RUN)/python -m testbed.demo serve

demo-watch: $(STAMP)
	$(RUN)/python -m testbed.demo_watch

demo-console: $(STAMP)
	$(RUN)/python -m testbed.demo_console

pictures: $(STAMP)
	$(RUN)/python -m testbed.pictures

drill: $(STAMP)
	$(RUN)/python -m testbed.drill

cluster: $(STAMP)
	$(RUN)/python -m testbed.cluster

# Compiled modules are kept, whatever the environment says: tests start hundreds of processes.
test test-fast test-long: export PYTHONDONTWRITEBYTECODE =

# Three processes on two cores: clusters wait for each other more than they compute. Each takes a stretch of the
# files, so that what a file shares is made once, and helps another when it is done.
test: $(STAMP)
	$(RUN)/python -m pytest -n 3 --dist worksteal

# Half a minute: what needs no network, no process and no database.
test-fast: $(STAMP)
	$(RUN)/python -m pytest -n 2 tests/architecture tests/property tests/unit

# Also what takes minutes, and properties and the simulation with new examples, ten times as many.
test-long: $(STAMP)
	$(RUN)/python -m pytest -n 2 -m 'long or not long' --hypothesis-profile=long

lint: $(STAMP)
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	cd proto && ../$(RUN)/buf lint

proto: $(STAMP)
	find proto/gen -name '*_pb2*' -delete
	cd proto && ../$(RUN)/python -m grpc_tools.protoc -I. --python_out=gen --pyi_out=gen --grpc_python_out=gen $$(find heqiao -name '*.proto' | sort)

# Ours beside the peers, which it installs (1.1 GB); for ten million entries: make bench BENCH=--large
bench: $(STAMP)
	$(RUN)/python -m bench all $(BENCH)

clean:
	rm -rf demo demo-console demo-watch drill cluster build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
