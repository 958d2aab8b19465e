#!/usr/bin/env bash
# Installs the Debian packages that Capstan needs; does nothing when all are there.
# Usage: scripts/install.sh [EXTRA_PACKAGE...] | --only PACKAGE...
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = --only ]; then
  shift
  packages=()
else
  mapfile -t packages < <(grep -v '^#' scripts/packages.txt)
fi
missing=()
for package in "${packages[@]}" "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
    missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "capstan needs these Debian packages; run as root: apt-get install ${missing[*]}" >&2
  exit 1
fi
echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# Tests start their own etcd: nothing that is installed here starts a service.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
