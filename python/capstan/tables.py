"""What `capstan export` writes, as NumPy arrays."""

import os

import numpy as np

from capstan._capstan import CapstanError


def read_table(path):
    """Keys, uint64 [n], and weights, float32 [n, dim], of a table that `capstan export` wrote as npz."""
    path = os.fspath(path)
    if not path.endswith(".npz"):
        raise CapstanError(f"{path} is no .npz: write it with `capstan export CHECKPOINT --out DIR`")
    try:
        with np.load(path) as arrays:
            return arrays["keys"], arrays["weights"]
    except FileNotFoundError:
        raise CapstanError(f"there is no {path}") from None
    except (KeyError, ValueError, OSError) as error:
        raise CapstanError(f"{path} is not what `capstan export` writes: {error}") from None
