#!/usr/bin/python3
"""Every node's /metrics as Prometheus itself reads them, and what the dashboard for Grafana asks for.
scripts/pages.sh runs it.

Usage: prometheus_test.py CAPSTAN_BINARY
"""
import json
import os
import signal
import socket
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request

from running_job import Job, eventually

BINARY = os.path.abspath(sys.argv[1])
MONITORING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../packaging/monitoring")
NODES = ["ps-0", "ps-1", "ps-2", "scheduler", "worker-0", "worker-1"]


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


class Metrics(unittest.TestCase):
    def setUp(self):
        self.job = Job(BINARY)
        self.addCleanup(self.job.end)
        eventually(lambda: sorted(self.job.places()) == NODES, "every node has its pages")

    def test_promtool_has_nothing_to_say(self):
        for node, place in self.job.places().items():
            text = fetch("http://%s/metrics" % place)
            checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
            self.assertEqual((checked.returncode, checked.stderr), (0, b""), node)

    def test_prometheus_has_what_the_dashboard_shows(self):
        with open(self.job.path("prometheus.yml"), "w") as out:
            targets = ", ".join("'%s'" % place for place in self.job.places().values())
            out.write("global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: capstan\n"
                      "    static_configs: [{targets: [%s]}]\n" % targets)
        port = free_port()
        server = subprocess.Popen(
            ["prometheus", "--config.file=" + self.job.path("prometheus.yml"),
             "--storage.tsdb.path=" + self.job.path("tsdb"), "--web.listen-address=127.0.0.1:%d" % port],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.send_signal, signal.SIGTERM)

        def ask(expression):
            url = "http://127.0.0.1:%d/api/v1/query?query=%s" % (port, urllib.parse.quote(expression))
            try:
                return json.loads(fetch(url))["data"]["result"]
            except OSError:
                return []

        eventually(lambda: len(ask("up == 1")) == len(NODES), "it reads every node")
        with open(os.path.join(MONITORING, "grafana-dashboard.json")) as file:
            panels = json.load(file)["panels"]
        for panel in panels:
            for target in panel["targets"]:
                if "refused" in target["expr"]:
                    continue  # nothing has been refused
                eventually(lambda: ask(target["expr"]), "%s: %s" % (panel["title"], target["expr"]))

    def test_the_scrape_configuration_is_one(self):
        checked = subprocess.run(["promtool", "check", "config", os.path.join(MONITORING, "prometheus.yml")],
                                 capture_output=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
