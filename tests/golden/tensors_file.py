# SPDX-License-Identifier: Apache-2.0
"""Tensors in files of the safetensors format, by NumPy alone."""

import json
import struct

import numpy as np

KINDS = {"float64": "F64", "float32": "F32", "uint8": "U8", "int32": "I32", "int64": "I64"}


def write_safetensors(path, tensors, metadata):
    tensors = {name: np.ascontiguousarray(t) for name, t in tensors.items()}
    order = sorted(tensors, key=lambda name: -tensors[name].itemsize)  # stable; every number is aligned to its size
    header, at = {"__metadata__": metadata}, 0
    for name in order:
        t = tensors[name]
        header[name] = {"dtype": KINDS[t.dtype.name], "shape": list(t.shape), "data_offsets": [at, at + t.nbytes]}
        at += t.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            file.write(tensors[name].tobytes())


def read_safetensors(path):
    """Tensors by name, and the metadata."""
    types = {kind: np.dtype(name).newbyteorder("<") for name, kind in KINDS.items()}
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, info in header.items():
        begin, end = info["data_offsets"]
        tensors[name] = np.frombuffer(data[begin:end], types[info["dtype"]]).reshape(info["shape"])
    return tensors, metadata
