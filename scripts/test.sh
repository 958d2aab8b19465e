#!/usr/bin/env bash
# Installs what is needed, builds and runs every test. Ends with ctest's summary.
# Usage: scripts/test.sh [PRESET=release] [CTEST_ARG...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset="${1:-release}"
shift || true
scripts/install.sh python3-torch
scripts/build.sh "$preset"
exec ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$(nproc)" "$@"
