#!/usr/bin/python3
"""Serves a folder of `capstan export --onnx` without Capstan, as docs/EXPORT.md says, and compares scores.

Rows come from the npz tables by key, are pooled with NumPy and go through the net in ONNX Runtime.
Usage: check_export.py NAME FOLDER EVAL_REPORT|- (environment NODE_PATH: where onnxruntime-node is)
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx

HERE = pathlib.Path(__file__).parent
TOLERANCE = 1e-5


def pooled(entry, rows, weights):
    """One example's vector: rows [entries, dim], weights [entries]."""
    weighted = rows * weights[:, None]
    if entry["pooling"] == "none":
        out = numpy.zeros((entry["length"], entry["dim"]), "f4")
        out[: len(rows)] = weighted[: entry["length"]]
        return out.reshape(-1)
    if len(rows) == 0:
        return numpy.zeros(entry["dim"], "f4")
    if entry["pooling"] == "max":
        return weighted.max(0)
    return weighted.sum(0) / (len(rows) if entry["pooling"] == "mean" else 1)


class Inputs:
    """The features of all examples: an event's as examples.npz has them, a user's or item's by who it is."""

    def __init__(self, folder):
        self.examples = dict(numpy.load(folder / "examples.npz"))
        self.sides = {}
        for side in ("user", "item"):
            if (folder / f"{side}s.npz").exists():
                self.sides[side] = dict(numpy.load(folder / f"{side}s.npz"))
                ids = (folder / f"{side}s.txt").read_text().splitlines()
                assert len(set(ids)) == len(ids) and self.examples[side].max() < len(ids)

    def keys(self, entry):
        """A list of keys and their weights for each example."""
        name, side = entry["feature"], entry["source"]
        arrays = self.examples if side == "event" else self.sides[side]
        rows = range(len(self.examples["score"])) if side == "event" else self.examples[side].tolist()
        offsets = arrays[name + ".offsets"].tolist()
        scales = arrays.get(name + ".weights", numpy.ones(offsets[-1], "f4")).reshape(-1)
        for row in rows:
            begin, end = offsets[row], offsets[row + 1]
            yield arrays[name + ".keys"][begin:end].tolist(), scales[begin:end]

    def numbers(self, features):
        columns = []
        for place, entry in enumerate(features):
            if entry["source"] == "event":
                columns.append(self.examples["numbers"][:, place])
            else:
                values = self.sides[entry["source"]][entry["feature"] + ".numbers"].reshape(-1)
                columns.append(values[self.examples[entry["source"]]])
        return numpy.stack(columns, 1)


def feed(folder, entry, inputs, missing):
    if "numbers" in entry:
        return inputs.numbers(entry["numbers"])
    table = numpy.load(folder / entry["table"])
    places = {key: place for place, key in enumerate(table["keys"].tolist())}
    weights = table["weights"]
    zeros = numpy.zeros(entry["dim"], "f4")
    vectors = []
    for keys, scales in inputs.keys(entry):
        missing.update((entry["feature"], key) for key in keys if key not in places)
        rows = [weights[places[key]] if key in places else zeros for key in keys]
        vectors.append(pooled(entry, numpy.array(rows, "f4").reshape(len(keys), entry["dim"]), scales))
    return numpy.stack(vectors).astype("f4")


def evaluate(model, feeds):
    """The net's outputs, from ONNX Runtime in a process of its own."""
    rows = len(next(iter(feeds.values())))
    with tempfile.TemporaryDirectory() as lab:
        for name, values in feeds.items():
            (pathlib.Path(lab) / f"{name}.f32").write_bytes(values.astype("<f4").tobytes())
        widths = {name: values.shape[1] for name, values in feeds.items()}
        (pathlib.Path(lab) / "shapes.json").write_text(json.dumps(widths))
        subprocess.run(["node", HERE / "evaluate.cjs", model, lab, str(rows)], check=True)
        files = pathlib.Path(lab).glob("*.f32")
        return {path.stem: numpy.frombuffer(path.read_bytes(), "<f4") for path in files}


def logloss(probabilities, labels):
    p = numpy.clip(probabilities.astype("f8"), 1e-7, 1 - 1e-7)
    return -numpy.mean(labels * numpy.log(p) + (1 - labels) * numpy.log(1 - p))


def figure(manifest, outputs, labels):
    """What `capstan eval` says too, from the independent scores alone; None for a ranking."""
    if manifest["task"] == "ctr":
        return "logloss", logloss(outputs["probability"], labels)
    if manifest["task"] == "rating":
        return "rmse", numpy.sqrt(numpy.mean((outputs["score"].astype("f8") - labels) ** 2))
    return None


def main(name, folder, report):
    folder = pathlib.Path(folder)
    manifest = json.loads((folder / "features.json").read_text())
    onnx.checker.check_model(onnx.load(folder / "model.onnx"), full_check=True)
    inputs = Inputs(folder)
    examples = inputs.examples
    missing = set()
    feeds = {entry["name"]: feed(folder, entry, inputs, missing) for entry in manifest["inputs"]}
    outputs = evaluate(folder / "model.onnx", feeds)
    worst = 0.0
    for output in manifest["outputs"]:
        expected = examples[output].reshape(-1)
        worst = max(worst, float((abs(outputs[output] - expected) / numpy.maximum(1, abs(expected))).max()))
    largest = abs(examples["score"]).max()
    line = f"{name:24} {len(examples['score']):6} examples, scores up to {largest:.3g}, apart by {worst:.1e}"
    failed = not worst <= TOLERANCE
    own = figure(manifest, outputs, examples["label"].reshape(-1))
    if own and report != "-":
        said = json.loads(pathlib.Path(report).read_text())["test"]["model"][own[0]]
        line += f"; {own[0]} {own[1]:.6f}, capstan eval {said:.6f}"
        failed = failed or (not missing and abs(own[1] - said) > TOLERANCE)
    if missing:
        line += f"; {len(missing)} keys without a row"
    print(line + ("  FAILED" if failed else ""), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
