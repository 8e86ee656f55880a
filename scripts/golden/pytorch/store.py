"""Writes golden files, and compares them with those in the repository.

A tensor is {"shape": [...], "float64": "..."}: its numbers in row-major order, little-endian, as base64. Random
inputs are exact in single precision and stored as "float32".
"""

import base64
import json
import math
from pathlib import Path

import numpy
import torch

FOLDER = Path(__file__).resolve().parents[3] / "test" / "golden" / "pytorch"

# Maximum difference, relative to the largest number in its tensor (or to 1 if all are smaller).
TOLERANCE = 1e-12
# Entries with this name were computed in bfloat16, whose sums differ between processors.
COARSE, COARSE_TOLERANCE = "Bfloat16", 1e-3


def drawn(tensor):
    """A tensor that tests start from. Exact in single precision."""
    single = tensor.detach().to(torch.float32)
    assert torch.equal(single.to(tensor.dtype), tensor.detach())
    return encode(single, "float32", "<f4")


def computed(tensor):
    """A tensor that tests compare with."""
    return encode(tensor.detach().to(torch.float64), "float64", "<f8")


def encode(tensor, name, kind):
    data = numpy.ascontiguousarray(tensor.numpy()).astype(kind).tobytes()
    return {"shape": list(tensor.shape), name: base64.b64encode(data).decode()}


def write(name, made):
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = pretty(made)
    (FOLDER / f"{name}.json").write_text(text + "\n")
    print(f"{name}.json: {len(text) + 1:,} bytes")


def check(name, made):
    """Prints the differences between the file in the repository and the new results. Returns their number."""
    stored = json.loads((FOLDER / f"{name}.json").read_text())
    if stored.pop("madeBy") != (maker := made.pop("madeBy")):
        print(f"{name}.json: was made by a different version than {maker}")
    found = list(differences(stored, made, "", TOLERANCE))
    for place in found:
        print(f"{name}.json: {place}")
    print(f"{name}.json: {'differs' if found else 'matches PyTorch'}")
    return len(found)


def differences(stored, made, place, tolerance):
    if isinstance(made, dict) and "float64" in made:
        if not isinstance(stored, dict) or stored.get("shape") != made["shape"]:
            yield f"{place}: has a different shape"
        elif (error := distance(decode(stored), decode(made))) > tolerance:
            yield f"{place}: differs by {error:.1e}"
    elif isinstance(made, dict) and isinstance(stored, dict) and list(made) == list(stored):
        for key, value in made.items():
            allowed = COARSE_TOLERANCE if COARSE in key else tolerance
            yield from differences(stored[key], value, f"{place}.{key}", allowed)
    elif isinstance(made, list) and isinstance(stored, list) and len(made) == len(stored):
        for i, value in enumerate(made):
            yield from differences(stored[i], value, f"{place}[{i}]", tolerance)
    elif isinstance(made, float) and isinstance(stored, float):
        if not abs(stored - made) <= tolerance * max(1, abs(made)):
            yield f"{place}: is {stored}, should be {made}"
    elif made != stored:
        yield f"{place}: is {stored}, should be {made}"


def distance(stored, made):
    """The maximum difference of two arrays, relative to the maximum new number, or to 1. NaN counts as a large
    difference.
    """
    error = numpy.abs(stored - made).max(initial=0.0) / numpy.abs(made).max(initial=1.0)
    return math.inf if math.isnan(error) else float(error)


def decode(stored):
    return numpy.frombuffer(base64.b64decode(stored["float64"]), "<f8")


def pretty(value, indent=""):
    """JSON in which every tensor, and everything without a nested list, is on one line."""
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    is_tensor = isinstance(value, dict) and "shape" in value
    if is_tensor or not any(isinstance(part, (dict, list)) for part in parts):
        return json.dumps(value, allow_nan=False)
    inner = indent + " "
    lines = [pretty(part, inner) for part in parts]
    if isinstance(value, dict):
        lines = [f"{json.dumps(key)}: {line}" for key, line in zip(value, lines)]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{inner}" + f",\n{inner}".join(lines) + f"\n{indent}{closing}"
