# Everything that a developer or a CI job runs, by name.

PYTHON ?= python3
EMULATORS := .venv/ministack/.stamp .venv/moto/.stamp .venv/awscli/.stamp

# The Pythons that the function may run on in Lambda, as far as they are here (where pyenv chooses, the variable tells it
# which). Lambda's own runtime client is built for Linux only.
ifeq ($(shell uname -s),Linux)
FUNCTION := $(foreach version,3.11 3.12 3.13,$(if $(shell PYENV_VERSION=$(version) python$(version) -c 'print(1)' 2>/dev/null),\
	.venv/function-$(version)/.stamp))
endif

.PHONY: emulators test demo check bench generate

# The AWS emulators that tests and the demo run against, the AWS CLI that reads the commands of our advice, and Lambda's
# runtime client: each in an environment of its own.
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

test: emulators
	cargo test --locked --workspace

# Shows the program at work on a simulated organization; needs no AWS account.
demo: .venv/ministack/.stamp
	cargo build --locked --bin heeler-ec --example demo
	@cargo run --locked --quiet --example demo

check:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

bench: emulators
	cargo bench --locked

# Writes the files that are made from the program itself (help, manual, completions).
generate:
	HEELER_EC_GENERATE=1 cargo test --locked --test suite generated
