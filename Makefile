# Two commands matter: `make chat` and `make test`. Each can be run first, and twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup chat test test-browser test-real-model test-safety lint lock clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12 setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(STAMP)

chat: setup
	$(BIN)/followup index --shipped --keep
	$(BIN)/followup serve

test: setup
	$(BIN)/python -m pytest -m "not browser and not real_model"

# Needs Chromium and its driver, e.g. `apt-get install chromium chromium-driver`, and npm for axe-core.
test-browser: setup
	@if command -v npm >/dev/null; then npm ci --prefix tests/browser --no-audit --no-fund --silent; fi
	$(BIN)/python -m pytest -m browser

# A language model of 135 million parameters and what runs it: compiled here in about five minutes, once.
test-real-model: setup
	CMAKE_ARGS="-DLLAVA_BUILD=OFF -DMTMD_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_COMMON=OFF" \
		$(BIN)/python -m pip install --quiet --no-deps --requirement tests/real_model.txt
	$(BIN)/python -m pytest -m real_model

test-safety: setup
	$(BIN)/python -m pytest -m safety -s

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Rewrites constraints.txt; torch's local version label ("+cpu") exists only where its file lies.
lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile pyproject.toml --all-extras --python-version 3.11 \
		$(if $(PIP_FIND_LINKS),--find-links $(PIP_FIND_LINKS)) \
		--no-header --no-annotate --no-emit-find-links --output-file constraints.txt
	sed -i.bak 's/^\(torch==[0-9.]*\)+.*/\1/' constraints.txt && rm constraints.txt.bak
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) build *.egg-info
