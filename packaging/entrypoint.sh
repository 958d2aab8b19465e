#!/bin/sh
# Starts capstan in a container, never as root. One that is started as root, as docker-compose.yml starts the
# scheduler because it writes the report into the user's folder, becomes that folder's owner first.
set -eu
umask 002  # scheduler and servers write one folder of checkpoints, as users of one group
[ "$(id -u)" -eq 0 ] || exec capstan "$@"

out=/out
[ -d "$out" ] || exec setpriv --reuid capstan --regid capstan --clear-groups -- capstan "$@"
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
exec $as_owner capstan "$@"
