#!/usr/bin/env bash
# Runs `capstan launch --slurm` in a real Slurm of one host, made here for the purpose: the batch must end
# well with a report, and one whose scheduler fails must fail. Needs root; everything is on the loopback and
# in a folder of its own, and gone afterwards.
# Usage: scripts/slurm_check.sh
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || { echo "slurm_check.sh: only root may start Slurm's daemons" >&2; exit 1; }
scripts/install.sh slurmctld slurmd slurm-client munge
scripts/build.sh release capstan
capstan="$PWD/build/release/capstan"
lab="$(mktemp -d)"
export SLURM_CONF="$lab/slurm.conf"

finish() {
  local code=$?
  for daemon in ctld d munge; do
    [ -e "$lab/$daemon.pid" ] && kill "$(cat "$lab/$daemon.pid")" 2>/dev/null
  done
  [ $code -eq 0 ] || tail -n 30 "$lab"/*.log "$lab"/job/work/logs/* >&2
  sleep 1
  rm -rf "$lab"
}
trap finish EXIT

mkdir "$lab/state" "$lab/spool" "$lab/job"
cat >"$SLURM_CONF" <<CONF
ClusterName=lab
SlurmctldHost=localhost(127.0.0.1)
AuthInfo=socket=$lab/munge.socket
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$lab/state
SlurmdSpoolDir=$lab/spool
SlurmctldLogFile=$lab/ctld.log
SlurmdLogFile=$lab/d.log
SlurmctldPidFile=$lab/ctld.pid
SlurmdPidFile=$lab/d.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
NodeName=localhost NodeAddr=127.0.0.1 CPUs=8
MpiDefault=none
PartitionName=all Nodes=localhost Default=YES
CONF
(umask 077 && head -c 1024 /dev/urandom >"$lab/munge.key")
munged --force --key-file "$lab/munge.key" --socket "$lab/munge.socket" --pid-file "$lab/munge.pid" \
  --log-file "$lab/munge.log" --seed-file "$lab/munge.seed" 2>/dev/null
slurmctld
slurmd -N localhost

cd "$lab/job"
"$capstan" generate ratings --out data --rows 20000 >/dev/null
cat >job.yaml <<'JOB'
job: films
task: ranking
data:
  format: movielens
  train: [data]
  split: {method: ratio_by_user, test: 0.2, valid: 0.1}
  negatives: {per_positive: 2, sampler: uniform}
features:
  - {name: user, column: user, transform: vocab}
  - {name: item, column: item, transform: vocab}
model: {type: mf, embedding_dim: 8, loss: bpr}
train: {passes: 5, batch_size: 256}
cluster: {servers: 2, workers: 2, threads: 1, memory_limit: 256MiB, security: curve}
work_dir: work
report: report.json
JOB

# WORDS... : submits the job with them, and says how it ended.
ends() {
  local id state
  id="$("$capstan" launch job.yaml --slurm --program "$capstan" "$@" | awk '{print $NF}')"
  for _ in $(seq 240); do
    state="$(scontrol show job "$id" | sed -n 's/.*JobState=\([A-Z]*\).*/\1/p')"
    case "$state" in PENDING|RUNNING|COMPLETING) sleep 0.5 ;; *) break ;; esac
  done
  echo "$state"
}

[ "$(ends)" = COMPLETED ] || { echo "slurm_check.sh: the batch did not end well" >&2; exit 1; }
grep -q '"state": *"done"' report.json || { echo "slurm_check.sh: no report" >&2; exit 1; }
grep -q 'ps-1 is here' work/logs/slurm-*.log || { echo "slurm_check.sh: no ps-1" >&2; exit 1; }
echo "a batch of 5 tasks: COMPLETED, with its report"
[ "$(ends --resume --set work_dir=other)" = FAILED ] || { echo "slurm_check.sh: no failure" >&2; exit 1; }
echo "a batch whose scheduler fails: FAILED"
