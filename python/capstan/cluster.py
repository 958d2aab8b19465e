"""Clusters and jobs on this host, by the program `capstan`."""

import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from capstan import client as clients
from capstan._capstan import CapstanError

_STARTED = re.compile(r"^scheduler at (\S+) ", re.MULTILINE)
_NAME = re.compile(r"^job (\S+): ", re.MULTILINE)
_LAST_LINES = 20
_ENDS_SOON = 5.0


def binary():
    """The program: CAPSTAN_BINARY, the wheel's own, or the one on the PATH."""
    named = os.environ.get("CAPSTAN_BINARY")
    own = os.path.join(os.path.dirname(__file__), "bin", "capstan")
    found = named or (own if os.path.exists(own) else shutil.which("capstan"))
    if not found:
        raise CapstanError("the program capstan is not on the PATH; CAPSTAN_BINARY may name it")
    return found


def _arguments(job, folder, settings):
    """A job is a file's name, YAML text of several lines, or a dict; `settings` are what --set takes."""
    if isinstance(job, dict) or "\n" in os.fspath(job):
        path = os.path.join(folder, "job.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(json.dumps(job) if isinstance(job, dict) else job)
    else:
        path = os.fspath(job)
    arguments = [path]
    for name, value in (settings or {}).items():
        arguments += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return arguments


def _last_lines(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return "\n".join(file.read().strip().splitlines()[-_LAST_LINES:])


class Cluster:
    """A job's processes on this host. A context manager: its end ends them."""

    def __init__(self, process, folder, log):
        self._process, self._folder, self._log = process, folder, log
        self._client = None
        self.scheduler = self.job = None
        atexit.register(self._at_exit)

    @classmethod
    def start(cls, job, settings=None, resume=False, keys=None, timeout=60.0):
        """Starts `capstan run` and waits until the scheduler listens.

        `job`: a file's name, YAML text, or a dict. `resume`: goes on from its last checkpoint. `keys`: as for
        connect().
        """
        folder = tempfile.TemporaryDirectory(prefix="capstan-")
        log = os.path.join(folder.name, "run.log")
        command = [binary(), "run", *_arguments(job, folder.name, settings)]
        command += ["--resume"] if resume else []
        command += ["--keys", os.fspath(keys)] if keys else []
        with open(log, "wb") as out:
            # A Ctrl-C is this program's: close() ends the cluster.
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT,
                                       stdin=subprocess.DEVNULL, start_new_session=True)
        cluster = cls(process, folder, log)
        cluster._keys = keys
        try:
            cluster._wait_for_scheduler(timeout)
        except BaseException:
            cluster.kill()
            raise
        return cluster

    def _wait_for_scheduler(self, timeout):
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            with open(self._log, encoding="utf-8", errors="replace") as file:
                text = file.read()
            started, name = _STARTED.search(text), _NAME.search(text)
            if started and name:
                self.scheduler, self.job = started.group(1), name.group(1)
                return
            if self._process.poll() is not None:
                raise CapstanError(_last_lines(self._log))
            time.sleep(0.02)
        raise CapstanError(f"the cluster did not start within {timeout:g} s:\n{_last_lines(self._log)}")

    @property
    def client(self):
        """A client of this cluster, connected when it is first asked for."""
        if self._client is None:
            self._client = self.connect()
        return self._client

    def connect(self, timeout=60.0):
        """One more client."""
        return clients.connect(self.scheduler, self.job, self._keys, timeout)

    def watch(self, every=1.0):
        return watch(self.scheduler, self.job, every, self._keys)

    def wait(self, timeout=None):
        """Waits for the job to end by itself."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise CapstanError(f"the job has not ended within {timeout:g} s") from None
        text = _last_lines(self._log)
        self._forget()
        if code != 0:
            raise CapstanError(text)
        return text

    def close(self, timeout=60.0):
        """Ends the job, with its last checkpoint where it keeps any, and gives its last lines."""
        if self._process is None:
            return ""
        if self._process.poll() is None:
            own = self._client is not None and not self._client.closed
            try:
                (self._client if own else self.connect(timeout)).end_job()
            except CapstanError:
                if not self._has_ended(_ENDS_SOON):  # by another's word
                    raise
        return self.wait(timeout)

    def _has_ended(self, patience):
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self):
        """Ends all processes at once: what came after the last checkpoint is lost."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            time.sleep(0.1)
            self._process.send_signal(signal.SIGINT)  # the second one does not wait for a checkpoint
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._forget()

    def _forget(self):
        if self._client is not None:
            self._client._drop()
        self._process = None
        self._folder.cleanup()
        atexit.unregister(self._at_exit)

    def _at_exit(self):
        try:
            self.close()
        except CapstanError:
            self.kill()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.close()


def run(job, settings=None, resume=False, keys=None):
    """`capstan run` to the job's end: its output. One that fails is a CapstanError with its last lines."""
    with tempfile.TemporaryDirectory(prefix="capstan-") as folder:
        command = [binary(), "run", *_arguments(job, folder, settings)]
        command += ["--resume"] if resume else []
        command += ["--keys", os.fspath(keys)] if keys else []
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            text, _ = process.communicate()
        except KeyboardInterrupt:
            process.communicate()  # it has got the Ctrl-C, too, and makes a last checkpoint
            raise
    if process.returncode != 0:
        raise CapstanError("\n".join(text.strip().splitlines()[-_LAST_LINES:]))
    return text


def watch(scheduler, job, every=1.0, keys=None):
    """The job's status, as a dict, every so many seconds until it has ended."""
    command = [binary(), "status", "--json", "--scheduler", scheduler, "--job", job]
    command += ["--keys", os.fspath(keys)] if keys else []
    seen = False
    while True:
        asked = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if asked.returncode != 0:
            if seen:
                return
            raise CapstanError(asked.stderr.strip())
        seen = True
        yield json.loads(asked.stdout)
        time.sleep(every)
