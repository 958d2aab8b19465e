"""Jobs for the tests: clusters on loopback whose rows only programs train."""

import os
import shutil
import tempfile
import unittest

import capstan


class ClusterTest(unittest.TestCase):
    """Has a folder of its own, and no cluster left when it ends."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="capstan-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def job(self, optimizer=None, tables=None, **cluster):
        return {
            "job": "direct-" + os.path.basename(self.folder),
            "task": "direct",
            "work_dir": self.path("work"),
            "report": self.path("report.json"),
            "optimizer": {"sparse": optimizer or {"type": "sgd", "learning_rate": 1.0}},
            "tables": tables or {"items": {"dim": 4, "init": {"type": "zero"}}},
            "checkpoint": {"path": self.path("checkpoints")},
            "cluster": {"servers": 2, "num_shards": 64, "threads": 1, **cluster},
        }

    def start(self, job, **how):
        cluster = capstan.Cluster.start(job, **how)
        self.addCleanup(cluster.kill)
        return cluster
