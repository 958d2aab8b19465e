"""A connection to a running job: pull rows, push gradients."""

import difflib
import json
import os

import numpy as np

from capstan import _capstan
from capstan._capstan import CapstanError

_open_clients = []


class Table:
    """A table of the job: its name, and how many floats a row has."""

    def __init__(self, number, name, dim):
        self.number, self.name, self.dim = number, name, dim

    def __repr__(self):
        return f"Table({self.name!r}, dim={self.dim})"


def connect(scheduler, job, keys=None, timeout=60.0):
    """Connects to a running job at its scheduler's address, tcp://host:port (several with commas).

    `keys`: the folder of keys for an encrypted cluster; else CAPSTAN_KEYS of the environment. `timeout`:
    seconds until tables and a stream of pushes must be there.
    """
    if keys is None:
        keys = os.environ.get("CAPSTAN_KEYS", "")
    return Client(_capstan.connect(str(scheduler), str(job), os.fspath(keys), float(timeout)))


def current():
    """The client that was connected last and is not closed."""
    if not _open_clients:
        raise CapstanError("no client is connected: capstan.connect(...) or capstan.Cluster.start(...) first")
    return _open_clients[-1]


def _nearest(word, words):
    near = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean '{near[0]}'?" if near else "."


def _key_array(keys):
    """As uint64, [n]. Arrays of int64 and uint64 are read where they lie."""
    array = np.asarray(keys)
    if array.size == 0:
        array = array.astype(np.int64)
    if not np.issubdtype(array.dtype, np.integer):
        raise CapstanError(f"keys are whole numbers, int64 or uint64, not {array.dtype}")
    if array.ndim != 1:
        raise CapstanError(f"keys have one dimension, not the shape {array.shape}: keys.reshape(-1)")
    if array.dtype.itemsize != 8 or not array.dtype.isnative:
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.uint64)
    return np.ascontiguousarray(array).view(np.uint64)


def _check_floats(array, what, shape):
    if not isinstance(array, np.ndarray):
        raise CapstanError(f"{what} is a NumPy array, not {type(array).__name__}")
    if array.dtype != np.float32:
        raise CapstanError(f"{what} has dtype {array.dtype}, not float32: {what}.astype(np.float32)")
    if array.shape != shape:
        raise CapstanError(f"{what} has the shape {array.shape}, not {shape} for these keys and this table")
    if not array.flags.c_contiguous:
        raise CapstanError(f"{what} does not lie in one piece: np.ascontiguousarray({what})")
    return array


class Client:
    """Use as a context manager, or call close(). May be shared by threads."""

    def __init__(self, session):
        self._session = session
        self.tables = {
            name: Table(number, name, dim) for number, (name, dim) in enumerate(session.tables())
        }
        _open_clients.append(self)

    @property
    def closed(self):
        return self._session is None

    def _live(self):
        if self._session is None:
            raise CapstanError("this client is closed")
        return self._session

    def table(self, name):
        if name not in self.tables:
            hint, known = _nearest(str(name), list(self.tables)), ", ".join(self.tables)
            raise CapstanError(f"no table '{name}'{hint} There are: {known}")
        return self.tables[name]

    def pull(self, table, keys, out=None, after_pushes=True):
        """The rows of `keys` as float32 [n, dim], in their order; a key may stand there several times.

        Rows are written to `out` where it is given. With `after_pushes` they hold all pushes of this client;
        without, a pull does not wait for pushes that are not acknowledged yet.
        """
        session, table, keys = self._live(), self.table(table), _key_array(keys)
        shape = (len(keys), table.dim)
        if out is None:
            out = np.empty(shape, np.float32)
        _check_floats(out, "out", shape)
        if not out.flags.writeable:
            raise CapstanError("out cannot be written to")
        session.pull(table.number, keys, out, after_pushes)
        return out

    def push(self, table, keys, gradients):
        """Gives the servers one gradient, float32 [n, dim], for each key; those of equal keys are added up.

        Returns once the batch has its number in the stream, so that it will count exactly once; flush() waits
        until all have.
        """
        session, table, keys = self._live(), self.table(table), _key_array(keys)
        session.push(table.number, keys, _check_floats(gradients, "gradients", (len(keys), table.dim)))

    def flush(self):
        """Waits until every push so far is in the rows."""
        self._live().flush()

    def status(self):
        """The job as `capstan status --json` shows it."""
        return json.loads(self._live().status())

    def end_job(self, reason="ended by a Python program"):
        """Ends the job for everybody, and gives what it says at its end.

        A job with `task: direct` makes its last checkpoint and ends well; any other is stopped.
        """
        session = self._live()
        try:
            session.flush()
            ok, text = session.end_job(reason)
        finally:
            self._drop()
        if not ok:
            raise CapstanError(text)
        return text

    def close(self):
        """Waits for the pushes and leaves; the job goes on."""
        if self._session is None:
            return
        try:
            self._session.close()
        finally:
            self._drop()

    def _drop(self):
        self._session = None
        if self in _open_clients:
            _open_clients.remove(self)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is None:
            self.close()
        else:
            self._drop()
