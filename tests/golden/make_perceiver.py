#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values for Perceiver AR, in the paper's form: a window of inputs, of which the last N are latents.

    python3 make_perceiver.py [FOLDER]     # writes <name>.safetensors and perceiver_mistakes.json, by default beside itself

Hawthorne et al. 2022: latents = the last N inputs through one linear layer; a block in which they attend to all inputs up to
their own; blocks in which they attend to one another, causally; N predictions. No chunks: bytes before the last N of a row are
predicted by windows of their own, which begin where the row begins and end N bytes earlier, 2 N bytes earlier, and so on.
Parts that the vanilla transformer has too are those of make_golden.py.
"""
import math
import os
import sys

import torch

from make_golden import Reference, TOLERANCE, hidden_width, write_case, write_moved

MISTAKES = ["no_attention_scale", "mask_off_by_one", "position_off_by_one", "eps_1e-3", "pad_zeroed", "latents_from_the_start",
            "residual_from_inputs", "one_norm", "no_latent_layer", "latents_see_inputs_again"]


class PerceiverAr(Reference):
    def __init__(self, config, parameters, mistake=None):
        super().__init__(config, parameters, mistake)
        stack = config["scales"][0]["stack"]
        self.c = {**stack, **stack["perceiver"], "window": 0}
        self.N = self.c["latents"]

    def costs(self, x):
        """Bytes (B,T) -> losses in nats (B,T); 0 where the config leaves out what comes before the last N."""
        T = x.shape[1]
        ends = [T] if self.c["predicted"] else list(range(self.N, T + 1, self.N))
        pieces = [self.window(x[:, :end]) for end in ends]
        return torch.cat([torch.zeros(len(x), T - self.N * len(ends), dtype=pieces[0].dtype)] + pieces, 1)

    def window(self, x):
        """Losses (B,N) of the last N bytes of x (B,T)."""
        p, c, N, wrong = self.p, self.c, self.N, self.mistake
        B, T = x.shape
        C = c["width"]
        pad = p["pad"] * (0 if wrong == "pad_zeroed" else 1)
        inputs = torch.cat([pad.expand(B, 1, C), p["table"][x[:, :-1]]], 1)  # of byte t: byte t - 1
        if c["positions"] == "learned":
            positions = p["positions"]
            inputs = inputs + (positions.roll(-1, 0) if wrong == "position_off_by_one" else positions)[:T]
        last = inputs[:, :N] if wrong == "latents_from_the_start" else inputs[:, -N:]
        latents = last if wrong == "no_latent_layer" else self.linear("stack.blocks.0.attention.latents", last)
        h = self.cross("stack.blocks.0.attention.", latents, inputs)
        h = h + (inputs[:, -N:] if wrong == "residual_from_inputs" else latents)
        feed = "stack.blocks.0.feed_forward."
        h = h + self.feed_forward(c, feed, self.norm(c, feed + "norm", h))
        for i in range(1, c["layers"]):
            block = f"stack.blocks.{i}."
            if wrong == "latents_see_inputs_again":
                h = torch.cat([inputs[:, :-N], h], 1)
            h = h + self.attention(c, block + "attention.", self.norm(c, block + "attention.norm", h))
            h = (h + self.feed_forward(c, block + "feed_forward.", self.norm(c, block + "feed_forward.norm", h)))[:, -N:]
        h = self.norm(c, "stack.norm", h)
        z = h @ (p["table"].T if self.config["tied"] else p["head.weight"])
        if self.config["soft_cap"]:
            z = self.config["soft_cap"] * torch.tanh(z / self.config["soft_cap"])
        return torch.logsumexp(z, -1) - z.gather(-1, x[:, -N:, None])[..., 0]

    def cross(self, name, latents, inputs):
        """Queries of the latents (B,N,C), keys and values of the inputs (B,T,C)."""
        c, N = self.c, self.N
        B, T, C = inputs.shape
        H, G = c["heads"], c["kv_heads"] or c["heads"]
        D = C // H
        queries, keys_values = name + "queries", name + "keys_values"
        of_latents = keys_values if self.mistake == "one_norm" else queries
        q = self.linear(queries, self.norm(c, of_latents + ".norm", latents)).reshape(B, N, H, D)
        kv = self.linear(keys_values, self.norm(c, keys_values + ".norm", inputs))
        k, v = kv[..., :G * D].reshape(B, T, G, D), kv[..., G * D:].reshape(B, T, G, D)
        if c["qk_norm"]:
            q, k = self.rms_norm(queries + ".head_norm", q), self.rms_norm(keys_values + ".head_norm", k)
        k, v = k.repeat_interleave(H // G, 2), v.repeat_interleave(H // G, 2)  # each serves H/G heads of queries in a row
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        if c["positions"] == "rotary":
            shifted = torch.cat([torch.zeros_like(k[:, :, :T - N]), q], 2)  # latent i stands at T - N + i
            q = self.rotate(c, shifted, 1 if self.mistake == "position_off_by_one" else 0)[:, :, T - N:]
            k = self.rotate(c, k, 0)
        score = q @ k.transpose(-1, -2)
        if self.mistake != "no_attention_scale":
            score = score / math.sqrt(D)
        position = torch.arange(T - N, T)[:, None]
        seen = torch.arange(T)[None, :] <= position + (1 if self.mistake == "mask_off_by_one" else 0)
        weights = torch.softmax(score.masked_fill(~seen, -math.inf), -1)
        return self.linear(name + "out", (weights @ v).transpose(1, 2).reshape(B, N, C))


def parameter_shapes(config):
    """Names and shapes in checkpoint order."""
    stack = config["scales"][0]["stack"]
    c = {**stack, **stack["perceiver"]}
    C, H, G, F = c["width"], c["heads"], c["kv_heads"] or c["heads"], hidden_width(c)
    assert C % H == 0 and (G == H or c["layers"] == 1), "Reference.attention has no grouped keys"
    shapes = {"table": (256, C), "pad": (C,)}
    if c["positions"] == "learned":
        shapes["positions"] = (config["length"], C)

    def norm(name):
        shapes[name + ".gain"] = (C,)
        if c["norm"] == "layer":
            shapes[name + ".bias"] = (C,)

    def linear(name, inputs, outputs):
        shapes[name + ".weight"] = (inputs, outputs)
        if c["bias"]:
            shapes[name + ".bias"] = (outputs,)

    def heads(name, outputs):
        norm(name + ".norm")
        linear(name, C, outputs)
        if c["qk_norm"]:
            shapes[name + ".head_norm.gain"] = (C // H,)

    for i in range(c["layers"]):
        block = f"stack.blocks.{i}."
        if i == 0:
            linear(block + "attention.latents", C, C)
            heads(block + "attention.queries", C)
            heads(block + "attention.keys_values", 2 * G * (C // H))
        else:
            norm(block + "attention.norm")
            linear(block + "attention.qkv", C, 3 * C)
            if c["qk_norm"]:
                shapes[block + "attention.q_norm.gain"] = shapes[block + "attention.k_norm.gain"] = (C // H,)
        linear(block + "attention.out", C, C)
        norm(block + "feed_forward.norm")
        linear(block + "feed_forward.up", C, 2 * F if c["activation"] == "swiglu" else F)
        linear(block + "feed_forward.down", F, C)
    norm("stack.norm")
    if not config["tied"]:
        shapes["head.weight"] = (C, 256)
    return shapes


def model(length, width, layers, positions, bias, tied, soft_cap, **perceiver):
    block = dict(dict(predicted=0, kv_heads=0, hidden=0, norm="layer", activation="relu", rotary_base=10000, qk_norm=False),
                 **perceiver)
    stack = dict(width=width, layers=layers, positions=positions, bias=bias, dropout=0, recompute=False, perceiver=block)
    return dict(length=length, scales=[dict(patch=1, embedding=0, first_input="pad", stack=stack)], tied=tied,
                soft_cap=soft_cap, init_std=0.02, residual_init=1)


CASES = {  # name: (config, B, T, seed). Keys cross the edge of an attention tile.
    "perceiver": (model(96, 21, 3, "learned", True, True, 0, latents=24, heads=3, hidden=34), 2, 96, 1),
    "perceiver_end": (model(130, 16, 3, "rotary", False, False, 9, latents=26, predicted=26, heads=2, norm="rms",
                            activation="swiglu", rotary_base=700, qk_norm=True), 2, 130, 2),
    "perceiver_grouped": (model(90, 24, 1, "rotary", True, True, 0, latents=30, predicted=30, heads=6, kv_heads=2, hidden=30,
                                norm="rms", activation="gelu", rotary_base=100, qk_norm=True), 3, 90, 3),
}


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    moved = {}
    for name, case in CASES.items():
        moved[name] = write_case(folder, name, case, PerceiverAr, parameter_shapes, MISTAKES)
        for mistake, change in moved[name].items():
            assert change >= 10 * TOLERANCE, (name, mistake, change)
    for mistake in MISTAKES:
        assert max(row.get(mistake, 0) for row in moved.values()) >= 100 * TOLERANCE, mistake
    write_moved(os.path.join(folder, "perceiver_mistakes.json"), moved)


if __name__ == "__main__":
    main()
