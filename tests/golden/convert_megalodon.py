#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns weights of the authors' MEGALODON (XuezheMax/megalodon) into a model of this library.

    python3 convert_megalodon.py IN.safetensors OUT.safetensors [CONFIG.json]      # NumPy

IN has their names (layers.0.mega.wz.weight and so on), bare or behind `param.`, and CONFIG the numbers of their model: layers, width,
qk, value, heads, ffn, states, chunk, groups, swiglu, rescale, rope_base and share_emb; without it they are read from `config` in
IN's metadata. The table has 257 rows, the last of which stands before the first byte. OUT is a checkpoint.

Where IN has bytes, costs and gradients as well (README.md), OUT is a file for golden_test.cpp.
"""

import json
import sys

import numpy as np

from tensors_file import read_safetensors, write_safetensors

# Below layers.<i>: their name, ours below stack.blocks.<i>, and how a tensor of theirs becomes ours.
LAYER = [
    ("mega.timenorm.weight", "attention.norm.gain", "gain"),
    ("mega.timenorm.bias", "attention.norm.bias", "same"),
    ("mega.cema.alpha", "attention.average.alpha", "states"),
    ("mega.cema.delta", "attention.average.delta", "states"),
    ("mega.cema.theta", "attention.average.theta", "flat"),
    ("mega.cema.gamma", "attention.average.gamma", "same"),
    ("mega.cema.omega", "attention.average.omega", "flat"),
    ("mega.rmsnorm.weight", "attention.average_norm.gain", "gain"),
    ("mega.wz.weight", "attention.shared.weight", "turned pairs"),
    ("mega.wz.bias", "attention.shared.bias", "pairs"),
    ("mega.gamma", "attention.heads.gain", "gain pairs"),
    ("mega.beta", "attention.heads.bias", "pairs"),
    ("mega.wv.weight", "attention.values.weight", "turned"),
    ("mega.wv.bias", "attention.values.bias", "same"),
    ("mega.wr.weight", "attention.gate.weight", "turned"),
    ("mega.wr.bias", "attention.gate.bias", "same"),
    ("mega.wh1.weight", "attention.direct.weight", "turned"),
    ("mega.wh1.bias", "attention.direct.bias", "same"),
    ("mega.wh2.weight", "attention.out.weight", "turned"),
    ("nffn.norm.weight", "feed_forward.norm.gain", "gain"),
    ("nffn.norm.bias", "feed_forward.norm.bias", "same"),
    ("nffn.fc2.weight", "feed_forward.down.weight", "turned"),
]


def model_config(c, length):
    """The model's config as this library writes it."""
    assert not c.get("scale_emb"), "embeddings times sqrt(D) are not a part of this library: multiply the table by it"
    block = dict(heads=c["heads"], qk_width=c["qk"], value_width=c["value"], hidden=c["ffn"], chunk=c["chunk"], states=c["states"],
                 groups=c["groups"], rescale=c["rescale"], activation="swiglu" if c["swiglu"] else "silu",
                 rotary_base=c["rope_base"])
    stack = dict(width=c["width"], layers=c["layers"], positions="rotary", bias=True, dropout=0, megalodon=block)
    return {"length": length, "scales": [{"patch": 1, "first_input": "pad", "stack": stack}], "tied": c["share_emb"]}


def pairs_apart(t, heads):
    """Their rotation turns neighbours, (0, 1), (2, 3), ...; ours turns the halves of a head: first 0, 2, ..., then 1, 3, ..."""
    width = t.shape[-1] // heads
    order = [h * width + j for h in range(heads) for j in [*range(0, width, 2), *range(1, width, 2)]]
    return t[..., order]


def converted(t, how, heads, gradient):
    """A tensor, or a gradient, which is not of 1 + weight but of the weight."""
    if "turned" in how:
        t = t.T
    if "flat" in how:
        t = t.reshape(-1)
    if "states" in how:  # (D, N, 1)
        t = t.reshape(t.shape[:2])
    if "pairs" in how:
        t = pairs_apart(t, heads)
    return t + 1 if "gain" in how and not gradient else t


def parameters(theirs, c, gradient=False):
    """Theirs by name, to ours by name."""
    assert len(theirs["embed.weight"]) == 257, "the table must have 257 rows, the last of which stands before the first byte"
    ours = {"table": theirs["embed.weight"][:256], "pad": theirs["embed.weight"][256]}
    layer = LAYER + ([("nffn.alpha", "feed_forward.rescale", "same")] if c["rescale"] else [])
    for i in range(c["layers"]):
        at = f"layers.{i}."
        for name, our_name, how in layer:
            ours[f"stack.blocks.{i}.{our_name}"] = converted(theirs[at + name], how, c["heads"], gradient)
        up = [theirs[at + f"nffn.{part}.weight"].T for part in (["fc1", "fc3"] if c["swiglu"] else ["fc1"])]
        ours[f"stack.blocks.{i}.feed_forward.up.weight"] = np.concatenate(up, 1)
    ours["stack.norm.gain"] = converted(theirs["output.final_norm.weight"], "gain", 1, gradient)
    ours["stack.norm.bias"] = theirs["output.final_norm.bias"]
    if not c["share_emb"]:
        ours["head.weight"] = theirs["output.output.weight"].T
    return ours


def main(source, target, config_file=None):
    tensors, metadata = read_safetensors(source)
    c = json.load(open(config_file)) if config_file else json.loads(metadata["config"])
    of = lambda prefix: {name[len(prefix):]: t for name, t in tensors.items() if name.startswith(prefix)}
    weights = of("param.") or tensors
    if "cost_bits" not in tensors:
        config = json.dumps(model_config(c, c["chunk"]))
        write_safetensors(target, {k: v.astype(np.float32) for k, v in parameters(weights, c).items()},
                          {"format": "megalith", "format_version": "2", "library_version": "0", "structure": "", "config": config})
        return
    out = {"bytes": tensors["bytes"], "costs": tensors["cost_bits"] * np.log(2)}
    exact = {name: t.astype(np.float64) for name, t in weights.items()}  # 1 + weight is no float number
    out.update({"param." + k: v for k, v in parameters(exact, c).items()})
    out.update({"grad." + k: v for k, v in parameters(of("grad."), c, True).items()})
    config = model_config(c, tensors["bytes"].shape[1])
    write_safetensors(target, out, {"config": json.dumps(config), "scale": "1.0", "source": metadata.get("source", "")})


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
