#!/usr/bin/env bash
# The Python package: its tests, a wheel from the sources, and the tests again with that wheel in an
# environment of its own. Nothing is downloaded but Debian's packages. Usage: scripts/python.sh
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install.sh python3-torch python3-pip python3-venv python3-setuptools python3-wheel
scripts/build.sh release capstan capstan_python
build="$PWD/build/release"
tests="$PWD/python/tests"
run_tests() { # PYTHON
  (cd "$tests" && "$1" -B -m unittest -v test_client test_torch test_docs)
}
CAPSTAN_BINARY="$build/capstan" PYTHONPATH="$build/python" run_tests /usr/bin/python3

wheels="$build/wheel"
rm -rf "$wheels" && mkdir -p "$wheels"
export CAPSTAN_BUILD="$build"
/usr/bin/python3 -m pip wheel . --no-build-isolation --no-index --no-deps -q -w "$wheels"
ls -l "$wheels"
/usr/bin/python3 -m venv --system-site-packages "$wheels/env"
"$wheels/env/bin/pip" install --no-index -q "$wheels"/capstan-*.whl
run_tests "$wheels/env/bin/python"
