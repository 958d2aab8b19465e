"""Pulls, pushes and their mistakes, against clusters of real processes."""

import json
import os
import signal
import subprocess
import sys
import threading
import unittest

import numpy as np

import capstan
from jobs import ClusterTest


class PullPush(ClusterTest):
    def setUp(self):
        super().setUp()
        self.cluster = self.start(self.job())
        self.client = self.cluster.client

    def test_a_push_is_in_the_next_pull(self):
        keys = np.array([7, 3, 2**63 + 5], np.uint64)
        gradients = np.arange(12, dtype=np.float32).reshape(3, 4)
        self.client.push("items", keys, gradients)
        np.testing.assert_array_equal(self.client.pull("items", keys), -gradients)

    def test_equal_keys_are_added_up_and_given_back_each(self):
        keys = np.array([5, 9, 5, 5], np.int64)
        self.client.push("items", keys, np.ones((4, 4), np.float32))
        rows = self.client.pull("items", keys)
        np.testing.assert_array_equal(rows[:, 0], [-3, -1, -3, -3])

    def test_rows_are_written_where_the_caller_says(self):
        keys = np.arange(1000, dtype=np.int64)
        self.client.push("items", keys, np.repeat(keys[:, None], 4, 1).astype(np.float32))
        whole = np.full((2000, 4), 77, np.float32)
        got = self.client.pull("items", keys, out=whole[500:1500])
        self.assertTrue(np.shares_memory(got, whole))
        np.testing.assert_array_equal(whole[500:1500, 2], -keys)
        self.assertEqual({77.0}, set(whole[:500].ravel()) | set(whole[1500:].ravel()))

    def test_nothing_is_pulled_and_pushed(self):
        self.assertEqual(self.client.pull("items", []).shape, (0, 4))
        self.client.push("items", [], np.empty((0, 4), np.float32))
        self.client.flush()

    def test_many_pushes_count_once_each(self):
        rng = np.random.default_rng(1)
        sums = np.zeros((50, 4), np.float32)
        for _ in range(200):
            keys = rng.choice(50, 10, replace=False)
            gradients = rng.integers(-8, 8, (10, 4)).astype(np.float32)
            sums[keys] -= gradients
            self.client.push("items", keys, gradients)
        np.testing.assert_array_equal(self.client.pull("items", np.arange(50)), sums)

    def test_threads_share_a_client(self):
        def push():
            for _ in range(50):
                self.client.push("items", np.arange(8), np.ones((8, 4), np.float32))

        threads = [threading.Thread(target=push) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.client.pull("items", [3])[0, 0], -200)

    def test_two_clients_have_streams_of_their_own(self):
        ones = np.ones((1, 4), np.float32)
        with self.cluster.connect() as other:
            for _ in range(20):
                self.client.push("items", [1], ones)
                other.push("items", [1], ones)
            self.client.flush()
            other.flush()
            self.assertEqual(other.pull("items", [1])[0, 0], -40)
            self.assertEqual(self.client.status()["direct"]["clients"], 2)
        self.client.push("items", [1], ones)
        self.assertEqual(self.client.pull("items", [1])[0, 0], -41)

    def test_mistakes_are_told_in_words(self):
        floats = np.zeros((2, 4), np.float32)
        mistakes = {
            "did you mean 'items'": lambda: self.client.pull("itms", [1]),
            "whole numbers": lambda: self.client.pull("items", np.zeros(2)),
            "one dimension": lambda: self.client.pull("items", [[1], [2]]),
            "float32": lambda: self.client.push("items", [1, 2], np.zeros((2, 4))),
            "the shape": lambda: self.client.push("items", [1], floats),
            "one piece": lambda: self.client.push("items", [1, 2], np.zeros((4, 2), np.float32).T),
            "not finite": lambda: self.client.push("items", [1, 2], floats + np.float32("nan")),
        }
        for words, mistake in mistakes.items():
            with self.subTest(words), self.assertRaisesRegex(capstan.CapstanError, words):
                mistake()
        self.client.close()
        with self.assertRaisesRegex(capstan.CapstanError, "closed"):
            self.client.pull("items", [1])


class Jobs(ClusterTest):
    def test_a_job_keeps_its_rows_goes_on_and_is_exported(self):
        job = self.job()
        keys = np.arange(10)
        with capstan.Cluster.start(job) as cluster:
            cluster.client.push("items", keys, np.ones((10, 4), np.float32))
        with capstan.Cluster.start(job, resume=True) as cluster:
            np.testing.assert_array_equal(cluster.client.pull("items", keys), -np.ones((10, 4)))
            cluster.client.push("items", keys, np.ones((10, 4), np.float32))
        with open(self.path("report.json"), encoding="utf-8") as file:
            pushes = json.load(file)["pushes"]
        self.assertEqual(pushes["lost"], 0)
        export = [capstan.cluster.binary(), "export", self.path("checkpoints"), "--out", self.path("out")]
        subprocess.run(export, check=True, stdout=subprocess.DEVNULL)
        found, weights = capstan.read_table(self.path("out/items.npz"))
        self.assertEqual(sorted(found), list(range(10)))
        np.testing.assert_array_equal(weights, np.full((10, 4), -2, np.float32))

    def test_counts_of_the_report_agree(self):
        with capstan.Cluster.start(self.job()) as cluster:
            for _ in range(30):
                cluster.client.push("items", np.arange(100), np.ones((100, 4), np.float32))
        with open(self.path("report.json"), encoding="utf-8") as file:
            pushes = json.load(file)["pushes"]
        self.assertEqual(pushes["acknowledged"], pushes["applied"])
        self.assertGreater(pushes["applied"], 30)

    def test_a_client_joins_a_job_that_has_workers(self):
        generate = [capstan.binary(), "generate", "ctr", "--rows", "20000", "--fields", "4"]
        generate += ["--test-rows", "100", "--out", self.path("data")]
        subprocess.run(generate, check=True, stdout=subprocess.DEVNULL)
        job = self.job() | {"task": "ctr", "model": {"type": "lr"}, "train": {"passes": 1000}, "tables": {},
                            "data": {"train": [self.path("data/train.csv")], "label": "label"}}
        cluster = self.start(job)
        client = cluster.client
        self.assertEqual(client.table("f1_linear").dim, 1)
        never = np.array([2**50], np.int64)  # no key of the data
        for _ in range(20):
            client.push("f1_linear", never, np.ones((1, 1), np.float32))
        self.assertEqual(client.pull("f1_linear", never)[0, 0], -20)
        self.assertTrue(np.isfinite(client.pull("f1_linear", np.arange(100))).all())
        self.assertEqual(client.status()["direct"]["clients"], 1)
        client.close()

    def test_who_watches_sees_the_job_and_its_end(self):
        cluster = self.start(self.job())
        cluster.client.push("items", [1], np.ones((1, 4), np.float32))
        cluster.client.flush()
        states = []
        for status in cluster.watch(every=0.1):
            states.append(status["state"])
            if len(states) == 3:
                cluster.close()
        self.assertEqual(states[0], "running")

    def test_a_wrong_job_is_refused_with_its_place(self):
        with self.assertRaisesRegex(capstan.CapstanError, "tables.*dim|needs its tables"):
            capstan.Cluster.start(self.job() | {"tables": {"default": {"dim": 8}}})
        with self.assertRaisesRegex(capstan.CapstanError, "optimiser.*optimizer"):
            capstan.Cluster.start(self.job() | {"optimiser": {}})

    def test_nobody_there_is_said_in_time(self):
        nobody = "(no scheduler has answered at|not connected to) tcp://127.0.0.1:9.*is that its address"
        with self.assertRaisesRegex(capstan.CapstanError, nobody):
            capstan.connect("tcp://127.0.0.1:9", job="none", timeout=2)

    def test_keys_let_in_who_has_one(self):
        folder = self.path("keys")
        cluster = self.start(self.job(), keys=folder)
        cluster.client.push("items", [1], np.ones((1, 4), np.float32))
        self.assertEqual(cluster.client.pull("items", [1])[0, 0], -1)
        with self.assertRaises(capstan.CapstanError):
            capstan.connect(cluster.scheduler, cluster.job, timeout=3)

    def test_ctrl_c_ends_a_wait(self):
        cluster = self.start(self.job())
        cluster.client.flush()  # its servers are there
        program = (
            "import sys, os, signal, threading, numpy as np, capstan\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a background job\n"
            "client = capstan.connect(sys.argv[1], sys.argv[2])\n"
            "servers = [int(pid) for pid in sys.argv[3:]]\n"
            "for pid in servers: os.kill(pid, signal.SIGSTOP)\n"
            "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
            "try:\n"
            "    client.pull('items', np.arange(100))\n"
            "except KeyboardInterrupt:\n"
            "    print('interrupted')\n"
            "for pid in servers: os.kill(pid, signal.SIGCONT)\n"
        )
        pids = [str(pid) for pid in pids_of(self.path("work"), "ps")]
        self.assertEqual(len(pids), 2)
        words = [sys.executable, "-c", program, cluster.scheduler, cluster.job, *pids]
        ended = subprocess.run(words, timeout=60, stdout=subprocess.PIPE, text=True)
        self.assertEqual(ended.stdout, "interrupted\n")


def pids_of(work_dir, role):
    """Of a cluster's nodes: servers are told its scheduler's address, the scheduler its job."""
    with open(os.path.join(work_dir, "scheduler.endpoint"), encoding="utf-8") as file:
        endpoint = file.read().strip()
    pids = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().decode().split("\0")
        except OSError:
            continue
        ours = endpoint in words or f"{work_dir}/job.yaml" in words
        if len(words) > 1 and words[1] == role and ours:
            pids.append(int(pid))
    return sorted(pids)


class Trouble(ClusterTest):
    def test_a_killed_server_takes_no_push_with_it(self):
        self.train_while_one_is_killed("ps")

    def test_a_killed_scheduler_holds_nobody_up_for_long(self):
        self.train_while_one_is_killed("scheduler")

    def train_while_one_is_killed(self, role):
        cluster = self.start(self.job(replicas=2, lease="1s"))
        client = cluster.client
        sums = np.zeros((40, 4), np.float32)
        rng = np.random.default_rng(2)
        for step in range(150):
            keys = rng.choice(40, 12, replace=False)
            gradients = rng.integers(-8, 8, (12, 4)).astype(np.float32)
            sums[keys] -= gradients
            client.push("items", keys, gradients)
            if step == 60:
                os.kill(pids_of(self.path("work"), role)[0], signal.SIGKILL)
        np.testing.assert_array_equal(client.pull("items", np.arange(40)), sums)
        cluster.close()
        with open(self.path("report.json"), encoding="utf-8") as file:
            pushes = json.load(file)["pushes"]
        self.assertIn(pushes["lost"], (0, None))

    def test_a_client_that_was_killed_hinders_nobody(self):
        cluster = self.start(self.job(lease="1s"))
        program = (
            "import sys, os, signal, numpy as np, capstan\n"
            "client = capstan.connect(sys.argv[1], sys.argv[2])\n"
            "client.push('items', [1], np.ones((1, 4), np.float32))\n"
            "client.flush()\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        dead = subprocess.run([sys.executable, "-c", program, cluster.scheduler, cluster.job], timeout=60)
        self.assertEqual(dead.returncode, -signal.SIGKILL)
        cluster.client.push("items", [1], np.ones((1, 4), np.float32))
        self.assertEqual(cluster.client.pull("items", [1])[0, 0], -2)
        cluster.close()


if __name__ == "__main__":
    unittest.main()
