#!/usr/bin/env bash
# Makes the Debian package and installs it in a Debian of its own (debootstrap), with what it needs from
# Debian's archive; then checks what its users get: the program, its manual page and completion, the units, a
# job that runs to its end; and that `apt-get remove` leaves configuration and state, and nothing else.
# Usage: scripts/package.sh      as root; the package stays in build/package
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || { echo "package.sh: only root may make a Debian and go into it" >&2; exit 1; }
source scripts/debian_base.sh

packages="$PWD/build/package"
lab="$(mktemp -d)"
root="$lab/debian"
finish() {
  local code=$?
  [ $code -eq 0 ] || tail -n 30 "$lab"/*.log >&2
  rm -rf "$lab"
}
trap finish EXIT

# COMMAND...: there, with a /proc of its own; whatever it starts ends with it.
inside() {
  unshare --mount --pid --fork --kill-child \
    sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" \
    env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# WORDS... -- COMMAND...: the command, or the end with these words.
expect() {
  local words=()
  while [ "$1" != -- ]; do words+=("$1"); shift; done
  shift
  "$@" && return
  echo "package.sh: ${words[*]}" >&2
  exit 1
}

check_program() {
  expect "it does not run" -- inside capstan --version
  expect "doctor sees a reason not to run" -- inside capstan doctor --folder /var/lib/capstan
  expect "no manual page" -- inside man --where capstan
  inside man capstan >"$lab/man.txt"
  expect "the manual page does not tell of launch" -- grep -q launch "$lab/man.txt"
  expect "no completion" -- inside bash -c '
    source /usr/share/bash-completion/bash_completion
    COMP_WORDS=(capstan laun) COMP_CWORD=1 COMP_LINE="capstan laun" COMP_POINT=12
    _completion_loader capstan || [ $? -eq 124 ]
    $(complete -p capstan | sed "s/.*-F \([^ ]*\).*/\1/") capstan laun capstan
    [ "${COMPREPLY[*]}" = launch ]'
  echo "program, manual page, completion: there"
}

check_units() {
  for role in scheduler ps worker; do
    expect "the unit of a $role does not name the program's place" -- \
      grep -q "^ExecStart=/usr/bin/capstan $role " "$root/usr/lib/systemd/system/capstan-$role@.service"
    expect "systemd does not accept capstan-$role@" -- \
      inside systemd-analyze verify "capstan-$role@films.service"
  done
  expect "no user for them" -- inside id capstan
  echo "three units: systemd accepts them"
}

check_job() {
  inside install -d -o capstan -g capstan /var/lib/capstan
  cat >"$root/var/lib/capstan/clicks.yaml" <<'JOB'
job: clicks
task: ctr
data:
  train: [clicks/train.csv]
  test: [clicks/test.csv]
  split: {method: files}
  label: label
model: {type: fm, embedding_dim: 4}
optimizer: {sparse: {type: adagrad, learning_rate: 0.1}}
train: {passes: 3, batch_size: 256}
checkpoint: {path: kept}
cluster: {servers: 2, workers: 2, threads: 1, memory_limit: 256MiB}
report: report.json
JOB
  expect "a small job fails" -- inside runuser -u capstan -- sh -ec '
    cd /var/lib/capstan
    capstan generate ctr --out clicks --rows 20000 --test-rows 2000 >/dev/null
    capstan run clicks.yaml >run.log
    capstan checkpoint verify kept >/dev/null'
  expect "no report of it" -- grep -q '"state": *"done"' "$root/var/lib/capstan/report.json"
  tail -n 5 "$root/var/lib/capstan/run.log"
  echo "a small job: to its end, as user capstan"
}

# A systemctl that writes down what it is told stands for a running systemd.
check_removal() {
  install -d "$root/etc/capstan" "$root/run/systemd/system"
  echo "SCHEDULER=tcp://10.0.0.1:7000" >"$root/etc/capstan/clicks.env"
  printf '#!/bin/sh\necho "$@" >>/systemctl.log\n' >"$root/bin/systemctl"
  inside dpkg -L capstan >"$lab/files.txt"
  inside apt-get remove -y -qq capstan >"$lab/remove.log" 2>&1
  rm -r "$root/run/systemd/system"
  expect "running units are not stopped" -- grep -q "^stop .*capstan-ps@" "$root/systemctl.log"
  local left
  left="$(while read -r file; do
    [ -d "$root$file" ] || ! [ -e "$root$file" ] || echo "$file"
  done <"$lab/files.txt")"
  expect "it leaves $left" -- [ -z "$left" ]
  left="$(find "$root" -xdev -iname '*capstan*' -printf '/%P\n' |
    grep -vE '^/(etc/capstan|var/lib/capstan|var/cache/man|var/lib/dpkg/info/capstan)' || true)"
  expect "it leaves $left" -- [ -z "$left" ]
  expect "it took the configuration" -- test -e "$root/etc/capstan/clicks.env"
  expect "it took the state" -- test -e "$root/var/lib/capstan/report.json"
  echo "removed: configuration and state stay, nothing else"
}

scripts/build.sh release capstan
rm -rf "$packages"
cpack --config build/release/CPackConfig.cmake -B "$packages" >"$lab/cpack.log"
rm -r "$packages/_CPack_Packages"
deb="$(echo "$packages"/capstan_*.deb)"
echo "$(basename "$deb"): $(stat -c %s "$deb") bytes," \
  "$(dpkg-deb -f "$deb" Installed-Size) KiB installed, needs $(dpkg-deb -f "$deb" Depends | tr -d '\n')"

make_debian "$root"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"  # nothing starts as a service there
chmod 755 "$root/usr/sbin/policy-rc.d"
cp "$deb" "$root/capstan.deb"
inside apt-get update -qq
inside apt-get install -y -qq --no-install-recommends systemd man-db bash-completion >"$lab/tools.log" 2>&1
inside apt-get install -y -qq --no-install-recommends /capstan.deb >"$lab/install.log" 2>&1
rm "$root/capstan.deb"
check_program
check_units
check_job
check_removal
echo "package.sh: all as it should be"
