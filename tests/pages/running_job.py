"""A job that runs while a test looks at its pages."""
import glob
import os
import re
import signal
import subprocess
import tempfile
import time

JOB = """
job: browser
task: ranking
data:
  format: movielens
  train: [{folder}/data]
  split: {{method: ratio_by_user, test: 0.2}}
  negatives: {{per_positive: 2, sampler: uniform}}
features:
  - {{name: user, column: user, transform: vocab}}
  - {{name: item, column: item, transform: vocab}}
model: {{type: mf, embedding_dim: 8, loss: bpr}}
optimizer:
  sparse: {{type: adagrad, learning_rate: 0.05}}
cluster: {{servers: 3, workers: 2, replicas: 2, num_shards: 64, threads: 1, memory_limit: 256MiB}}
train: {{passes: 10000, batch_size: 64}}
checkpoint: {{path: {folder}/checkpoints, every_steps: 2000, keep: 2}}
work_dir: {folder}/work
report: {folder}/report.json
"""


def eventually(holds, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.2)
    raise AssertionError("not within %d s: %s" % (seconds, what))


class Job:
    """`capstan run` in a folder of its own; its page's address is `url`."""

    def __init__(self, binary, token=""):
        self.folder = tempfile.TemporaryDirectory(prefix="capstan_browser_")
        os.mkdir(self.path("data"))
        with open(self.path("data/ratings.csv"), "w") as out:
            out.write("userId,movieId,rating,timestamp\n")
            for n in range(6000):
                out.write("%d,%d,%d,%d\n" % (n % 151, (n * 7919) % 83, 1 + n % 5, 1000000 + n))
        with open(self.path("data/movies.csv"), "w") as out:
            out.write("movieId,title,genres\n")
            for n in range(83):
                out.write("%d,Film %d (2000),Drama\n" % (n, n))
        with open(self.path("job.yaml"), "w") as out:
            out.write(JOB.format(folder=self.folder.name))
        environment = dict(os.environ, CAPSTAN_HTTP_TOKEN=token) if token else dict(os.environ)
        with open(self.path("run.err"), "w") as err:
            self.process = subprocess.Popen(
                [binary, "run", self.path("job.yaml"), "--http", "127.0.0.1:0", "--quiet"], env=environment,
                stdout=subprocess.DEVNULL, stderr=err)
        eventually(lambda: self.find_url() is not None or self.process.poll() is not None,
                   "the scheduler starts")
        if self.find_url() is None:
            raise AssertionError(self.words())
        self.url = self.find_url()

    def words(self):
        with open(self.path("run.err")) as err:
            return err.read()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def find_url(self):
        try:
            with open(self.path("work/logs/scheduler.log")) as log:
                found = re.search(r"dashboard at (http://\S+)", log.read())
        except OSError:
            return None
        return found and found.group(1)

    def pid_of(self, node):
        children = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
                                  capture_output=True, text=True, check=True).stdout
        wanted = " scheduler " if node == "scheduler" else " --name %s " % node
        return next(int(line.split()[0]) for line in children.splitlines() if wanted in line + " ")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        self.folder.cleanup()

    def places(self):
        """Where every node's pages are, by the node's name."""
        places = {}
        for path in glob.glob(self.path("work/logs/*.log")):
            with open(path) as log:
                found = re.search(r"(?:dashboard|metrics) at http://(\S+?)/", log.read())
            if found:
                places[os.path.basename(path)[:-len(".log")]] = found.group(1)
        return places
