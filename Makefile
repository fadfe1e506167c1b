# The commands of developers and CI.

PYTHON ?= python3
EMULATORS := .venv/ministack/.stamp .venv/moto/.stamp .venv/awscli/.stamp

# The installed Python versions that the Lambda function supports. PYENV_VERSION selects the version under pyenv.
# Lambda's runtime client supports only Linux.
ifeq ($(shell uname -s),Linux)
FUNCTION := $(foreach version,3.11 3.12 3.13,$(if $(shell PYENV_VERSION=$(version) python$(version) -c 'print(1)' 2>/dev/null),\
	.venv/function-$(version)/.stamp))
endif

# The tests append what they skip to this file.
SKIPPED := $(CURDIR)/target/skipped-tests.txt

.PHONY: emulators test faults acceptance demo check bench generate snapshots

# Installs the AWS emulators, the AWS CLI that parses printed commands, and Lambda's runtime client, each in its own
# environment.
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

check:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

bench: emulators
	cargo bench --locked

# Generates the files that derive from the program: completions, manual pages, docs/commands.md, docs/policies.md and
# docs/images; and the models of AWS's operations, from those of the AWS CLI.
generate: emulators
	.venv/awscli/bin/python tests/testkit/models/generate.py
	HEELER_EC_GENERATE=1 cargo test --locked --test suite -- generated images

# Writes the screens of all commands to tests/snapshots. Read the difference before you commit it.
snapshots: emulators
	SNAPSHOTS=overwrite cargo test --locked --test suite screens::screens_of
