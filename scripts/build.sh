#!/usr/bin/env bash
# Configures and builds one preset. Usage: scripts/build.sh [PRESET=release] [NINJA_ARG...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset="${1:-release}"
shift || true
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" -- "$@"
