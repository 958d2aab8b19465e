#!/usr/bin/env bash
# Downloads MovieLens latest-small from GroupLens; their terms apply (research use, no redistribution).
# Usage: scripts/download_movielens.sh DIR
set -euo pipefail
cd "$(dirname "$0")/.."
directory="${1:?where to write}"
scripts/install.sh curl ca-certificates unzip
archive="$(mktemp --suffix=.zip)"
trap 'rm -f "$archive"' EXIT
if ! curl --fail --location --silent --show-error --max-time 120 -o "$archive" \
    https://files.grouplens.org/datasets/movielens/ml-latest-small.zip; then
  echo "the download failed; without --download the data comes from Debian's r-cran-dslabs" >&2
  exit 1
fi
mkdir -p "$directory"
unzip -q -o -j "$archive" 'ml-latest-small/*' -d "$directory"
