#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden values for the decoders: an independent PyTorch implementation of the models, written from the equations only.

    python3 make_golden.py [FOLDER]        # writes <name>.safetensors and planted_mistakes.json, by default beside itself

Everything is float64 on one thread, gradients come from autograd, and nothing is tiled, streamed or fused: attention makes
the whole score matrix, and a decoder runs over all of its windows at once. Equation numbers are those of MEGABYTE (Yu et
al. 2023).
"""
import json
import math
import os
import sys

import numpy as np
import torch

from tensors_file import write_safetensors

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

TOLERANCE = 2e-5  # of the float test; a planted mistake must move some loss by a hundred times as much


class Reference:
    """The model of a config (the JSON of a ModelConfig as a dict) over a dict of named parameters.

    mistake: None, or the name of a deliberate error, to learn whether the golden values would show it.
    """

    def __init__(self, config, parameters, mistake=None):
        self.config, self.p, self.mistake = config, parameters, mistake
        self.relu_margin = math.inf  # the pre-activation of a ReLU that came closest to its kink

    def costs(self, x):
        """Bytes (B,T) -> losses in nats (B,T), each row a window of its own."""
        return self.decoder(0, "", x, x.shape[1], None, 1)

    def decoder(self, scale, name, x, window, condition, in_a_row):
        """Scale number `scale`, whose windows cut the rows of x (B,T) into pieces of `window` bytes.

        condition: (windows, positions in a window, width), or None for the outermost. in_a_row: so many windows follow one
        another before the next does not go on from the one before, which cross-patch attention asks for.
        """
        p, wrong = self.p, self.mistake
        c = self.config["scales"][scale]
        stack, unit = c["stack"], c["unit"]
        innermost = scale + 1 == len(self.config["scales"])
        B, T = x.shape
        table = p[name + "table"]
        E = table.shape[1]

        w = x.reshape(-1, window)
        h = table[w]  # (windows, bytes, E)
        if not innermost and stack["positions"] == "learned":  # eq. 1: a row for each byte, added before the shift
            positions = p[name + "positions"]
            h = h + (positions.roll(-1, 0) if wrong == "position_off_by_one" else positions)[:window]
        units = h.reshape(-1, window // unit, unit * E)

        # Eq. 2 and 4: position k reads unit k - 1, and position 0 a pad or what truly came before.
        pad = p[name + "pad"] * (0 if wrong == "pad_zeroed" else 1)
        first = pad.expand(len(w), 1, unit * E)
        if c["first_input"] == "previous" and wrong != "pad_instead_of_previous":
            rows = []
            for b in range(B):
                for start in range(0, T, window):
                    rows.append(table[x[b, start - unit:start]].reshape(-1) if start > 0 else pad)
            first = torch.stack(rows)[:, None]
        h = units if wrong == "no_shift" else torch.cat([first, units[:, :-1]], 1)
        if c.get("convolution"):  # 2.3.1: the bytes' rows before they stand side by side, those of the pad among them
            h = self.convolution(name, h.reshape(len(w), window, E), c).reshape(h.shape)
        if not innermost and name + "embed.weight" in p:
            h = self.linear(name + "embed", h)
        if innermost and stack["positions"] == "learned":
            positions = p[name + "positions"]
            h = h + (positions.roll(-1, 0) if wrong == "position_off_by_one" else positions)[:h.shape[1]]
        if condition is not None:
            h = h + condition

        cross = c.get("cross_patch", 0)
        h = self.stack(stack, name + "stack.", h, cross, in_a_row)  # eq. 3 and 5

        if innermost:  # eq. 6
            z = h @ (table.T if self.config["tied"] else p[name + "head.weight"])
            cap = self.config["soft_cap"]
            if cap and wrong != "no_soft_cap":
                z = cap * torch.tanh(z / cap)
            z = z.reshape(B, T, -1)
            return torch.logsumexp(z, -1) - z.gather(-1, x[..., None])[..., 0]
        # Eq. 4: the output for a patch is read as one row of U * E numbers for each position of the inner decoder.
        if name + "unembed.weight" in p:
            h = self.linear(name + "unembed", h)
        inner_unit = self.config["scales"][scale + 1]["unit"]
        rows = h.reshape(-1, unit // inner_unit, inner_unit * E)
        if wrong == "condition_rows_reversed":
            rows = rows.flip(1)
        patches = window // unit * (in_a_row if cross else 1)
        return self.decoder(scale + 1, name + "inner.", x, unit, rows @ p[name + "condition.weight"], patches)

    def convolution(self, name, h, c):
        """h + c_7(relu(c_5(relu(c_3(h))))), causal convolutions with zeros before the first row."""
        wrong, x = self.mistake, h
        if wrong == "convolution_skips_pad" and c["first_input"] == "pad":
            x = torch.cat([torch.zeros_like(h[:, :c["unit"]]), h[:, c["unit"]:]], 1)
        for layer, width in enumerate((3, 5, 7)):
            E = h.shape[-1]
            at = f"{name}convolution.{layer}"
            kernel = self.p[at + ".weight"].reshape(width, E, E).permute(2, 1, 0)  # outputs, inputs, oldest row first
            if wrong == "convolution_reversed":
                kernel = kernel.flip(2)
            ahead = 1 if wrong == "convolution_looks_ahead" else 0
            padded = torch.nn.functional.pad(x.transpose(1, 2), (width - 1 - ahead, ahead))
            x = torch.nn.functional.conv1d(padded, kernel, self.p.get(at + ".bias")).transpose(1, 2)
            if layer < 2 and wrong != "convolution_no_relu":
                self.relu_margin = min(self.relu_margin, x.detach().abs().min().item())
                x = torch.relu(x)
        return x if wrong == "convolution_no_residual" else h + x

    def stack(self, c, name, h, cross, in_a_row):
        for i in range(c["layers"]):
            block = f"{name}blocks.{i}."
            h = h + self.attention(c, block + "attention.", self.norm(c, block + "attention.norm", h),
                                   cross, in_a_row)
            h = h + self.feed_forward(c, block + "feed_forward.", self.norm(c, block + "feed_forward.norm", h))
        return h if self.mistake == "no_final_norm" else self.norm(c, name + "norm", h)

    def norm(self, c, name, h):
        return self.layer_norm(name, h) if c["norm"] == "layer" else self.rms_norm(name, h)

    def layer_norm(self, name, h):
        eps = 1e-3 if self.mistake == "eps_1e-3" else 1e-5
        centred = h - h.mean(-1, keepdim=True)
        normal = centred / torch.sqrt((centred ** 2).mean(-1, keepdim=True) + eps)
        return normal * self.p[name + ".gain"] + self.p[name + ".bias"]

    def rms_norm(self, name, h):
        eps = 1e-3 if self.mistake == "eps_1e-3" else 1e-6
        return h / torch.sqrt((h ** 2).mean(-1, keepdim=True) + eps) * self.p[name + ".gain"]

    def linear(self, name, h):
        h = h @ self.p[name + ".weight"]
        return h + self.p[name + ".bias"] if name + ".bias" in self.p else h

    def attention(self, c, name, h, cross=0, in_a_row=1):
        N, K, C = h.shape
        H = c["heads"]
        D = C // H
        q, k, v = self.linear(name + "qkv", h).reshape(N, K, 3, H, D).permute(2, 0, 3, 1, 4)  # (N,H,K,D) each
        if c.get("kind") == "linear_transformer":
            o = self.linear_attention(c, q, k, v)
            return self.linear(name + "out", o.transpose(1, 2).reshape(N, K, C))
        if c["qk_norm"] and self.mistake != "no_qk_norm":
            q, k = self.rms_norm(name + "q_norm", q), self.rms_norm(name + "k_norm", k)
        # Section 2.3.2: the last keys and values of the patch before, at the positions before 0.
        before_k, before_v = (torch.cat([torch.zeros_like(a[:1]), a[:-1]])[:, :, K - cross:] for a in (k, v))
        if c["positions"] == "rotary":
            q = self.rotate(c, q, 1 if self.mistake == "position_off_by_one" else 0)
            k = self.rotate(c, k, 0)
            before_k = self.rotate(c, before_k, (1 if self.mistake == "cross_patch_off_by_one" else 0) - cross)
        k, v = torch.cat([before_k, k], 2), torch.cat([before_v, v], 2)
        score = q @ k.transpose(-1, -2)
        if self.mistake != "no_attention_scale":
            score = score / math.sqrt(D)
        age = torch.arange(K)[:, None] - torch.arange(-cross, K)[None, :]  # query's position - key's position
        seen = age >= (-1 if self.mistake == "mask_off_by_one" else 0)
        if c["window"]:
            seen &= age < c["window"] + (1 if self.mistake == "window_off_by_one" else 0)
        if cross:  # the first of a row of windows has none before it
            first = torch.arange(N) % in_a_row == 0
            if self.mistake == "no_cross_patch":
                first[:] = True
            hidden = first[:, None] & (torch.arange(-cross, K) < 0)[None, :]
            seen = seen[None, None] & ~hidden[:, None, None, :]
        weights = torch.softmax(score.masked_fill(~seen, -math.inf), -1)
        return self.linear(name + "out", (weights @ v).transpose(1, 2).reshape(N, K, C))

    def linear_attention(self, c, q, k, v):
        """Katharopoulos et al. 2020, eq. 9, pair by pair: weights phi(q_i) phi(k_j) of the values, over their sum; rotary
        positions turn the weights of the values and not those of the sum (Su et al. 2021, 3.3)."""
        wrong, K = self.mistake, q.shape[-2]
        if wrong != "no_feature_map":
            q, k = torch.nn.functional.elu(q) + 1, torch.nn.functional.elu(k) + 1
        seen = torch.tril(torch.ones(K, K, dtype=q.dtype), 1 if wrong == "mask_off_by_one" else 0)
        total = (q @ k.transpose(-1, -2) * (1 if wrong == "sum_sees_all" else seen)).sum(-1, keepdim=True)
        if c["positions"] == "rotary":
            q, k = self.rotate(c, q, 1 if wrong == "position_off_by_one" else 0), self.rotate(c, k, 0)
            if wrong == "sum_rotated":
                total = (q @ k.transpose(-1, -2) * seen).sum(-1, keepdim=True)
        return (q @ k.transpose(-1, -2) * seen) @ v / total

    def rotate(self, c, a, offset):
        """Su et al. 2021, with channel i paired with channel i + D/2."""
        K, D = a.shape[-2:]
        frequency = c["rotary_base"] ** (-2 * torch.arange(D // 2) / D)
        angle = (torch.arange(K) + offset)[:, None] * frequency
        cos, sin = torch.cos(angle).to(a.dtype), torch.sin(angle).to(a.dtype)
        even, odd = a[..., :D // 2], a[..., D // 2:]
        if self.mistake == "rotary_reversed_keys" and offset == 0:
            sin = -sin
        return torch.cat([even * cos - odd * sin, even * sin + odd * cos], -1)

    def feed_forward(self, c, name, h):
        u = self.linear(name + "up", h)
        kind = c["activation"]
        if kind == "relu":
            self.relu_margin = min(self.relu_margin, u.detach().abs().min().item())
            a = torch.relu(u)
        elif kind == "gelu":
            if self.mistake == "gelu_by_erf":
                a = 0.5 * u * (1 + torch.erf(u / math.sqrt(2)))
            else:
                a = 0.5 * u * (1 + torch.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u ** 3)))
        elif kind == "relu_squared":
            a = torch.relu(u) ** 2
        else:
            gate, value = u.chunk(2, -1)
            if self.mistake == "swiglu_value_first":
                gate, value = value, gate
            a = gate * torch.sigmoid(gate) * value
        return self.linear(name + "down", a)


def hidden_width(stack):
    if stack["hidden"]:
        return stack["hidden"]
    return 8 * math.ceil(stack["width"] / 3) if stack["activation"] == "swiglu" else 4 * stack["width"]


def parameter_shapes(config):
    """Names and shapes in checkpoint order, as io/README.md lists them."""
    shapes = {}

    def norm(c, name):
        shapes[name + ".gain"] = (c["width"],)
        if c["norm"] == "layer":
            shapes[name + ".bias"] = (c["width"],)

    def linear(c, name, inputs, outputs):
        shapes[name + ".weight"] = (inputs, outputs)
        if c["bias"]:
            shapes[name + ".bias"] = (outputs,)

    def decoder(scale, name, window):
        c = config["scales"][scale]
        stack, unit, C = c["stack"], c["unit"], c["stack"]["width"]
        innermost = scale + 1 == len(config["scales"])
        E = C if innermost else c["embedding"] or C // unit
        shapes[name + "table"] = (256, E)
        shapes[name + "pad"] = (unit * E,)
        if stack["positions"] == "learned":
            shapes[name + "positions"] = (window, E)
        if c.get("convolution"):
            for layer, width in enumerate((3, 5, 7)):
                linear(stack, f"{name}convolution.{layer}", width * E, E)
        if not innermost and unit * E != C:
            linear(stack, name + "embed", unit * E, C)
        for i in range(stack["layers"]):
            block = f"{name}stack.blocks.{i}."
            norm(stack, block + "attention.norm")
            linear(stack, block + "attention.qkv", C, 3 * C)
            if stack["qk_norm"]:
                shapes[block + "attention.q_norm.gain"] = shapes[block + "attention.k_norm.gain"] = (C // stack["heads"],)
            linear(stack, block + "attention.out", C, C)
            F = hidden_width(stack)
            norm(stack, block + "feed_forward.norm")
            linear(stack, block + "feed_forward.up", C, 2 * F if stack["activation"] == "swiglu" else F)
            linear(stack, block + "feed_forward.down", F, C)
        norm(stack, name + "stack.norm")
        if innermost:
            if not config["tied"]:
                shapes[name + "head.weight"] = (C, 256)
            return
        if unit * E != C:
            linear(stack, name + "unembed", C, unit * E)
        inner = config["scales"][scale + 1]
        shapes[name + "condition.weight"] = (inner["unit"] * E, inner["stack"]["width"])
        decoder(scale + 1, name + "inner.", unit)

    decoder(0, "", config["length"])
    return shapes


def random_parameters(shapes, rng):
    """Standard deviation 0.3 everywhere, gains around 1; float numbers, so that one file serves float and double."""
    def draw(name, shape):
        z = 0.3 * rng.standard_normal(shape)
        return torch.tensor((1 + z if name.endswith(".gain") else z).astype(np.float32))
    return {name: draw(name, shape) for name, shape in shapes.items()}


def random_bytes(rng, B, T):
    """Half of them any byte, half of them from a few, so that rows of a table get gradients from many places."""
    x = rng.integers(0, 256, (B, T))
    few = rng.choice(np.array([0, 32, 97, 101, 116, 255]), (B, T))
    return torch.tensor(np.where(rng.random((B, T)) < 0.5, few, x))


def run(reference, config, parameters, x, scale, dtype=torch.float64):
    """Losses (B,T), gradients of scale * their sum, and the distance of the nearest ReLU to its kink."""
    p = {name: value.to(dtype).requires_grad_() for name, value in parameters.items()}
    model = reference(config, p)
    costs = model.costs(x)
    (scale * costs.sum()).backward()
    return costs.detach(), {name: value.grad for name, value in p.items()}, model.relu_margin


def stack(**fields):
    return dict(dict(width=16, layers=1, heads=2, hidden=0, window=0, norm="layer", activation="relu", positions="learned",
                     rotary_base=10000, qk_norm=False, bias=True, dropout=0), **fields)


def scale(unit, embedding=0, first_input="pad", cross_patch=0, **fields):
    cross = dict(cross_patch=cross_patch) if cross_patch else {}  # not in the files of before there was such a thing
    return dict(unit=unit, embedding=embedding, first_input=first_input, **cross, stack=stack(**fields))


def convolved(scale):
    return dict(scale, convolution=True)


def for_file(config):
    """The config as the library reads it. A stack of another kind than the transformer names it."""
    def stack_for_file(stack):
        if "kind" not in stack:
            return stack
        own = ("heads", "hidden", "norm", "activation", "rotary_base")
        shared = {name: stack[name] for name in ("width", "layers", "positions", "bias", "dropout")}
        return dict(shared, **{stack["kind"]: {name: stack[name] for name in own}})
    return dict(config, scales=[dict(scale, stack=stack_for_file(scale["stack"])) for scale in config["scales"]])


def model(length, *scales, tied=True, soft_cap=0):
    return dict(length=length, scales=list(scales), tied=tied, soft_cap=soft_cap, init_std=0.02, residual_init=1)


flipped = dict(norm="rms", qk_norm=True, activation="relu_squared", positions="rotary")
CASES = {  # name: (config, B, T, seed). Stacks of more than 64 positions cross the edge of an attention tile.
    "vanilla": (model(160, scale(1, width=21, layers=2, heads=3, hidden=34)), 2, 150, 1),
    "vanilla_window_rotary": (
        model(144, scale(1, width=16, layers=2, window=20, positions="rotary", qk_norm=True, norm="rms", activation="swiglu",
                         bias=False), tied=False, soft_cap=15), 2, 144, 6),
    "two_scale": (model(288, scale(4, width=24, layers=2, heads=3, hidden=40), scale(1, width=12, layers=2)), 2, 288, 5),
    "two_scale_options": (
        model(204, scale(3, embedding=6, width=20, hidden=44, rotary_base=500, **flipped),
              scale(1, first_input="previous", width=12, layers=2, hidden=28, bias=False, **flipped),
              tied=False, soft_cap=5), 3, 201, 19),
    "three_scale": (
        model(104, scale(8, width=24, heads=3, hidden=40),
              scale(2, first_input="previous", width=12, activation="gelu"),
              scale(1, first_input="previous", width=10, heads=1, hidden=26, activation="swiglu")), 3, 96, 19),
    "three_scale_embedders": (
        model(72, scale(6, embedding=4, width=20, hidden=36, window=5, activation="gelu", positions="none"),
              scale(3, embedding=5, width=14, heads=1, hidden=30, norm="rms", positions="rotary", bias=False),
              scale(1, first_input="previous", width=10, activation="gelu", norm="rms"), tied=False), 2, 72, 1),
    "cross_patch": (
        model(120, scale(4, width=20, heads=2, hidden=36),
              scale(1, cross_patch=4, width=12, layers=2, hidden=28, positions="rotary", rotary_base=50), tied=False), 2, 116, 1),
    "three_scale_cross_patch": (
        model(96, scale(8, width=16, hidden=36, activation="gelu"),
              scale(2, first_input="previous", cross_patch=3, width=12, layers=2, hidden=28, norm="rms", activation="gelu",
                    positions="rotary", bias=False),
              scale(1, cross_patch=2, width=8, layers=2, hidden=20, norm="rms", activation="swiglu", positions="rotary",
                    qk_norm=True)), 2, 96, 1),
    "linear": (
        model(288, scale(4, width=24, heads=3, layers=2, hidden=40, positions="rotary", rotary_base=500, activation="gelu",
                         kind="linear_transformer"),
              scale(1, width=12, norm="rms", activation="gelu", bias=False, kind="linear_transformer")), 2, 288, 1),
    "two_scale_convolution": (
        model(160, convolved(scale(4, width=24, heads=3, hidden=40, activation="gelu")),
              scale(1, width=12, activation="gelu")), 2, 160, 13),
    "three_scale_convolution": (
        model(96, convolved(scale(8, embedding=3, width=20, hidden=36, activation="gelu", positions="rotary")),
              convolved(scale(4, first_input="previous", width=12, heads=3, hidden=40, activation="gelu")),
              scale(1, first_input="previous", width=8, heads=1, activation="gelu")), 3, 96, 10),
}
MUST_SHOW = ["no_attention_scale", "mask_off_by_one", "position_off_by_one", "eps_1e-3", "pad_zeroed"]
MAY_SHOW = ["window_off_by_one", "no_qk_norm", "no_soft_cap", "pad_instead_of_previous", "condition_rows_reversed",
            "no_shift", "no_final_norm", "no_cross_patch", "cross_patch_off_by_one", "swiglu_value_first", "rotary_reversed_keys",
            "no_feature_map", "sum_sees_all", "sum_rotated", "convolution_reversed", "convolution_looks_ahead",
            "convolution_skips_pad", "convolution_no_relu", "convolution_no_residual",
            "gelu_by_erf"]  # the last one changes so little that only the double test (1e-10) is sure to show it


def relative(a, b):
    return ((a - b).abs().max() / b.abs().max().clamp_min(1e-300)).item()


def write_case(folder, name, case, reference, shapes_of, mistakes):
    """Writes <name>.safetensors, and returns by how much each mistake moves the losses, where the model has such a part.

    case: (config, B, T, seed). reference: the class of the model. shapes_of(config): its parameters, names and shapes.
    """
    config, B, T, seed = case
    rng = np.random.default_rng(seed)
    parameters = random_parameters(shapes_of(config), rng)
    x = random_bytes(rng, B, T)
    factor = 0.125
    costs, grads, margin = run(reference, config, parameters, x, factor)
    tensors = {"bytes": x.numpy().astype(np.uint8), "costs": costs.numpy()}
    for parameter, value in parameters.items():
        tensors["param." + parameter] = value.numpy()
        tensors["grad." + parameter] = grads[parameter].numpy()
    path = os.path.join(folder, name + ".safetensors")
    write_safetensors(path, tensors, {"config": json.dumps(for_file(config)), "scale": repr(factor)})

    # The values must be ones that float arithmetic can reach: far from kinks, and not a difference of large numbers.
    in_float = run(reference, config, parameters, x, factor, torch.float32)
    worst = max([(relative(in_float[0].double(), costs), "costs")] +
                [(relative(in_float[1][k].double(), g), k) for k, g in grads.items()])
    print(f"{name}: {sum(v.numel() for v in parameters.values())} parameters, {os.path.getsize(path)} bytes, costs "
          f"{costs.min():.3f} to {costs.max():.3f}, float32 differs by {worst[0]:.1e} ({worst[1]}), ReLU "
          f"margin {margin:.1e}")
    assert worst[0] < TOLERANCE / 2 and margin > 1e-5, "choose another seed"

    moved = {}
    for mistake in mistakes:
        with torch.no_grad():
            p = {k: v.double() for k, v in parameters.items()}
            change = relative(reference(config, p, mistake).costs(x), costs)
        if change > 0:  # 0: the model has no such part
            moved[mistake] = change
    return moved


def write_moved(path, moved):
    """How far the losses of each model move, by mistake, to three digits."""
    rounded = {name: {mistake: float(f"{change:.3g}") for mistake, change in row.items()} for name, row in moved.items()}
    with open(path, "w") as file:
        json.dump(rounded, file, indent=1)
        file.write("\n")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    moved = {}
    for name, case in CASES.items():
        moved[name] = write_case(folder, name, case, Reference, parameter_shapes, MUST_SHOW + MAY_SHOW)
        for mistake, change in moved[name].items():
            assert change >= 100 * TOLERANCE or mistake in MAY_SHOW, (name, mistake, change)
    for name in ("two_scale", "two_scale_options"):
        assert all(mistake in moved[name] for mistake in MUST_SHOW), name
    for mistake in MUST_SHOW + MAY_SHOW:
        largest = max(row.get(mistake, 0) for row in moved.values())
        assert largest >= 100 * (1e-10 if mistake == "gelu_by_erf" else TOLERANCE), (mistake, largest)
    write_moved(os.path.join(folder, "planted_mistakes.json"), moved)


if __name__ == "__main__":
    main()
