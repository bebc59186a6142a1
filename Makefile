# Everything is made into .venv; nothing else of the machine is touched but Debian packages that tests need.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.stamp
STAGE ?= dev

.PHONY: run test pages corpus lint package deploy bench clean lock

$(STAMP): requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

# The lock files: exact versions and hashes, no index addresses.
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
lock:
	$(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile $(LOCK) requirements.in -o requirements.txt
	$(BIN)/uv pip compile $(LOCK) requirements-dev.in -o requirements-dev.txt

# The pages, built with the Node that a wheel brings; only when something they are made of has changed.
WEB := webmail-frontend
NODE := PATH="$(CURDIR)/$(BIN):$$PATH"
$(WEB)/node_modules/.stamp: $(WEB)/package.json $(WEB)/package-lock.json $(WEB)/.npmrc | $(STAMP)
	cd $(WEB) && $(NODE) npm ci --silent
	touch $@

$(WEB)/dist/mail.html: $(shell find $(WEB)/src $(WEB)/public -type f) $(wildcard $(WEB)/*.html $(WEB)/*.ts $(WEB)/*.json) $(WEB)/node_modules/.stamp
	cd $(WEB) && $(NODE) npm run --silent build
	touch $@

pages: $(WEB)/dist/mail.html

# A JMAP client by somebody else, for a test.
JAM := tests/e2e/jam
$(JAM)/node_modules/.stamp: $(JAM)/package.json $(JAM)/package-lock.json $(JAM)/.npmrc | $(STAMP)
	cd $(JAM) && $(NODE) npm ci --silent
	touch $@

# The whole service on this machine, until Ctrl-C.
run: $(STAMP) pages
	@$(BIN)/python -m local

# The one command that passes everything: types, lint, then every test (pages and deployments included).
test: lint pages $(JAM)/node_modules/.stamp
	bash tools/browser.sh
	cd $(WEB) && $(NODE) npm test --silent
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Every message of a folder through the front door and back out of the API: make corpus DIR=path
corpus: $(STAMP)
	$(BIN)/python -m tools.corpus $(DIR)

# Counted AWS calls and capacity units of the ordinary operations, beside their budgets; and of text search.
bench: $(STAMP)
	$(BIN)/python -m bench.ops
	$(BIN)/python -m bench.search
	$(BIN)/python -m bench.jmap

# One template and one zip in build/package. ARCH=x86_64 for Lambdas that are not arm64.
ARCH ?= arm64
package: $(STAMP)
	$(BIN)/python -m tools.package --arch $(ARCH)

# To the AWS account that the environment's credentials open; docs/deploy.md goes through it step by step.
deploy: package
	$(BIN)/python -m tools.deploy --stage $(STAGE)

clean:
	rm -rf .venv .local build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf webmail-frontend/dist webmail-frontend/node_modules tests/e2e/jam/node_modules
