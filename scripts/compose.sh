#!/usr/bin/env bash
# Runs docker-compose.yml on a fresh clone, as its users do, and checks what they get. Without a Docker
# daemon it installs Debian's and runs one of its own; without an image registry it makes the base image
# with debootstrap.
# Usage: scripts/compose.sh      20 minutes and more, most of them for compiling in the image
#   COMPOSE="docker compose"   the compose to use: this, or docker-compose, whichever is there
#   DOCKER_STATE=DIR           where an own daemon keeps its images (build/docker; kept for the next time)
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/compose_checks.sh
source scripts/debian_base.sh

state="${DOCKER_STATE:-$PWD/build/docker}"
base=debian:bookworm-slim
daemon=""
clone="$(mktemp -d)"

finish() {
  local code=$?
  (cd "$clone" && $compose --profile monitoring down --volumes --timeout 1 >/dev/null 2>&1) || true
  rm -rf "$clone"
  [ -z "$daemon" ] || { kill "$daemon" && wait "$daemon" 2>/dev/null; } || true
  [ $code -eq 0 ] || echo "compose.sh: FAILED" >&2
}

start_daemon() {
  scripts/install.sh --only docker.io docker-compose debootstrap
  mkdir -p "$state"
  export DOCKER_HOST="unix://$state/docker.sock"
  nice -n 8 dockerd --data-root "$state/data" --exec-root "$state/run" --pidfile "$state/docker.pid" \
    --host "$DOCKER_HOST" >"$state/dockerd.log" 2>&1 &
  daemon=$!
  for _ in $(seq 60); do
    docker info >/dev/null 2>&1 && return
    sleep 0.5
  done
  echo "compose.sh: dockerd did not start; see $state/dockerd.log" >&2
  return 1
}

# As slim as Debian's own: without manuals, translations and lists of packages.
make_base() {
  local root="$state/base"
  make_debian "$root"
  printf 'path-exclude /usr/share/%s/*\n' doc info locale man >"$root/etc/dpkg/dpkg.cfg.d/slim"
  rm -rf "$root"/usr/share/{doc,info,locale,man}/* "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* \
    "$root"/var/log/*
  tar -C "$root" -c . | docker import --change 'CMD ["bash"]' - "$base" >/dev/null
  rm -rf "$root"
}

compose="${COMPOSE:-}"
trap finish EXIT
docker info >/dev/null 2>&1 || start_daemon
if [ -z "$compose" ]; then
  docker compose version >/dev/null 2>&1 && compose="docker compose" || compose=docker-compose
fi
if ! docker image inspect "$base" >/dev/null 2>&1 && ! timeout 60 docker pull -q "$base" >/dev/null 2>&1; then
  echo "no image registry answers: $base is made with debootstrap"
  make_base
fi

git clone -q . "$clone"
cd "$clone"
SECONDS=0
for image in capstan capstan-movielens; do
  target=()
  [ $image = capstan ] && target=(--target capstan)
  # CCACHE_REMOTE_STORAGE is taken from the environment, if it is there.
  docker build --network host --build-arg CCACHE_REMOTE_STORAGE "${target[@]}" -t $image . >build.log 2>&1 ||
    { tail -n 40 build.log; exit 1; }
done
rm build.log
echo "build: $SECONDS s"
for image in "$base" capstan capstan-movielens; do
  docker image inspect -f "$image: {{.Size}} bytes" "$image"
done
check_all
echo "compose.sh: all as it should be ($compose $($compose version --short | head -n 1)," \
  "$(docker version -f 'Docker {{.Server.Version}}'), $(nproc) cores)"
