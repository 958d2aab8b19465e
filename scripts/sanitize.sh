#!/usr/bin/env bash
# Runs the tests under sanitizers; a finding ends the test program that made it.
# Usage: scripts/sanitize.sh [asan | tsan] [CTEST_ARG...]      both, one after the other, without arguments
#   asan   address and undefined behaviour, every test
#   tsan   threads: all tests but those of one thread (the scheduler, the simulator, style)
set -euo pipefail
cd "$(dirname "$0")/.."
which="${1:-both}"
shift || true
case "$which" in
  asan|tsan|both) ;;
  *) echo "sanitize.sh: asan, tsan or nothing, not $which" >&2; exit 2 ;;
esac
jobs="${JOBS:-$(nproc)}"
export CAPSTAN_TEST_PATIENCE="${CAPSTAN_TEST_PATIENCE:-8}"  # times what tests wait for other processes
scripts/install.sh clang-14 libclang-rt-14-dev

run() {  # PRESET CTEST_ARG...
  local preset="$1"
  shift
  nice -n 10 scripts/build.sh "$preset" "-j$jobs"
  nice -n 10 ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$jobs" "$@"
}

if [ "$which" != tsan ]; then
  export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1"
  export UBSAN_OPTIONS="print_stacktrace=1"
  run asan "$@"
fi
if [ "$which" != asan ]; then
  export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp:halt_on_error=1:second_deadlock_stack=1"
  run tsan --tests-regex '^(common|ps|worker|cli|e2e)/' "$@"
fi
