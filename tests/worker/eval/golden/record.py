#!/usr/bin/python3
"""Records what paired_tests_test.cc and paired_auc_test.cc compare with: pairs of values, and what SciPy
(Debian: python3-scipy) says of them. DeLong's test is written out from the paper, as SciPy has none.

Usage: tests/worker/eval/golden/record.py
"""
import math
import os
import random

from scipy import stats

FOLDER = os.path.dirname(os.path.abspath(__file__))


def number(value):
    return repr(float(value))


def line(name, *values):
    return " ".join([name] + [number(value) for value in values]) + "\n"


def paired_cases():
    draw = random.Random(7)
    yield "two_pairs", [1.0, 2.5], [0.5, 1.0]
    yield "few", [draw.random() for _ in range(9)], [draw.random() for _ in range(9)]
    yield "all_one_way", [0.5 + draw.random() for _ in range(12)], [0.4 * draw.random() for _ in range(12)]
    yield "fifty", [draw.gauss(0.1, 1) for _ in range(50)], [draw.gauss(0, 1) for _ in range(50)]
    yield "many", [draw.gauss(0.2, 1) for _ in range(120)], [draw.gauss(0, 1) for _ in range(120)]
    # As hit rates are: most pairs equal, the others one apart; and figures of few values.
    hits = [(int(draw.random() < 0.4), int(draw.random() < 0.3)) for _ in range(200)]
    yield "ties_and_zeros", [hit[0] for hit in hits], [hit[1] for hit in hits]
    steps = [(draw.randrange(5) / 4, draw.randrange(4) / 4) for _ in range(150)]
    yield "steps", [step[0] for step in steps], [step[1] for step in steps]


def record_paired():
    text = ""
    for name, a, b in paired_cases():
        t = stats.ttest_rel(a, b)
        zero_or_tie = len({abs(x - y) for x, y in zip(a, b)} - {0.0}) < len(a)
        exact = len(a) <= 50 and not zero_or_tie
        w = stats.wilcoxon(a, b, zero_method="wilcox", correction=False, mode="exact" if exact else "approx")
        text += f"case {name}\n" + line("a", *a) + line("b", *b)
        text += line("t", t.statistic, t.pvalue) + line("wilcoxon", w.statistic, w.pvalue)
    with open(os.path.join(FOLDER, "paired.txt"), "w") as file:
        file.write(text)


def delong(a, b, labels):
    """AUC of both, z and p. Equations 2 to 5 of DeLong, DeLong and Clarke-Pearson (1988)."""
    positive = [i for i, label in enumerate(labels) if label]
    negative = [i for i, label in enumerate(labels) if not label]

    def wins(x, y):
        return 1.0 if x > y else 0.5 if x == y else 0.0

    def components(scores):
        v10 = [sum(wins(scores[i], scores[j]) for j in negative) / len(negative) for i in positive]
        v01 = [sum(wins(scores[i], scores[j]) for i in positive) / len(positive) for j in negative]
        return v10, v01, sum(v10) / len(v10)

    def covariance(x, y):
        mx, my = sum(x) / len(x), sum(y) / len(y)
        return sum((p - mx) * (q - my) for p, q in zip(x, y)) / (len(x) - 1)

    (a10, a01, auc_a), (b10, b01, auc_b) = components(a), components(b)
    variance = (covariance(a10, a10) + covariance(b10, b10) - 2 * covariance(a10, b10)) / len(positive)
    variance += (covariance(a01, a01) + covariance(b01, b01) - 2 * covariance(a01, b01)) / len(negative)
    z = (auc_a - auc_b) / math.sqrt(variance)
    return auc_a, auc_b, z, 2 * stats.norm.sf(abs(z))


def record_auc():
    draw = random.Random(8)
    text = ""
    for name, size, digits in [("plain", 40, 6), ("ties", 90, 1)]:
        labels = [int(draw.random() < 0.3) for _ in range(size)]
        a = [round(0.3 * label + draw.random(), digits) for label in labels]
        b = [round(0.1 * label + 0.5 * x + 0.6 * draw.random(), digits) for label, x in zip(labels, a)]
        auc_a, auc_b, z, p = delong(a, b, labels)
        for scores, own in [(a, auc_a), (b, auc_b)]:
            groups = [[s for s, label in zip(scores, labels) if label == kind] for kind in (1, 0)]
            u = stats.mannwhitneyu(*groups).statistic
            assert abs(u / len(groups[0]) / len(groups[1]) - own) < 1e-12
        text += f"case {name}\n" + line("a", *a) + line("b", *b) + line("labels", *labels)
        text += line("auc", auc_a, auc_b) + line("delong", z, p)
    with open(os.path.join(FOLDER, "auc.txt"), "w") as file:
        file.write(text)


if __name__ == "__main__":
    record_paired()
    record_auc()
