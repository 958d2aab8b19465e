#!/usr/bin/env bash
# Runs clang-format and clang-tidy; exits with 1 when either finds something.
# Usage: scripts/lint.sh [--all | --format | FILE...]
#   without arguments  the files that differ from main
#   --all              every file (clang-tidy: 5 to 10 seconds a file and core)
#   --format           clang-format over every file, no clang-tidy
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install.sh clang-14 clang-format-14 clang-tidy-14

tidy=true
case "${1:-}" in
  --all) mapfile -t files < <(git ls-files '*.cc' '*.h' ':!cmake') ;;
  --format) mapfile -t files < <(git ls-files '*.cc' '*.h' ':!cmake'); tidy=false ;;
  -h|--help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
  "")
    base="$(git merge-base main HEAD 2>/dev/null || git rev-parse HEAD)"
    mapfile -t files < <(
      { git diff --name-only --diff-filter=d "$base"; git ls-files --others --exclude-standard; } |
        grep -E '\.(cc|h)$' | sort -u) ;;
  *) files=("$@") ;;
esac
[ ${#files[@]} -eq 0 ] && { echo "lint: no file to look at"; exit 0; }

clang-format-14 --dry-run --Werror "${files[@]}"
$tidy || exit 0

# clang-tidy takes its command lines from a build without precompiled headers, and needs what is generated.
cmake --preset clang -B build/lint -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
ninja -C build/lint capstan_wire >/dev/null
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep '\.cc$' | grep -v '^bench/' || true)
[ ${#sources[@]} -eq 0 ] && exit 0
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy-14 --quiet -p build/lint
echo "lint: ${#files[@]} files, clean"
