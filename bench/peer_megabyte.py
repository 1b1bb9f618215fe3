#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Times training steps of the shape of megabyte-small in plain PyTorch, and prints one line of JSON.

The same model (Yu et al. 2023, eq. 1-6): tables of bytes for both scales, learned positions, trained pads, pre-norm blocks
with ReLU, one matrix from the global to the local width, an output tied to the local table.

    bench/peer_megabyte.py [--threads N] [--steps N] [--length T] [--batch B] [--check]

Needs Debian's python3-torch and libopenblas0, without which its products are those of the reference BLAS and it is refused.
OPENBLAS_CORETYPE must be unset: where it names an older processor, products leave instructions unused.
"""
import argparse
import json
import statistics
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError:
    sys.exit("peer_megabyte.py: there is no PyTorch here; install python3-torch and libopenblas0")

GLOBAL = dict(width=512, layers=6, heads=8)
LOCAL = dict(width=256, layers=2, heads=4)
PATCH = 8


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_feed_forward = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project, self.gather = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, hidden_from):
        batch, rows, width = x.shape
        parts = self.project(self.before_attention(x)).reshape(batch, rows, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(-2, -1) / (width // self.heads) ** 0.5 + hidden_from
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, rows, width)
        x = x + self.gather(mixed)
        return x + self.narrow(functional.relu(self.widen(self.before_feed_forward(x))))


class Transformer(nn.Module):
    def __init__(self, width, layers, heads, rows):
        super().__init__()
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.register_buffer("hidden_from", torch.full((rows, rows), -torch.inf).triu(1))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x, self.hidden_from)
        return self.norm(x)


class Megabyte(nn.Module):
    def __init__(self, length):
        super().__init__()
        per_byte = GLOBAL["width"] // PATCH
        self.patch_table, self.byte_table = nn.Embedding(256, per_byte), nn.Embedding(256, LOCAL["width"])
        self.patch_positions = nn.Parameter(torch.zeros(length, per_byte))
        self.byte_positions = nn.Parameter(torch.zeros(PATCH, LOCAL["width"]))
        self.patch_pad, self.byte_pad = nn.Parameter(torch.zeros(GLOBAL["width"])), nn.Parameter(torch.zeros(LOCAL["width"]))
        self.outer = Transformer(**GLOBAL, rows=length // PATCH)
        self.inner = Transformer(**LOCAL, rows=PATCH)
        self.condition = nn.Linear(per_byte, LOCAL["width"], bias=False)

    def forward(self, data):
        batch, length = data.shape
        patches = (self.patch_table(data) + self.patch_positions).reshape(batch, length // PATCH, GLOBAL["width"])
        patches = torch.cat([self.patch_pad.expand(batch, 1, -1), patches[:, :-1]], 1)
        condition = self.condition(self.outer(patches).reshape(-1, PATCH, GLOBAL["width"] // PATCH))
        units = data.reshape(-1, PATCH)
        before = torch.cat([self.byte_pad.expand(len(units), 1, -1), self.byte_table(units[:, :-1])], 1)
        out = self.inner(before + condition + self.byte_positions)
        return functional.cross_entropy((out @ self.byte_table.weight.T).reshape(-1, 256), data.reshape(-1))


def refuse_reference_blas():
    try:
        with open("/proc/self/maps") as maps:
            libraries = {line.split()[-1] for line in maps}
    except OSError:
        return  # not Linux: nothing is known
    slow = [path for path in libraries if "/blas/libblas.so" in path]
    if slow:
        sys.exit(f"peer_megabyte.py: PyTorch multiplies by the reference BLAS here ({slow[0]}), which says nothing about "
                 "PyTorch; install libopenblas0, or choose it by update-alternatives")


def main():
    options = argparse.ArgumentParser()
    for name, value in dict(threads=2, steps=7, length=1024, batch=8).items():
        options.add_argument("--" + name, type=int, default=value)
    options.add_argument("--check", action="store_true", help="end after the look at what PyTorch multiplies by")
    given = options.parse_args()
    refuse_reference_blas()
    if given.check:
        return
    torch.set_num_threads(given.threads)
    model = Megabyte(given.length)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, foreach=True)
    data = torch.randint(0, 256, (given.batch, given.length))
    seconds = []
    for _ in range(given.steps + 1):
        start = time.perf_counter()
        model(data).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seconds.append(time.perf_counter() - start)
    step = statistics.median(seconds[1:])
    print(json.dumps({"peer": "PyTorch " + torch.__version__, "parameters": sum(p.numel() for p in model.parameters()),
                      "threads": given.threads, "seconds_per_step": round(step, 4),
                      "bytes_per_second": round(data.numel() / step)}))


main()
