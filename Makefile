# From an empty clone: `make demo`, `make test`, `make lab`. What a step needs it makes first, once.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := $(CURDIR)/.venv/bin
DONE := .cache/done
export PATH := $(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
export YARN_ENABLE_TELEMETRY := 0

FRONTEND := $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null) \
	labextension/package.json labextension/tsconfig.json

.PHONY: help setup demo lab test soak lint format bench pictures translations lock clean
help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: $(DONE)/install ## .venv, front end and package, ready to work on

demo: setup ## build the example's image, run its notebook in it, say what ran where
	@machine/system-packages engine
	@machine/with-engine python examples/demo.py

lab: setup ## open JupyterLab on the example
	@machine/system-packages engine
	@machine/engine up
	cd examples && JUPYTER_CONFIG_PATH="$$PWD" exec ../machine/engine exec jupyter lab --ServerApp.root_dir="$(CURDIR)/examples" $$([ "$$(id -u)" = 0 ] && echo --allow-root)

test: setup ## everything: lint, types, unit, engine, front end, browser, wheel
	@machine/system-packages engine bases curl podman browser
	@machine/with-engine machine/run-tests

soak: setup ## long random histories of images, for an hour or so
	@machine/system-packages engine bases
	@SOAK_STEPS=20000 machine/with-engine python -m pytest -q -s tests/storage/test_histories.py

lint: setup ## style and types
	@machine/run-tests style types

format: setup ## write the style that `lint` wants
	ruff check --fix .
	ruff format .
	cd labextension && jlpm lint

bench: setup ## measure the numbers of docs/developers/performance.md: one table of value and target
	@machine/system-packages engine bases browser
	pip install --quiet --require-hashes -r requirements/bench.txt
	@PYTHONPATH=. machine/with-engine python benchmarks $(ONLY)

pictures: setup ## take the pictures of the documentation anew, from a real JupyterLab
	@machine/system-packages engine bases browser
	@machine/with-engine python -m tests.browser.pictures

translations: setup ## bring labextension/locale and its JSON up to date with the sources
	@python -m machine.translations

lock: ## renew the lock files in requirements/ from pyproject.toml
	env -u PIP_FIND_LINKS -u PIP_CONSTRAINT uv pip compile pyproject.toml --extra test --extra lint --extra build \
		--universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--upgrade --output-file requirements/dev.txt
	env -u PIP_FIND_LINKS -u PIP_CONSTRAINT uv pip compile pyproject.toml --extra bench --constraint requirements/dev.txt \
		--universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--upgrade --output-file requirements/bench.txt

clean: ## remove what was made here, except .venv
	rm -rf .cache dist labextension/lib labextension/tsconfig.tsbuildinfo jupyter_image_manager/labextension

$(DONE)/python: requirements/dev.txt
	@machine/system-packages python
	@mkdir -p $(DONE)
	@[ -x .venv/bin/python ] || "$(PYTHON)" -m venv .venv
	.venv/bin/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

$(DONE)/node: labextension/yarn.lock labextension/package.json $(DONE)/python
	cd labextension && jlpm install --immutable
	@touch $@

$(DONE)/frontend: $(FRONTEND) $(DONE)/node
	cd labextension && jlpm build
	@touch $@

# The editable install also puts the labextension and the server's configuration in place; the link that follows
# lets a rebuilt front end be seen at once.
$(DONE)/install: pyproject.toml install.json $(wildcard jupyter-config/*/*) $(DONE)/frontend
	pip install --quiet --no-deps --no-build-isolation --editable .
	jupyter-builder develop . --overwrite >/dev/null
	@touch $@
