#!/usr/bin/env bash
# Checks the Kubernetes objects of `capstan launch --k8s` against Kubernetes' own schemas (npm's
# kubernetes-models), with keys and without.
# Usage: scripts/k8s_check.sh [JOB.yaml=configs/movielens.yaml]
set -euo pipefail
cd "$(dirname "$0")/.."
job="${1:-configs/movielens.yaml}"
command -v npm >/dev/null || scripts/install.sh --only nodejs npm
scripts/build.sh release capstan
mkdir -p build/k8s
npm install --prefix build/k8s --no-audit --no-fund --silent kubernetes-models@4 js-yaml@5
cat >build/k8s/check.js <<'JS'
const yaml = require('js-yaml'), fs = require('fs');
for (const object of yaml.loadAll(fs.readFileSync(0, 'utf8'))) {
  const kinds = require('kubernetes-models/' + object.apiVersion);
  new kinds[object.kind](object).validate();
  console.log('valid:', object.kind, object.metadata.name);
}
JS
for security in none curve; do
  echo "cluster.security: $security"
  build/release/capstan launch "$job" --k8s --set cluster.security=$security \
    --set cluster.keys=build/k8s/keys --set cluster.memory_limit=4GiB | node build/k8s/check.js
done
