#!/usr/bin/python3
"""Records what golden_test.cc compares every model with: scores of six examples, all rows after one SGD step.

Written from the papers' equations with PyTorch (Debian: python3-torch) and its autograd, knowing nothing of
Capstan but the names and shapes of its tables. Usage: tests/worker/nn/models/golden/record.py [CASE...]
"""
import os
import sys

import torch

torch.set_default_dtype(torch.float64)
EXAMPLES, DIM, RATE = 6, 3, 0.5
VALUES = {"user": 4, "item": 5, "genres": 4, "hour": 3}  # keys of each field; genres is a list
NUMBERS = ["price", "age"]
SEQUENCES = ["sasrec", "gru4rec", "caser"]  # cases that read the items before, in the table of items


def draw(name, a, b):
    """The same 32 bits as in golden_test.cc: FNV-1a of NAME/A/B, mixed."""
    x = 2166136261
    for byte in f"{name}/{a}/{b}".encode():
        x = (x ^ byte) * 16777619 % 2**32
    x = (x ^ x >> 16) * 0x45D9F3B % 2**32
    return x ^ x >> 16


def number(name, a, b):
    return (draw(name, a, b) >> 8) / 2**24 - 0.5


def keys(field, i):
    if field != "genres":
        return [draw(field, i, 0) % VALUES[field]]
    return [draw(field, i, j + 1) % VALUES[field] for j in range(draw(field, i, 0) % 4)]


def before(i):
    return [draw("before", i, j + 1) % VALUES["item"] for j in range(draw("before", i, 0) % 5)]


class Tables(dict):
    """Parameters by table name, made on first use with the weights that both sides agree on."""

    def of(self, name, rows, cols):
        if name not in self:
            weights = [[number(name, key, column) for column in range(cols)] for key in range(rows)]
            self[name] = torch.tensor(weights).reshape(rows, cols).requires_grad_()
        assert self[name].shape == (rows, cols), name
        return self[name]


T = Tables()


def vector(field, suffix="", dim=DIM):
    """[n, dim]: the mean of the example's rows."""
    table = T.of(field + suffix, VALUES[field], dim)
    zero = torch.zeros(dim)
    return torch.stack([torch.stack([table[k] for k in keys(field, i)]).mean(0) if keys(field, i) else zero
                        for i in range(EXAMPLES)])


def numbers():
    return torch.tensor([[2 * number(name, i, 0) for name in NUMBERS] for i in range(EXAMPLES)])


def layer(name, x, out):
    w = T.of(name, x.shape[1] + 1, out)
    return x @ w[:-1] + w[-1]


def net(name, x, widths):
    for l, width in enumerate(widths):
        x = torch.tanh(layer(f"{name}_{l}", x, width))
    return x


def joined(suffix=""):
    return torch.cat([vector(field, suffix) for field in VALUES] + [numbers()], 1)


def linear():
    return layer("linear", numbers(), 1) + sum(vector(field, "_linear", 1) for field in VALUES)


def factors():
    of_numbers = T.of("numeric", len(NUMBERS), DIM)
    return [vector(f) for f in VALUES] + [numbers()[:, [j]] * of_numbers[j] for j in range(len(NUMBERS))]


def dots(vectors):
    return [(vectors[f] * vectors[g]).sum(1, keepdim=True)
            for f in range(len(vectors)) for g in range(f + 1, len(vectors))]


def side(fields, suffix="", dim=DIM):
    return sum(vector(field, suffix, dim) for field in fields)


def mlp():
    return layer("mlp_out", net("mlp", joined(), [5, 4]), 1)


def fm():
    return linear() + sum(dots(factors()))


def deepfm():
    return fm() + layer("mlp_out", net("mlp", torch.cat(factors(), 1), [5, 4]), 1)


def mf():
    product = (side(["user"]) * side(["item", "genres"])).sum(1, keepdim=True)
    return product + side(["user"], "_bias", 1) + side(["item", "genres"], "_bias", 1) + T.of("bias", 1, 1)


def neumf():
    product = side(["user"], "_gmf") * side(["item", "genres"], "_gmf")
    return layer("gmf_out", product, 1) + layer("mlp_out", net("mlp", joined("_mlp"), [5, 4]), 1)


def full_rank(l, x0, x):
    return x0 * layer(f"cross_{l}", x, x0.shape[1]) + x


def mixture(l, x0, x, rank=2, experts=3):
    d = x0.shape[1]
    v, c = T.of(f"cross_{l}_v", d, experts * rank), T.of(f"cross_{l}_c", experts * rank, rank)
    u, gate = T.of(f"cross_{l}", experts * rank + 1, d), T.of(f"cross_{l}_gate", d, experts)
    share = torch.softmax(x @ gate, 1)
    result = x
    for k in range(experts):
        own = slice(k * rank, (k + 1) * rank)
        inner = torch.tanh(torch.tanh(x @ v[:, own]) @ c[own])
        result = result + share[:, [k]] * (x0 * (inner @ u[own] + u[-1]))
    return result


def dcn_v2(cross, stacked):
    x0 = joined()
    x = cross(1, x0, cross(0, x0, x0))
    deep = net("mlp", x if stacked else x0, [5, 4])
    return layer("mlp_out", deep if stacked else torch.cat([x, deep], 1), 1)


def dlrm():
    z = net("bottom", numbers(), [5, DIM])
    pairs = dots([z] + [vector(field) for field in VALUES])
    return layer("mlp_out", net("mlp", torch.cat([z] + pairs, 1), [5, 4]), 1)


def finalmlp(gates):
    e, outs = joined(), []
    for s, fields, widths in [(1, ["user"], [5, 4]), (2, ["item", "genres"], [4, 6])]:
        context = torch.cat([vector(field, f"_gate{s}") for field in fields], 1) if gates else None
        gate = layer(f"gate{s}_out", net(f"gate{s}", context, [3]), e.shape[1]) if gates else None
        outs.append(net(f"mlp{s}", e * 2 * torch.sigmoid(gate) if gates else e, widths))
    score = layer("fusion", torch.cat(outs, 1), 1)
    w = T.of("fusion_bilinear", 4, 3)
    for k in range(2):
        o1, o2 = outs[0][:, 2 * k:2 * k + 2], outs[1][:, 3 * k:3 * k + 3]
        score = score + torch.einsum("ni,ij,nj->n", o1, w[2 * k:2 * k + 2], o2)[:, None]
    return score


def norm(name, x):
    gain, shift = T.of(name, 2, DIM)
    centred = x - x.mean(1, keepdim=True)
    return gain * centred / torch.sqrt((centred ** 2).mean(1, keepdim=True) + 1e-5) + shift


def sasrec(x, heads=3):
    x = x + T.of("positions", 6, DIM)[:len(x)]
    future = torch.triu(torch.ones(len(x), len(x)), 1).bool()
    for b in range(2):
        qkv, width, seen = layer(f"block_{b}_qkv", norm(f"block_{b}_norm1", x), 3 * DIM), DIM // heads, []
        for h in range(heads):
            q, k, v = (qkv[:, p * DIM + h * width:p * DIM + (h + 1) * width] for p in range(3))
            seen.append(torch.softmax((q @ k.T / width ** 0.5).masked_fill(future, -torch.inf), 1) @ v)
        x = x + torch.cat(seen, 1)
        hidden = torch.tanh(layer(f"block_{b}_ffn1", norm(f"block_{b}_norm2", x), DIM))
        x = x + layer(f"block_{b}_ffn2", hidden, DIM)
    return norm("out_norm", x)


def gru4rec(x):
    for l in range(2):
        of_items = layer(f"gru_{l}_in", x, 3 * DIM)
        gates, candidate = T.of(f"gru_{l}_gates", DIM, 2 * DIM), T.of(f"gru_{l}_candidate", DIM, DIM)
        h, states = torch.zeros(DIM), []
        for t in range(len(x)):
            z, r = torch.sigmoid(of_items[t, :2 * DIM] + h @ gates).split(DIM)
            h = (1 - z) * h + z * torch.tanh(of_items[t, 2 * DIM:] + (r * h) @ candidate)
            states.append(h)
        x = torch.stack(states)
    return x


def caser(x, window=3, filters=2):
    blank = max(0, window - len(x))
    e, parts = torch.cat([torch.zeros(blank, DIM), x[-window:]]), []
    for h in range(1, window + 1):
        first = max(0, blank - h + 1)  # windows of nothing but blanks take no part
        rows = torch.stack([e[i:i + h].reshape(-1) for i in range(first, window - h + 1)])
        parts.append(torch.tanh(layer(f"horizontal_{h}", rows, filters)).max(0).values)
    parts.append((T.of("vertical", window, filters).T @ e).reshape(-1))
    return torch.tanh(layer("caser_out", torch.cat(parts)[None], DIM))


def sequence(read):
    table, pasts = T.of("item", VALUES["item"], DIM), []
    for i in range(EXAMPLES):
        pasts.append(read(table[before(i)])[-1] if before(i) else torch.zeros(DIM))
    user = torch.stack(pasts) + (vector("user") if read is caser else 0)
    return (user * side(["item", "genres"])).sum(1, keepdim=True)


CASES = {
    "lr": linear,
    "fm": fm,
    "wide_deep": lambda: linear() + mlp(),
    "deepfm": deepfm,
    "mlp": mlp,
    "mf": mf,
    "neumf": neumf,
    "dcn_v2": lambda: dcn_v2(full_rank, stacked=False),
    "dcn_v2_stacked": lambda: dcn_v2(full_rank, stacked=True),
    "dcn_v2_mixture": lambda: dcn_v2(mixture, stacked=False),
    "dlrm": dlrm,
    "finalmlp": lambda: finalmlp(gates=True),
    "finalmlp_without_gates": lambda: finalmlp(gates=False),
    "sasrec": lambda: sequence(sasrec),
    "gru4rec": lambda: sequence(gru4rec),
    "caser": lambda: sequence(caser),
}


def record(case):
    T.clear()
    scores = CASES[case]()[:, 0]
    labels = torch.tensor([float(draw("label", i, 0) % 2) for i in range(EXAMPLES)])
    torch.nn.functional.binary_cross_entropy_with_logits(scores, labels).backward()
    lines = ["scores " + " ".join(f"{s:.7g}" for s in scores.tolist())]
    for name in sorted(T):
        rows = (T[name] - RATE * T[name].grad).tolist()
        field = next((f for f in VALUES if name == f or name.startswith(f + "_")), None)
        used = {k for i in range(EXAMPLES) for k in keys(field, i)} if field else set(range(len(rows)))
        if field == "item" and case in SEQUENCES:
            used |= {k for i in range(EXAMPLES) for k in before(i)}
        lines += [f"{name} {key} " + " ".join(f"{w:.7g}" for w in rows[key]) for key in sorted(used)]
    with open(os.path.join(os.path.dirname(__file__), case + ".txt"), "w") as file:
        file.write("\n".join(lines) + "\n")


for chosen in sys.argv[1:] or CASES:
    record(chosen)
