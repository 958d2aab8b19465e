#!/usr/bin/env bash
# Strikes a training cluster of real processes, each node on a host of its own, with one fault after the
# other: kill -9, stops, links cut wholly, one way, between two nodes, slow links, full disks. In the end
# every row must be the sum of all acknowledged pushes. Prints a summary by kind of fault. Needs root.
# Usage: scripts/chaos.sh [FAULTS=200 | MINUTESm] [SCHEDULERS=1] [CONSISTENCY=async]
#   Five to eight seconds a fault. CONSISTENCY is async, bounded or sync.
#   With 2 schedulers there is an etcd between them, which is struck, too. The summary says how memory and
#   descriptors grew. 60m strikes for an hour; in a run of minutes the scheduler, ps-0 and worker-0 are
#   struck, but never killed, and the summary says how each of them grew.
#   Hosts are network namespaces and disks are mounts that this run's processes alone can see: the machine's
#   own network and mounts stay as they are, and nothing is left however the run ends.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in -h|--help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
faults="${1:-200}" schedulers="${2:-1}" consistency="${3:-async}"
unit=FAULTS
case "$faults" in *m) unit=MINUTES faults="${faults%m}" ;; esac
case "$faults" in
  *[!0-9]*|''|0) echo "chaos.sh: $unit is a number, not $faults (see --help)" >&2; exit 2 ;;
esac
case "$schedulers" in
  1) scene=NetworkChaos ;;
  2) scene=TwoSchedulersChaos ;;
  *) echo "chaos.sh: SCHEDULERS is 1 or 2, not $schedulers (see --help)" >&2; exit 2 ;;
esac
case "$consistency" in
  async|bounded|sync) ;;
  *) echo "chaos.sh: CONSISTENCY is async, bounded or sync, not $consistency (see --help)" >&2; exit 2 ;;
esac
if [ "$(id -u)" -ne 0 ]; then
  echo "chaos.sh: only root may make network namespaces and mount disks" >&2
  exit 1
fi
scripts/install.sh
scripts/build.sh release test_e2e capstan

TMPDIR="$(mktemp -d)"
export TMPDIR "CAPSTAN_CHAOS_$unit=$faults" "CAPSTAN_CHAOS_CONSISTENCY=$consistency"
trap 'rm -rf "$TMPDIR"' EXIT
trap 'kill "$run" 2>/dev/null || true; wait "$run" || true; exit 130' INT TERM HUP
# The nodes end with the test program, and the namespaces and mounts with them.
build/release/test_e2e --gtest_filter="$scene.*" &
run=$!
wait "$run"
