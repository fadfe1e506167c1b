#!/bin/sh
# Fuzzes one target for a number of seconds: fuzz/run.sh objects 600. Needs a C++ compiler, but neither nightly Rust nor
# cargo-fuzz. The initial corpus consists of the samples in the repository and in the folder HEELER_EC_DATA.
set -eu
cd "$(dirname "$0")"
target=$1
seconds=${2:-60}
corpus=corpus/$target
mkdir -p "$corpus" artifacts

add_samples() { # folder, file name pattern
    [ ! -d "$1" ] || find "$1" -type f -name "$2" | while read -r file; do
        cp "$file" "$corpus/$(cksum <"$file" | tr -d ' ')"
    done
}
data=${HEELER_EC_DATA:-none}
case $target in
messages)
    add_samples ../tests/fixtures/tail/bodies '*'
    add_samples "$data/notifications" '*.json'
    ;;
objects)
    add_samples ../tests/fixtures/tail/objects '*.gz'
    add_samples ../tests/fixtures/tail/layouts '*'
    add_samples "$data/field" '*.json*'
    add_samples "$data/cloudtrail" '*.gz'
    ;;
policies)
    # The policies of the test vectors, one per file.
    python3 - ../tests/fixtures/policy_vectors.json "$corpus" <<'END'
import json, pathlib, sys
for vector in json.loads(pathlib.Path(sys.argv[1]).read_text()):
    for name, policy in vector["policies"].items():
        pathlib.Path(sys.argv[2], f"{vector['id']}-{name}").write_text(json.dumps(policy))
END
    ;;
records)
    add_samples ../tests/fixtures/pattern '*.json'
    add_samples "$data/cloudtrail/eventbridge" '*.json'
    ;;
esac

# Coverage instrumentation for libFuzzer. The pass is part of every rustc.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build --release --target "$host" --bin "$target"
exec "${CARGO_TARGET_DIR:-target}/$host/release/$target" "$corpus" \
    -max_total_time="$seconds" -max_len=262144 -timeout=10 -rss_limit_mb=512 -artifact_prefix=artifacts/
