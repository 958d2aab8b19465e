#!/usr/bin/env bash
# Searches for bytes that break the readers of what comes from elsewhere, with libFuzzer under the address and
# undefined-behaviour sanitizers. A finding is kept in build/fuzz/TARGET-crash-* and ends its target's search.
# Usage: scripts/fuzz.sh [MINUTES=10] [TARGET...]      without targets: all, one after the other
#   JOBS=n searches n targets at a time
set -euo pipefail
cd "$(dirname "$0")/.."
minutes="${1:-10}"
shift || true
case "$minutes" in *[!0-9]*|'') echo "fuzz.sh: MINUTES is a number, not $minutes" >&2; exit 2 ;; esac
scripts/install.sh clang-14 libclang-rt-14-dev
scripts/build.sh asan fuzz
fuzz="$PWD/build/asan/fuzz"
known="$("$fuzz")"
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets <<< "$known"
for target in "${targets[@]}"; do
  grep -qx -- "$target" <<< "$known" || { echo "fuzz.sh: no target $target; there are" $known >&2; exit 2; }
done

search() {  # TARGET
  local corpus="build/fuzz/$1" log="build/fuzz/$1.log" code=0
  mkdir -p "$corpus"
  export CAPSTAN_FUZZ_TARGET="$1"
  "$fuzz" --seeds "$corpus"
  LLVM_PROFILE_FILE=/dev/null nice -n 10 "$fuzz" "$corpus" -max_total_time=$((minutes * 60)) \
    -timeout=10 -rss_limit_mb=4096 -max_len=16384 -artifact_prefix="build/fuzz/$1-" \
    -print_final_stats=1 > "$log" 2>&1 || code=$?
  local runs
  runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  echo "$1: ${runs:-?} runs in $minutes min, corpus $(find "$corpus" -type f | wc -l) files," \
    "$([ $code -eq 0 ] && echo 'no finding' || echo "FOUND, see $log")"
  return $code
}
export -f search
export fuzz minutes
printf '%s\n' "${targets[@]}" | xargs -P "${JOBS:-1}" -I{} bash -c 'search "$1"' _ {}
