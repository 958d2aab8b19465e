# For scripts that need a Debian of their own, from their `set -e` on.

# FOLDER: the smallest Debian that there is, in a new folder. As root; what debootstrap says is in FOLDER.log.
make_debian() {
  scripts/install.sh --only debootstrap
  rm -rf "$1"
  debootstrap --variant=minbase bookworm "$1" http://deb.debian.org/debian >"$1.log"
}
