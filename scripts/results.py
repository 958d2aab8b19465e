#!/usr/bin/env python3
"""Runs a job and keeps its figure in docs/results/NAME: the job with every setting as it ran, what the
command said, and the report. `capstan run docs/results/NAME/job.yaml` runs it again.

  scripts/results.py ml1m_ials configs/ml1m_ials.yaml
  scripts/results.py beauty_sasrec_seed1 configs/beauty_sasrec.yaml --set seed=1

Where a path came from an environment variable, what is kept names the variable, not this machine's folder.
"""
import argparse
import os
import re
import subprocess
import sys


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="folder below --into, and the job's name")
    parser.add_argument("job", help="the job file")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE")
    parser.add_argument("--into", default="docs/results", help="(default docs/results)")
    parser.add_argument("--capstan", default="build/release/capstan")
    return parser.parse_args()


def variables_of(text):
    """{value: how the job file writes it} of each variable that the job file reads and that is set."""
    found = {}
    for name, default in re.findall(r"(?<!\$)\$\{(\w+)(:-[^}]*)?\}", text):
        if os.environ.get(name):
            found[os.environ[name]] = f"${{{name}{default}}}"
    return found


def without_paths(text, variables):
    """The text without what is of this machine alone."""
    for value in sorted(variables, key=len, reverse=True):
        text = text.replace(value, variables[value])
    return text.replace(os.getcwd() + "/", "")


def quoted(line):
    """A line of the job with a variable in it needs quotes in YAML lists, for the braces."""
    return re.sub(r'(?<!")(\$\{[^}]*\}[^\],\s]*)(?!")', r'"\1"', line)


def run(options):
    out = f"out/{options.name}"
    command = [options.capstan, "run", options.job]
    # Recommendations are shown beside users' histories, which are data and not ours to keep.
    for setting in [f"job={options.name}", f"checkpoint.path={out}/checkpoints", f"report={out}/report.json",
                    "evaluate.recommend_users=0"]:
        command += ["--set", setting]
    for setting in options.set:
        command += ["--set", setting]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"results.py: {' '.join(command)} failed:\n{done.stdout}")
    return done.stdout


def keep(options, variables, log):
    folder = os.path.join(options.into, options.name)
    os.makedirs(folder, exist_ok=True)
    with open(f".capstan/{options.name}/job.yaml") as file:
        lines = without_paths(file.read(), variables).splitlines()
    sets = "".join(f" --set '{setting}'" for setting in options.set)
    with open(os.path.join(folder, "job.yaml"), "w") as file:
        file.write(f"# {options.job}{sets}, with every setting as it ran.\n")
        file.write("".join(quoted(line) + "\n" for line in lines))
    with open(os.path.join(folder, "run.log"), "w") as file:
        file.write(without_paths(log, variables))
    with open(f"out/{options.name}/report.json") as file:
        report = without_paths(file.read(), variables)
    with open(os.path.join(folder, "report.json"), "w") as file:
        file.write(report)


def main():
    options = arguments()
    with open(options.job) as file:
        variables = variables_of(file.read())
    keep(options, variables, run(options))


if __name__ == "__main__":
    main()
