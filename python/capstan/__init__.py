"""Capstan from Python: rows of a parameter-server cluster as NumPy arrays, and jobs to run and watch.

docs/PYTHON.md shows how. capstan.torch has a PyTorch module; it is imported by itself, so that nothing else
needs PyTorch.
"""

from capstan._capstan import CapstanError
from capstan.client import Client, Table, connect, current
from capstan.cluster import Cluster, binary, run, watch
from capstan.tables import read_table

CapstanError.__module__ = __name__

__all__ = ["CapstanError", "Client", "Cluster", "Table", "binary", "connect", "current", "read_table", "run",
           "watch"]
