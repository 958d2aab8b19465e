"""A PyTorch module whose rows live in a Capstan cluster.

In place of torch.nn.EmbeddingBag(count, dim, mode="sum", sparse=True) write
capstan.torch.EmbeddingBag("items", mode="sum"). The servers' optimizer moves the rows: backward pushes their
gradients, and the program's own optimizer knows nothing of them.
"""

import torch
from torch.nn import functional

from capstan import client as clients
from capstan._capstan import CapstanError


class _Rows(torch.autograd.Function):
    """Rows of the cluster, [n, dim]; their gradients are pushed."""

    @staticmethod
    def forward(ctx, _anchor, client, table, keys):
        ctx.client, ctx.table, ctx.keys = client, table, keys
        rows = torch.empty((len(keys), client.table(table).dim))
        client.pull(table, keys.numpy(), out=rows.numpy())
        return rows

    @staticmethod
    def backward(ctx, gradients):
        ctx.client.push(ctx.table, ctx.keys.numpy(), gradients.contiguous().numpy())
        return None, None, None, None


class EmbeddingBag(torch.nn.Module):
    """Sums or means of rows of `table`, as torch.nn.EmbeddingBag gives them; any 64-bit number is a key.

    Each distinct key of an input is pulled once, and pushed once by backward with its whole gradient.
    `client`: the one that was connected last, unless another is given.
    """

    def __init__(self, table, mode="mean", client=None, include_last_offset=False):
        super().__init__()
        if mode not in ("sum", "mean"):
            raise CapstanError(f"mode is 'sum' or 'mean', not '{mode}'")
        self.client = client or clients.current()
        self.table, self.mode, self.include_last_offset = table, mode, include_last_offset
        self.embedding_dim = self.client.table(table).dim
        self._anchor = torch.zeros((), requires_grad=True)  # what makes autograd ask for the rows' gradients

    def forward(self, input, offsets=None, per_sample_weights=None):
        keys, places = torch.unique(input.reshape(-1), return_inverse=True)
        rows = _Rows.apply(self._anchor, self.client, self.table, keys.to(torch.int64))
        return functional.embedding_bag(
            places.reshape(input.shape),
            rows,
            offsets,
            mode=self.mode,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
        )

    def extra_repr(self):
        return f"{self.table!r}, dim={self.embedding_dim}, mode={self.mode!r}"
