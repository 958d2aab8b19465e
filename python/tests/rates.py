"""How many rows a second one Python program pulls and pushes. Usage: rates.py [DIM [KEYS [CALLS]]]"""

import sys
import tempfile
import time

import numpy as np

import capstan

DIM, KEYS, CALLS = (int(word) for word in (sys.argv[1:] + ["64", "8192", "200"][len(sys.argv) - 1:]))


def timed(what, call):
    begun = time.perf_counter()
    for n in range(CALLS):
        call(n)
    seconds = time.perf_counter() - begun
    rows = CALLS * KEYS / seconds
    print(f"{what}: {rows / 1e6:.2f} million rows/s, {rows * DIM * 4 / 2**20:.0f} MiB/s, "
          f"{seconds / CALLS * 1e3:.2f} ms a call")


with tempfile.TemporaryDirectory(prefix="capstan-rates-") as folder:
    job = {"job": "rates", "task": "direct", "work_dir": folder, "cluster": {"servers": 2, "threads": 1},
           "tables": {"rows": {"dim": DIM, "optimizer": {"type": "sgd", "learning_rate": 0.1}}}}
    with capstan.Cluster.start(job) as cluster:
        client, rng = cluster.client, np.random.default_rng(1)
        batches = [rng.choice(10 * KEYS, KEYS, replace=False) for _ in range(8)]
        rows = np.zeros((KEYS, DIM), np.float32)
        for keys in batches:
            client.push("rows", keys, rows)
        client.flush()
        timed("pull", lambda n: client.pull("rows", batches[n % 8], out=rows))

        def push(n):
            client.push("rows", batches[n % 8], rows)
            if n == CALLS - 1:
                client.flush()

        timed("push", push)
        timed("pull, push", lambda n: (client.pull("rows", batches[n % 8], out=rows), push(n)))
