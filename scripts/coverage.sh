#!/usr/bin/env bash
# Line coverage of the product by the tests: all of it but sim/ and bench/, which are not part of the product.
# One build and one run for two: these are the tests of `scripts/sanitize.sh asan`.
# Usage: scripts/coverage.sh [LOWEST_PERCENT=85]      exits with 1 below; the list by file: build/coverage.txt
set -euo pipefail
cd "$(dirname "$0")/.."
lowest="${1:-85}"
scripts/install.sh llvm-14
profiles="$PWD/build/asan/profiles"
rm -rf "$profiles"
LLVM_PROFILE_FILE="$profiles/%m.profraw" scripts/sanitize.sh asan
llvm-profdata-14 merge -sparse "$profiles"/*.profraw -o "$profiles/all.profdata"
objects=()
for program in build/asan/capstan build/asan/test_*; do
  [ -x "$program" ] && [ -f "$program" ] && objects+=(-object "$program")
done
llvm-cov-14 report "${objects[@]:1}" -instr-profile "$profiles/all.profdata" common ps worker scheduler cli \
  > build/coverage.txt
# Columns 8 and 9 are a file's lines and those of them that no test ran. The report has the tests' files too.
awk -v lowest="$lowest" '
  $1 ~ /^(common|ps|worker|scheduler|cli)\// { lines += $8; missed += $9 }
  END {
    share = 100 * (lines - missed) / lines
    printf "line coverage: %.1f %% (%d of %d lines; at least %s %% wanted)\n", \
      share, lines - missed, lines, lowest
    exit share < lowest + 0
  }' build/coverage.txt
