#!/usr/bin/env bash
# Compiles every header alone. Usage: scripts/check_headers.sh [PRESET=release]
set -euo pipefail
cd "$(dirname "$0")/.."
preset="${1:-release}"
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" --target check_headers
