#!/usr/bin/env bash
# Line coverage of the product by the tests: all of it but sim/ and bench/, which are not part of the product.
# Usage: scripts/coverage.sh [LOWEST_PERCENT=85]      exits with 1 below; the list by file: build/coverage.txt
set -euo pipefail
cd "$(dirname "$0")/.."
lowest="${1:-85}"
scripts/install.sh gcovr
scripts/build.sh coverage
find build/coverage -name '*.gcda' -delete
export CAPSTAN_TEST_PATIENCE="${CAPSTAN_TEST_PATIENCE:-4}"
ctest --test-dir build/coverage --output-on-failure --no-tests=error -j "$(nproc)"
gcovr --root . --object-directory build/coverage -j "$(nproc)" --txt build/coverage.txt --print-summary \
  --filter '(common|ps|worker|scheduler|cli)/' --exclude-throw-branches --fail-under-line "$lowest"
