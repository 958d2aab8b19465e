#!/usr/bin/python3
"""DeepFM in a Capstan cluster of one server and one worker, and in PyTorch without a cluster, on equal cores.

The same data (26 categories by Zipf's law, 13 numbers), the same model (embeddings of 16, first order, FM, a
deep net), Adagrad for rows and layers, batches of 4,096. PyTorch gets its batches from memory, as tensors,
and keeps its rows as 26 EmbeddingBags with sparse gradients; it runs with one and with two threads, and the
better one counts. Its BLAS must be OpenBLAS (Debian's libopenblas0-pthread, or a folder given by --blas):
with the reference libblas that Debian installs by default it takes many times longer, which compares nothing.
Capstan reads its prepared data, pulls and pushes over the wire, with everything on that a
job has on. Starts alternate; each figure is the median, with the least and the most.
Needs Debian's python3-torch and python3-numpy.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy

FIELDS, NUMBERS, DIM, BATCH = 26, 13, 16, 4096

JOB = """job: vs_torch
task: ctr
data:
  format: criteo
  train: [{folder}/train.tsv]
  split: {{method: ratio, valid: 0, test: 0.01}}
features:
{features}
model: {{type: deepfm, embedding_dim: {dim}, hidden: [{hidden}]}}
optimizer:
  sparse: {{type: adagrad, learning_rate: 0.02}}
  dense: {{type: adagrad, learning_rate: 0.01}}
train: {{passes: {passes}, batch_size: {batch}{extra}}}
cluster: {{servers: 1, workers: 1, threads: {threads}}}
report: {folder}/report.json
"""


def draw(examples, values, exponent, seed):
    rng = numpy.random.default_rng(seed)
    chances = 1.0 / numpy.arange(1, values + 1) ** exponent
    edges = numpy.cumsum(chances / chances.sum())
    keys = numpy.searchsorted(edges, rng.random((examples, FIELDS))).astype(numpy.int64)
    numbers = rng.normal(size=(examples, NUMBERS)).astype(numpy.float32)
    labels = (rng.random(examples) < 0.25).astype(numpy.float32)
    return keys, numbers, labels


def write_data(folder, keys, numbers, labels):
    with open(folder / "train.tsv", "w") as out:
        for key, number, label in zip(keys, numbers, labels):
            cells = [str(int(label))] + [f"{x:.4g}" for x in number] + [f"{k:x}" for k in key]
            out.write("\t".join(cells) + "\n")


# A run that fails says what it said itself.
def checked(command, **settings):
    done = subprocess.run(command, capture_output=True, text=True, **settings)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    return done.stdout


def progress(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def job_text(folder, options):
    numbers = [f"  - {{name: I{i}, column: I{i}, transform: zscore}}" for i in range(1, NUMBERS + 1)]
    categories = [f"  - {{name: C{i}, column: C{i}, transform: hash}}" for i in range(1, FIELDS + 1)]
    return JOB.format(folder=folder, features="\n".join(numbers + categories), dim=DIM, batch=BATCH,
                      hidden=options.mlp.replace("-", ", "), passes=options.passes, threads=os.cpu_count(),
                      extra=options.train)


def run_capstan(folder, options):
    job = folder / "job.yaml"
    job.write_text(job_text(folder, options))
    (folder / "report.json").unlink(missing_ok=True)
    checked([options.capstan, "run", str(job)], cwd=folder)
    report = json.loads((folder / "report.json").read_text())
    return report["examples_per_second"]


# Whatever libraries read at their start has to be set before, so PyTorch runs in a process of its own.
def torch_rate(folder, options, threads):
    command = [sys.executable, __file__, str(folder), "--torch", str(threads), "--mlp", options.mlp,
               "--passes", str(options.passes)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    if options.blas:
        environment["LD_LIBRARY_PATH"] = str(options.blas.resolve())
    return float(checked(command, env=environment))


# Which BLAS a process has got is known only once it is loaded: libblas.so.3 is a name that several provide.
def check_blas():
    loaded = {line.split()[-1] for line in open("/proc/self/maps") if "blas" in line}
    if not any(is_openblas(path) for path in loaded):
        sys.exit(f"PyTorch has no OpenBLAS but {', '.join(sorted(loaded))}: install libopenblas0-pthread")


def is_openblas(path):
    return b"openblas_get_config" in pathlib.Path(path).read_bytes()


def run_torch(folder, options):
    import torch

    check_blas()
    torch.set_num_threads(options.torch)
    torch.manual_seed(1)
    data = numpy.load(folder / "data.npz")
    keys, numbers = torch.from_numpy(data["keys"]), torch.from_numpy(data["numbers"])
    labels = torch.from_numpy(data["labels"])
    values = int(keys.max()) + 1

    class DeepFm(torch.nn.Module):
        def __init__(self):
            super().__init__()
            bag = lambda dim: torch.nn.EmbeddingBag(values, dim, mode="sum", sparse=True)
            self.vectors = torch.nn.ModuleList([bag(DIM) for _ in range(FIELDS)])
            self.first = torch.nn.ModuleList([bag(1) for _ in range(FIELDS)])
            for each in [*self.vectors, *self.first]:
                torch.nn.init.normal_(each.weight, std=0.01)
            self.numbers = torch.nn.Linear(NUMBERS, 1)
            layers, width = [], FIELDS * DIM + NUMBERS
            for hidden in map(int, options.mlp.split("-")):
                layers += [torch.nn.Linear(width, hidden), torch.nn.ReLU()]
                width = hidden
            self.deep = torch.nn.Sequential(*layers, torch.nn.Linear(width, 1))

        def forward(self, key, number):
            column = [key[:, f:f + 1] for f in range(FIELDS)]
            vectors = [bag(k) for bag, k in zip(self.vectors, column)]
            first = sum(bag(k) for bag, k in zip(self.first, column)) + self.numbers(number)
            stacked = torch.stack(vectors, 1)
            total = stacked.sum(1)
            pairs = 0.5 * (total * total - (stacked * stacked).sum(1)).sum(1, keepdim=True)
            return (first + pairs + self.deep(torch.cat([*vectors, number], 1))).squeeze(1)

    model = DeepFm()
    rows = [p for n, p in model.named_parameters() if n.startswith(("vectors", "first"))]
    layers = [p for n, p in model.named_parameters() if not n.startswith(("vectors", "first"))]
    optimizers = [torch.optim.Adagrad(rows, lr=0.02), torch.optim.Adagrad(layers, lr=0.01)]
    loss = torch.nn.BCEWithLogitsLoss()
    begin, steps = time.perf_counter(), 0
    for _ in range(options.passes):
        for at in range(0, len(labels) - BATCH + 1, BATCH):
            part = slice(at, at + BATCH)
            error = loss(model(keys[part], numbers[part]), labels[part])
            for optimizer in optimizers:
                optimizer.zero_grad()
            error.backward()
            for optimizer in optimizers:
                optimizer.step()
            steps += 1
    print(steps * BATCH / (time.perf_counter() - begin))


def told(rates):
    return f"{statistics.median(rates) / 1e3:.1f} k ({min(rates) / 1e3:.1f} to {max(rates) / 1e3:.1f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="where data, job and report go")
    parser.add_argument("--capstan", default="build/release/capstan", help="the program")
    parser.add_argument("--mlp", default="400-400-400", help="widths of the deep net")
    parser.add_argument("--examples", type=int, default=409600)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--values", type=int, default=100000, help="values of a category")
    parser.add_argument("--zipf", type=float, default=1.02, help="exponent")
    parser.add_argument("--train", default="", help="more of the job's train section: ', pipeline_depth: 4'")
    parser.add_argument("--blas", type=pathlib.Path, help="folder of OpenBLAS' libblas.so.3")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--torch", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.torch:
        return run_torch(options.folder, options)
    options.capstan = str(pathlib.Path(options.capstan).resolve())
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    progress(f"{options.examples} examples are drawn and written")
    keys, numbers, labels = draw(options.examples, options.values, options.zipf, 1)
    write_data(folder, keys, numbers, labels)
    numpy.savez(folder / "data.npz", keys=keys, numbers=numbers, labels=labels)
    unique = sum(len(numpy.unique(keys[:BATCH, f])) for f in range(FIELDS))
    capstan, torch = [], {1: [], 2: []}
    for at in range(1, options.rounds + 1):
        capstan.append(run_capstan(folder, options))
        progress(f"round {at} of {options.rounds}: Capstan {capstan[-1] / 1e3:.1f} k examples/s")
        for threads, rates in torch.items():
            rates.append(torch_rate(folder, options, threads))
            progress(f"  PyTorch, threads {threads}: {rates[-1] / 1e3:.1f} k examples/s")
    best = max(torch, key=lambda threads: statistics.median(torch[threads]))
    ratios = [a / b for a, b in zip(capstan, torch[best])]
    if options.json:
        print(json.dumps({"capstan": statistics.median(capstan), "torch": statistics.median(torch[best]),
                          "torch_threads": best, "ratio": statistics.median(ratios), "mlp": options.mlp,
                          "unique_rows": unique, "rounds": options.rounds}))
        return
    print(f"{FIELDS} categories, {NUMBERS} numbers, hidden {options.mlp}, {unique} rows a batch")
    print(f"Capstan   {told(capstan)} examples/s")
    for threads, rates in torch.items():
        print(f"PyTorch   {told(rates)} examples/s, {threads} thread{'s' if threads > 1 else ''}")
    print(f"ratio     {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


main()
