#!/bin/sh
# Fuzzes one target for so many seconds: fuzz/run.sh objects 600. Needs a C++ compiler, and neither nightly nor cargo-fuzz.
# The corpus begins with the samples of the repository, and with those that HEELER_EC_DATA names.
set -eu
cd "$(dirname "$0")"
target=$1
seconds=${2:-60}
corpus=corpus/$target
mkdir -p "$corpus" artifacts

take() { # a folder, and what the names in it end in
    [ ! -d "$1" ] || find "$1" -type f -name "$2" | while read -r file; do
        cp "$file" "$corpus/$(cksum <"$file" | tr -d ' ')"
    done
}
data=${HEELER_EC_DATA:-none}
case $target in
messages)
    take ../tests/fixtures/tail/bodies '*'
    take "$data/notifications" '*.json'
    ;;
objects)
    take ../tests/fixtures/tail/objects '*.gz'
    take "$data/cloudtrail" '*.gz'
    ;;
records)
    take ../tests/fixtures/pattern '*.json'
    take "$data/cloudtrail/eventbridge" '*.json'
    ;;
esac

# Coverage as libFuzzer wants it; the pass is part of every rustc.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build --release --target "$host" --bin "$target"
exec "${CARGO_TARGET_DIR:-target}/$host/release/$target" "$corpus" \
    -max_total_time="$seconds" -max_len=262144 -timeout=10 -rss_limit_mb=512 -artifact_prefix=artifacts/
