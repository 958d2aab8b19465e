#!/bin/sh
# Starts capstan in a container, never as root. One that is started as root, as docker-compose.yml starts the
# scheduler because it writes the report into the user's folder, becomes that folder's owner first.
# With CAPSTAN_KEYS whichever container comes first makes the keys there.
set -eu
umask 002  # scheduler and servers write one folder of checkpoints, as users of one group

make_keys() {  # COMMAND...: how to become the keys' owner
  [ -n "${CAPSTAN_KEYS:-}" ] || return 0
  "$@" flock "$CAPSTAN_KEYS.lock" capstan keys new --keys "$CAPSTAN_KEYS" >/dev/null
}

if [ "$(id -u)" -ne 0 ]; then
  make_keys env
  exec capstan "$@"
fi
as_capstan="setpriv --reuid capstan --regid capstan --clear-groups --"
make_keys $as_capstan
out=/out
[ -d "$out" ] || exec $as_capstan capstan "$@"
owner="$(stat -c %u "$out")"
if [ "$owner" -eq 0 ]; then  # made by Docker just now, or root's own
  owner="$(stat -c %u /configs 2>/dev/null || echo 0)"
  [ "$owner" -ne 0 ] || owner="$(id -u capstan)"
  chown "$owner" "$out" 2>/dev/null || true  # told below
fi
as_owner="setpriv --reuid $owner --regid capstan --clear-groups --"
$as_owner test -w "$out" || {
  echo "capstan: user $owner cannot write into ./out: nobody could have the report." \
    "On the host: mkdir -p out && sudo chown -R \$(id -u) out && chmod u+rwx out" >&2
  exit 1
}
# Secrets are read by their owner only; the list of all may change.
if [ -n "${CAPSTAN_KEYS:-}" ]; then
  own=/run/capstan-keys
  install -d -o "$owner" -m 700 "$own"
  for key in scheduler.key tool.key checkpoint.key; do  # a folder from elsewhere may lack the last one
    [ "$key" = checkpoint.key ] && ! [ -e "$CAPSTAN_KEYS/$key" ] ||
      install -o "$owner" -m 600 "$CAPSTAN_KEYS/$key" "$own"
  done
  ln -sf "$CAPSTAN_KEYS/allowed" "$own/allowed"
  export CAPSTAN_KEYS="$own"
fi
exec $as_owner capstan "$@"
