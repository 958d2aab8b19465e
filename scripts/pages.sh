#!/usr/bin/env bash
# The pages of a running job's nodes, as their readers see them: the scheduler's in Chromium (by Selenium:
# what it shows, keyboard and screen reader, a server that dies, a scheduler that hangs, the token; makes the
# pictures in docs/pictures), and everybody's metrics in Prometheus.
# Usage: scripts/pages.sh
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install.sh chromium chromium-driver python3-selenium prometheus
scripts/build.sh release capstan
/usr/bin/python3 tests/pages/prometheus_test.py build/release/capstan
exec /usr/bin/python3 tests/pages/dashboard_test.py build/release/capstan docs/pictures
