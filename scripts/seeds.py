#!/usr/bin/env python3
"""Runs a job with several seeds and prints the mean and spread of its test metrics; with --against also the
paired difference to the same job under other settings, seed by seed, with its 95 % interval.

  scripts/seeds.py configs/ml1m_mf.yaml --seeds 5
  scripts/seeds.py configs/ctr_deepfm.yaml --against train.consistency=sync
  scripts/seeds.py configs/ctr_deepfm.yaml --against train.consistency=sync \\
      --tune optimizer.sparse.learning_rate=0.02,0.05,0.1

--tune lets `capstan tune` try each value, or each combination where it is given several times, on a seed of
its own, apart from those reported, and keeps what does best on validation; with --against, for each of the
two by itself.
Runs that stand in the output folder are not repeated, so a stopped call goes on where it was.
"""
import argparse
import hashlib
import json
import math
import os
import statistics
import subprocess
import sys

# Two-sided 95 % points of Student's t for 1, 2, ... degrees of freedom.
T_975 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
         2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
         2.045, 2.042]
TUNING_SEED = 1000


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", help="the job file")
    parser.add_argument("--seeds", type=int, default=5, help="seeds 1..N (default 5)")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="for every run")
    parser.add_argument("--against", action="append", default=[], metavar="PATH=VALUE",
                        help="settings of the other side of the comparison")
    parser.add_argument("--tune", action="append", default=[], metavar="PATH=V1,V2,...")
    parser.add_argument("--out", help="folder of the reports (default out/seeds/JOB)")
    parser.add_argument("--capstan", default="build/release/capstan")
    options = parser.parse_args()
    if not 2 <= options.seeds <= len(T_975) + 1:
        parser.error(f"--seeds must be 2 to {len(T_975) + 1}")
    options.out = options.out or os.path.join("out/seeds", os.path.splitext(os.path.basename(options.job))[0])
    return options


def finished(path):
    if not os.path.exists(path):
        return False
    with open(path) as file:
        return json.load(file)["state"] == "done"


def run(options, settings, seed):
    settings = options.set + settings + [f"seed={seed}"]
    with open(options.job, "rb") as job:
        name = hashlib.sha256(job.read() + "\0".join(settings).encode()).hexdigest()[:12]
    folder = os.path.join(options.out, name)
    report = os.path.join(folder, "report.json")
    if not finished(report):
        os.makedirs(folder, exist_ok=True)
        command = [options.capstan, "run", options.job, "--quiet", "--report", report]
        for setting in settings + [f"checkpoint.path={folder}/checkpoints"]:
            command += ["--set", setting]
        with open(os.path.join(folder, "log"), "w") as log:
            if subprocess.run(command, stdout=log, stderr=log).returncode != 0:
                sys.exit(f"seeds.py: {' '.join(command)} failed; see {folder}/log")
    with open(report) as file:
        return json.load(file)


def tuned(options, settings):
    """The --tune settings that do best on validation beside `settings`: `capstan tune` over all of them."""
    if not options.tune:
        return []
    space = [choice.partition("=") for choice in options.tune]
    ranges = ", ".join(f"{path}: [{values}]" for path, _, values in space)
    # So large an eta trains every trial to its end.
    search = f"tune={{eta: 100, trials: 99, space: {{{ranges}}}}}"
    settings = options.set + settings + [f"seed={TUNING_SEED}", search]
    name = hashlib.sha256("\0".join(settings).encode()).hexdigest()[:12]
    folder = os.path.join(options.out, "tune-" + name)
    command = [options.capstan, "tune", options.job, "--out", folder]
    for setting in settings:
        command += ["--set", setting]
    if subprocess.run(command).returncode != 0:
        sys.exit(f"seeds.py: {' '.join(command)} failed")
    with open(os.path.join(folder, "trials.jsonl")) as file:
        outcomes = [json.loads(line) for line in file.readlines()[1:]]
    good = [outcome for outcome in outcomes if not outcome["failed"]]
    best = max(good, key=lambda outcome: outcome["better"])
    return [f"{path}={value}" for path, value in best["settings"].items()]


def metrics_of(report):
    return {name: value for name, value in report["test"]["model"].items()
            if isinstance(value, float) and not name.startswith("cold")}


def spread(values):
    """Mean and half of the 95 % interval of the mean."""
    half = T_975[len(values) - 2] * statistics.stdev(values) / math.sqrt(len(values))
    return statistics.mean(values), half


def staleness_text(reports):
    counts = [sum(column) for column in zip(*(report["staleness"] for report in reports))]
    total = sum(counts) or 1
    ranges = ["0", "1"] + [f"{1 << (i - 1)}-{(1 << i) - 1}" for i in range(2, len(counts))]
    return ", ".join(f"{ranges[i]}: {100 * count / total:.1f} %" for i, count in enumerate(counts) if count)


def show_side(title, reports):
    wall = statistics.mean(r["wall_seconds"] for r in reports)
    print(f"\n{title}: {len(reports)} seeds, wall {wall:.0f} s each, "
          f"{statistics.mean(r['examples_per_second'] for r in reports):,.0f} examples/s")
    for name in metrics_of(reports[0]):
        values = [metrics_of(report)[name] for report in reports]
        mean, half = spread(values)
        print(f"  {name:10} {mean:.4f} +- {half:.4f}   " + " ".join(f"{value:.4f}" for value in values))
    print(f"  staleness of a push (updates of its shard since its pull): {staleness_text(reports)}")


def main():
    options = arguments()
    sides = [options.against, []] if options.against else [[]]
    results = []
    for side in sides:
        settings = side + tuned(options, side)
        reports = []
        for seed in range(1, options.seeds + 1):
            reports.append(run(options, settings, seed))
            print(f"  seed {seed} {' '.join(settings)}: {metrics_of(reports[-1])}", flush=True)
        results.append((" ".join(settings) or "as in the job file", reports))
    for title, reports in results:
        show_side(title, reports)
    if len(results) == 2:
        print(f"\n{results[1][0]} less {results[0][0]}, paired by seed:")
        for name in metrics_of(results[0][1][0]):
            differences = [metrics_of(b)[name] - metrics_of(a)[name]
                           for a, b in zip(results[0][1], results[1][1])]
            mean, half = spread(differences)
            print(f"  {name:10} {mean:+.5f}, 95 % interval {mean - half:+.5f} to {mean + half:+.5f}")


if __name__ == "__main__":
    main()
