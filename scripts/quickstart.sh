#!/usr/bin/env bash
# From a bare Debian 12 to recommendations: installs, builds, gets ratings, runs configs/movielens.yaml.
# Usage: scripts/quickstart.sh [--data DIR | --download]
#   --data DIR   train on this copy of MovieLens (ml-latest-small, ml-100k or ml-1m layout)
#   --download   get ml-latest-small from its makers (files.grouplens.org) instead of Debian's r-cran-dslabs
set -euo pipefail
here="$(pwd)"
cd "$(dirname "$0")/.."

data=""
download=false
while [ $# -gt 0 ]; do
  case "$1" in
    --data)
      [ $# -ge 2 ] || { echo "quickstart.sh: --data needs a folder" >&2; exit 2; }
      data="$2"; shift 2 ;;
    --download) download=true; shift ;;
    -h|--help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "quickstart.sh: unknown argument $1 (see --help)" >&2; exit 2 ;;
  esac
done

if [ -n "$data" ]; then  # known to be there before minutes go into the build
  case "$data" in /*) ;; *) data="$here/$data" ;; esac
  [ -d "$data" ] || { echo "quickstart.sh: no folder $data" >&2; exit 2; }
fi

scripts/install.sh
scripts/build.sh release capstan

if [ -z "$data" ]; then
  if $download; then  # in a folder of its own: the makers' copy is a later one than Debian's
    data=data/ml-latest-small-downloaded
    [ -s "$data/ratings.csv" ] || scripts/download_movielens.sh "$data"
  else
    data=data/ml-latest-small
    [ -s "$data/ratings.csv" ] || scripts/movielens_from_debian.sh "$data"
  fi
fi
export CAPSTAN_DATA="$data"
exec build/release/capstan run configs/movielens.yaml
