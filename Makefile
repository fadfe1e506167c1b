# The commands of developers and CI.

PYTHON ?= python3
EMULATORS := .venv/ministack/.stamp .venv/moto/.stamp .venv/awscli/.stamp .venv/athena/.stamp

# The installed Python versions that the Lambda function supports. PYENV_VERSION selects the version under pyenv.
# Lambda's runtime client supports only Linux.
ifeq ($(shell uname -s),Linux)
FUNCTION := $(foreach version,3.11 3.12 3.13,$(if $(shell PYENV_VERSION=$(version) python$(version) -c 'print(1)' 2>/dev/null),\
	.venv/function-$(version)/.stamp))
endif

# The tests append what they skip to this file.
SKIPPED := $(CURDIR)/target/skipped-tests.txt

# The programs that build the site of the documentation, in their own folder. mdbook-mermaid has the library that draws
# the diagrams.
DOCS_TOOLS := target/docs-tools
MDBOOK := 0.5.4
MDBOOK_MERMAID := 0.17.1
CHROMIUM ?= chromium

.PHONY: emulators test faults acceptance demo demo-direct check check-html bench generate snapshots docs check-docs

# Installs the AWS emulators, the AWS CLI that parses printed commands, sqlglot and DuckDB that run printed SQL, and
# Lambda's runtime client, each in its own environment.
emulators: $(EMULATORS) $(FUNCTION)

.venv/%/.stamp: tests/testkit/emulators/%.txt
	@command -v $(PYTHON) >/dev/null || { \
		echo "python3 (3.10 or newer, with venv) is missing: the AWS emulators need it" >&2; exit 1; }
	rm -rf .venv/$*
	$(PYTHON) -m venv .venv/$*
	.venv/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/function-%/.stamp: tests/testkit/emulators/function.txt
	rm -rf .venv/function-$*
	PYENV_VERSION=$* python$* -m venv .venv/function-$*
	.venv/function-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--only-binary :all: -r $<
	@touch $@

# Runs all tests that this machine can run, and lists the others at the end.
test: emulators
	@mkdir -p $(dir $(SKIPPED)) && rm -f $(SKIPPED)
	@HEELER_EC_SKIPPED=$(SKIPPED) cargo test --locked --workspace; status=$$?; \
	if [ -s $(SKIPPED) ]; then printf '\nNot run:\n'; sort -u $(SKIPPED) | sed 's/^/  - /'; \
	else printf '\nNo test was skipped.\n'; fi; exit $$status

# Injects every fault into every call of every command, and prints the outcomes by kind. SHARD=1/4 runs a quarter, and
# CASES=TEXT the cases whose names contain the text. Another run repeats only bad cases, because target/faults has the
# outcomes.
faults: emulators
	cargo test --locked --test suite faults::all_fault_cases -- --ignored --exact --nocapture

# Runs the whole life cycle of both options in the AWS account that HEELER_EC_ACCEPTANCE_ACCOUNT names, after a question,
# and writes target/acceptance-report.md. AWS charges for it.
acceptance: .venv/awscli/.stamp
	cargo build --locked --bin heeler-ec
	@$(PYTHON) tests/acceptance/run.py

# Demonstrates the program on a simulated organization, without an AWS account.
demo: .venv/ministack/.stamp
	cargo build --locked --bin heeler-ec --example demo
	@cargo run --locked --quiet --example demo

# The variant for another vendor than Heeler.
demo-direct: .venv/ministack/.stamp
	cargo build --locked --bin heeler-ec --example demo
	@cargo run --locked --quiet --example demo -- direct

check:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

# Checks the page of coverage in headless Chromium: filters, accessibility (axe-core, which npm installs) and screenshots,
# which are then in target/coverage-page.
check-html: .venv/axe/.stamp
	cargo test --locked --test suite coverage_page::page_works_in_a_browser -- --ignored --exact

.venv/axe/.stamp: tests/html/package-lock.json
	@mkdir -p .venv/axe && cp tests/html/package.json tests/html/package-lock.json .venv/axe/
	cd .venv/axe && npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

bench: emulators
	cargo bench --locked

# Generates the files that derive from the program: completions, manual pages, docs/commands.md, docs/policies.md,
# docs/images, and tables of docs/permissions.md and docs/checks/README.md. Also generates the models of AWS's operations,
# from those of the AWS CLI.
generate: emulators
	.venv/awscli/bin/python tests/testkit/models/generate.py
	HEELER_EC_GENERATE=1 cargo test --locked --test suite -- generated images

# Writes the screens of all commands to tests/snapshots. Read the difference before you commit it.
snapshots: emulators
	SNAPSHOTS=overwrite cargo test --locked --test suite screens::screens_of

# Builds the documentation as a site in target/site. A warning is an error.
docs: $(DOCS_TOOLS)/.mdbook-$(MDBOOK)-mermaid-$(MDBOOK_MERMAID)
	rm -rf target/site
	@output=$$($(DOCS_TOOLS)/bin/mdbook build 2>&1); status=$$?; printf '%s\n' "$$output"; \
	if [ $$status -ne 0 ] || printf '%s\n' "$$output" | grep -qiE 'warn|error'; then exit 1; fi
	cp $(DOCS_TOOLS)/mermaid/mermaid.min.js target/site/
	@echo "Open target/site/index.html"

$(DOCS_TOOLS)/.mdbook-$(MDBOOK)-mermaid-$(MDBOOK_MERMAID):
	cargo install --locked --root $(DOCS_TOOLS) --no-default-features --features search mdbook@$(MDBOOK)
	cargo install --locked --root $(DOCS_TOOLS) mdbook-mermaid@$(MDBOOK_MERMAID)
	mkdir -p $(DOCS_TOOLS)/mermaid
	touch $(DOCS_TOOLS)/mermaid/book.toml
	$(DOCS_TOOLS)/bin/mdbook-mermaid install $(DOCS_TOOLS)/mermaid
	@touch $@

# Opens each page of the site in Chromium, at the widths of a phone and of a desktop, and lists what is wrong.
# SCREENSHOTS=FOLDER also writes a picture of each page.
check-docs: docs .venv/site/.stamp
	@command -v $(CHROMIUM) >/dev/null || { \
		echo "$(CHROMIUM) is missing: install it (Debian and Ubuntu: apt-get install chromium), or set CHROMIUM" >&2; exit 1; }
	@.venv/site/bin/python site/check.py target/site "$$(command -v $(CHROMIUM))" $(SCREENSHOTS)

.venv/site/.stamp: site/requirements.txt
	rm -rf .venv/site
	$(PYTHON) -m venv .venv/site
	.venv/site/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
