"""How golden files are written, and compared with those in the repository.

A tensor is {"shape": [...], "float64": "..."}: its numbers in row-major order, little-endian, as base64. What is
drawn is exact in single precision and kept as "float32".
"""

import base64
import json
import math
from pathlib import Path

import numpy
import torch

FOLDER = Path(__file__).resolve().parents[3] / "test" / "golden" / "pytorch"

# A number may differ by this much of the largest in its tensor, or of 1 where all are smaller.
TOLERANCE = 1e-12
# What is named so was computed in bfloat16, whose sums differ from one processor to the next.
COARSE, COARSE_TOLERANCE = "Bfloat16", 1e-3


def drawn(tensor):
    """A tensor that tests start from. It loses nothing in single precision."""
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
    """Prints where the file in the repository differs from what was made now. Returns how many places do."""
    stored = json.loads((FOLDER / f"{name}.json").read_text())
    if stored.pop("madeBy") != (maker := made.pop("madeBy")):
        print(f"{name}.json: was made by another version than this {maker}")
    found = list(differences(stored, made, "", TOLERANCE))
    for place in found:
        print(f"{name}.json: {place}")
    print(f"{name}.json: {'differs' if found else 'is what PyTorch gives'}")
    return len(found)


def differences(stored, made, place, tolerance):
    if isinstance(made, dict) and "float64" in made:
        if not isinstance(stored, dict) or stored.get("shape") != made["shape"]:
            yield f"{place}: has another shape"
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
    """The greatest difference of two arrays, as a share of the greatest number made, or of 1. NaN is far off."""
    error = numpy.abs(stored - made).max(initial=0.0) / numpy.abs(made).max(initial=1.0)
    return math.inf if math.isnan(error) else float(error)


def decode(stored):
    return numpy.frombuffer(base64.b64decode(stored["float64"]), "<f8")


def pretty(value, indent=""):
    """JSON in which what holds no list of its own, and every tensor, stands on one line."""
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
