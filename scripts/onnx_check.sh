#!/usr/bin/env bash
# Trains a small job of each model on generated data, exports it and serves the export without Capstan: rows
# from the npz tables, the net in ONNX Runtime (npm's onnxruntime-node). Scores must agree with Capstan's own
# within 1e-5, and the figure over the whole test split with `capstan eval`.
# Usage: scripts/onnx_check.sh [NAME...]   only these cases
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install.sh python3-numpy python3-onnx
command -v npm >/dev/null || scripts/install.sh --only nodejs npm
scripts/build.sh release capstan
here="$PWD"
capstan="$PWD/build/release/capstan"
lab="$(mktemp -d)"
trap 'code=$?; rm -rf "$lab"; exit $code' EXIT
cd "$lab"
only=("$@")
failures=0

# The evaluator. Its own install step would get libraries for graphics cards.
npm install --prefix "$here/build/onnx" --ignore-scripts --no-audit --no-fund --silent onnxruntime-node@1.30.0
export NODE_PATH="$here/build/onnx/node_modules"

"$capstan" generate ctr --out ctr --rows 20000 --test-rows 4000 --fields 6 --values 40 >/dev/null
"$capstan" generate ratings --out films --rows 15000 --users 150 --items 120 >/dev/null
"$capstan" generate libsvm --out svm --rows 8000 --test-rows 2000 --features 200 >/dev/null

# NAME DATA MODEL [SETTING...]: one case. DATA is one of the functions below, which print a part of the job.
check() {
  local name="$1" data="$2" model="$3"
  shift 3
  [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $name "* ]] || return 0
  { echo "job: $name"; "$data"; echo "model: {$model}"; } >"$name.yaml"
  cat >>"$name.yaml" <<JOB
optimizer:
  sparse: {type: adagrad, learning_rate: 0.1}
  dense: {type: adam, learning_rate: 0.01}
tables: {default: {init: {type: normal, scale: 0.3}}}
train: {passes: 2, batch_size: 256}
checkpoint: {path: $name/checkpoints, every: 1h}
cluster: {servers: 1, workers: 1, threads: 1, memory_limit: 512MiB}
JOB
  "$capstan" run "$name.yaml" "$@" >"$name.log" 2>&1 || { tail -n 20 "$name.log" >&2; exit 1; }
  "$capstan" export "$name/checkpoints" --out "$name/served" --onnx --examples 1000000 >"$name.export"
  local report=-
  if [ "${data%_ids}" != ranking ]; then
    report="$name.json"
    "$capstan" eval "$name.yaml" "$@" --report "$report" >/dev/null
  fi
  /usr/bin/python3 "$here/tests/onnx/check_export.py" "$name" "$name/served" "$report" ||
    failures=$((failures + 1))
}

clicks() {
  cat <<'JOB'
task: ctr
data:
  format: csv
  train: [ctr/train.csv]
  test: [ctr/test.csv]
  label: label
  split: {method: files, valid: 0}
features:
  - {name: f1, transform: vocab}
  - {name: f2, transform: {hash: {buckets: 30}}}
  - {name: f3}
  - {name: pair, columns: [f1, f4], transform: {cross: {buckets: 60}}}
  - {name: n5, column: f5, transform: zscore}
  - {name: n6, column: f6, transform: minmax}
JOB
}

# Some of these keys are in the test split alone.
clicks_unseen() { clicks | sed 's/buckets: 60/buckets: 500/'; }

clicks_without_numbers() { clicks | grep -v 'name: n'; }

# TASK NEGATIVES POOLING: with lists, and numbers of events and items.
films() {
  cat <<JOB
task: $1
data:
  format: movielens
  train: [films]
  split: {method: ratio_by_user, test: 0.2, valid: 0}
  $2
features:
  - {name: user, column: user}
  - {name: item, column: item}
  - {name: id, column: item, transform: zscore}
  - {name: when, column: time, transform: minmax}
  - {name: words, column: title, transform: {ngrams: {buckets: 50}}, pooling: mean}
  - {name: genres, column: genres, transform: [{split: {separator: "|"}}, vocab], $3}
JOB
}
rating() { films rating "" "pooling: mean"; }
rating_max() { films rating "" "pooling: max"; }
rating_apart() { films rating "" "pooling: none, length: 2"; }
ranking() { films ranking "negatives: {per_positive: 2, sampler: uniform}" "pooling: sum"; }
ranking_ids() { ranking | grep -vE 'name: (id|when|words|genres)'; }

weighted() {
  cat <<'JOB'
task: ctr
data:
  format: libsvm
  train: [svm/train.svm]
  test: [svm/test.svm]
  split: {method: files, valid: 0}
JOB
}

check lr clicks 'type: lr'
check lr_without_numbers clicks_without_numbers 'type: lr'
check lr_weighted weighted 'type: lr'
check fm clicks 'type: fm, embedding_dim: 4'
check fm_unseen clicks_unseen 'type: fm, embedding_dim: 4'
check mlp_weighted weighted 'type: mlp, embedding_dim: 4, hidden: [16]'
check wide_deep clicks 'type: wide_deep, embedding_dim: 4, hidden: [16, 8]'
check wide_deep_apart rating_apart 'type: wide_deep, embedding_dim: 4, hidden: [16, 8]'
check deepfm clicks 'type: deepfm, embedding_dim: 4, hidden: [16, 8], layer_norm: true, activation: prelu'
check dcn_v2 clicks 'type: dcn_v2, embedding_dim: 4, hidden: [16], activation: sigmoid'
check dcn_v2_mixture clicks \
  'type: dcn_v2, embedding_dim: 4, hidden: [16], cross_rank: 3, cross_experts: 4, cross_structure: stacked'
check dlrm clicks 'type: dlrm, embedding_dim: 4, hidden: [16], bottom: [8], activation: tanh'
check dlrm_without_numbers clicks_without_numbers 'type: dlrm, embedding_dim: 4, hidden: [16]'
check finalmlp clicks 'type: finalmlp, embedding_dim: 4, hidden: [16], hidden2: [8], heads: 2'
check finalmlp_gates rating 'type: finalmlp, embedding_dim: 4, hidden: [16, 8], heads: 4, gate_hidden: [4]'
check mlp clicks 'type: mlp, embedding_dim: 4, hidden: [16, 8], activation: gelu, dropout: 0.2'
check mlp_max rating_max 'type: mlp, embedding_dim: 4, hidden: [16]'
check mf rating 'type: mf, embedding_dim: 8'
check mf_bpr ranking 'type: mf, embedding_dim: 8, loss: bpr'
check neumf ranking 'type: neumf, embedding_dim: 4, hidden: [16, 8]'
check ials ranking_ids 'type: ials, embedding_dim: 8'
[ $failures -eq 0 ] || { echo "onnx_check.sh: $failures cases failed" >&2; exit 1; }
