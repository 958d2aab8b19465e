"""capstan.torch.EmbeddingBag against torch.nn.EmbeddingBag(sparse=True): equal losses, step by step."""

import unittest

import numpy as np
import torch

import capstan.torch
from jobs import ClusterTest

ROWS, DIM, BATCH, STEPS = 500, 8, 64, 200
INIT = {"type": "uniform", "scale": 0.1}


class Model(torch.nn.Module):
    def __init__(self, embedding):
        super().__init__()
        self.embedding = embedding
        torch.manual_seed(3)
        self.out = torch.nn.Linear(DIM, 1)

    def forward(self, *inputs):
        return self.out(self.embedding(*inputs)).squeeze(1)


def batches():
    """Bags of 1 to 6 keys, some of them several times in a bag, with labels that can be learnt."""
    rng = np.random.default_rng(4)
    truth = rng.normal(size=ROWS)
    for _ in range(STEPS):
        sizes = rng.integers(1, 7, BATCH)
        offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        keys = rng.zipf(1.3, sizes.sum()) % ROWS
        labels = np.add.reduceat(truth[keys], offsets) > 0
        yield torch.tensor(keys), torch.tensor(offsets), torch.tensor(labels, dtype=torch.float32)


def losses(model, optimizers):
    values = []
    for keys, offsets, labels in batches():
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(keys, offsets), labels)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        values.append(loss.item())
    return np.array(values)


class EqualLosses(ClusterTest):
    def compare(self, mode, optimizer, make_optimizer):
        tables = {"items": {"dim": DIM, "init": INIT}}
        with capstan.Cluster.start(self.job(optimizer, tables)) as cluster:
            start = cluster.client.pull("items", np.arange(ROWS))
            ours = Model(capstan.torch.EmbeddingBag("items", mode=mode))
            our_losses = losses(ours, [torch.optim.SGD(ours.parameters(), lr=0.1)])
            our_rows = cluster.client.pull("items", np.arange(ROWS))
        theirs = Model(torch.nn.EmbeddingBag(ROWS, DIM, mode=mode, sparse=True))
        with torch.no_grad():
            theirs.embedding.weight.copy_(torch.from_numpy(start))
        of_layer = torch.optim.SGD(theirs.out.parameters(), lr=0.1)
        their_losses = losses(theirs, [make_optimizer(theirs.embedding.parameters()), of_layer])
        apart = np.abs(our_losses - their_losses).max()
        rows_apart = np.abs(our_rows - theirs.embedding.weight.detach().numpy()).max()
        print(f"{mode}, {optimizer['type']}: {STEPS} steps, loss {our_losses[:10].mean():.4f} to "
              f"{our_losses[-10:].mean():.4f}; losses apart by {apart:.2g}, rows by {rows_apart:.2g}")
        self.assertLess(apart, 1e-5)
        self.assertLess(rows_apart, 1e-5)
        self.assertLess(our_losses[-10:].mean(), our_losses[:10].mean() - 0.05)

    def test_sgd_of_sums(self):
        self.compare("sum", {"type": "sgd", "learning_rate": 0.5}, lambda p: torch.optim.SGD(p, lr=0.5))

    def test_sgd_of_means(self):
        self.compare("mean", {"type": "sgd", "learning_rate": 0.5}, lambda p: torch.optim.SGD(p, lr=0.5))

    def test_adagrad_of_sums(self):
        self.compare("sum", ADAGRAD, lambda p: torch.optim.Adagrad(p, lr=0.05))

    def test_adagrad_of_means(self):
        self.compare("mean", ADAGRAD, lambda p: torch.optim.Adagrad(p, lr=0.05))


# As torch.optim.Adagrad has them.
ADAGRAD = {"type": "adagrad", "learning_rate": 0.05, "initial_accumulator": 0.0, "epsilon": 1e-10}


class Shapes(ClusterTest):
    def test_inputs_are_those_of_torch(self):
        with capstan.Cluster.start(self.job(tables={"items": {"dim": DIM, "init": INIT}})) as cluster:
            bag = capstan.torch.EmbeddingBag("items", mode="sum", client=cluster.client)
            theirs = torch.nn.EmbeddingBag(ROWS, DIM, mode="sum")
            with torch.no_grad():
                theirs.weight.copy_(torch.from_numpy(cluster.client.pull("items", np.arange(ROWS))))
            keys = torch.tensor([[1, 2, 1], [4, 4, 499]])
            torch.testing.assert_close(bag(keys), theirs(keys))
            weights = torch.rand(2, 3)
            torch.testing.assert_close(bag(keys, per_sample_weights=weights),
                                       theirs(keys, per_sample_weights=weights))
            flat, offsets = keys.reshape(-1).to(torch.int32), torch.tensor([0, 2, 2], dtype=torch.int32)
            torch.testing.assert_close(bag(flat, offsets), theirs(flat, offsets))
            with torch.no_grad():
                before = bag(keys)
            self.assertFalse(before.requires_grad)
            with self.assertRaisesRegex(capstan.CapstanError, "'sum' or 'mean'"):
                capstan.torch.EmbeddingBag("items", mode="max")


if __name__ == "__main__":
    unittest.main()
