"""Single ops over random shapes: the output, and the gradient of every input for a random output gradient."""

import torch
import torch.nn.functional as F

from draws import Draws
from model import IGNORED, attend, causal
from store import computed, drawn

SEED = "ops 1"


def make():
    cases = [*elementwise(), *reductions(), *rows(), *tables(), *products(), *attentions(), *windows()]
    return {"seed": SEED, "cases": cases}


def case(op, options, inputs, run):
    """One op, run forward and backward. `options` describes in nopeek's terms what `run` does to the inputs."""
    inputs = [tensor.requires_grad_() for tensor in inputs]
    y = run(*inputs)
    dy = Draws(f"{SEED} dy {op} {options} {[tuple(x.shape) for x in inputs]}").tensor(*y.shape)
    gradients = torch.autograd.grad(y, inputs, dy)
    return {
        "op": op,
        "options": options,
        "inputs": [drawn(x) for x in inputs],
        "output": computed(y),
        "outputGradient": drawn(dy),
        "gradients": [computed(g) for g in gradients],
    }


def random_shape(draws, axes):
    return [draws.choice([2, 3, 5]) for _ in range(axes)]


def elementwise():
    unary = {
        "exp": torch.exp,
        "tanh": torch.tanh,
        "relu": F.relu,
        "gelu": F.gelu,
        "geluTanh": lambda x: F.gelu(x, approximate="tanh"),
    }
    for name, run in unary.items():
        # Near 0, around 1, and far into the tails.
        for deviation in (0.01, 1.0, 4.0):
            draws = Draws(f"{SEED} {name} {deviation}")
            yield case(name, {}, [draws.tensor(31, deviation=deviation)], run)
    for name, run in {"log": torch.log, "sqrt": torch.sqrt}.items():
        positive = Draws(f"{SEED} {name}").tensor(31).abs() + 1 / 4096
        yield case(name, {}, [positive], run)
    binary = {"add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div}
    for name, run in binary.items():
        draws = Draws(f"{SEED} {name}")
        for left, right in broadcast_shapes(draws):
            a, b = draws.tensor(*left), draws.tensor(*right)
            # Keeps the divisor well away from 0.
            yield case(name, {}, [a, b + torch.sign(b + 1 / 8192) if name == "divide" else b], run)


def broadcast_shapes(draws):
    """Two random pairs of shapes that broadcast: the right one has fewer leading axes, or axes of 1."""
    shape = random_shape(draws, 3)
    dropped = draws.between(1, 2)
    yield shape, shape[dropped:]
    left, right = list(shape), list(shape)
    left[draws.between(0, 1)], right[2] = 1, 1
    yield left, right


def reductions():
    for name, run in {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}.items():
        draws = Draws(f"{SEED} {name}")
        for axis in range(3):
            yield case(name, {"axis": axis}, [draws.tensor(*random_shape(draws, 3))], lambda x: run(x, axis))


def rows():
    for name, run in {"softmax": F.softmax, "logSoftmax": F.log_softmax}.items():
        for axes in (1, 2, 3):
            draws = Draws(f"{SEED} {name} {axes}")
            x = draws.tensor(*random_shape(draws, axes), deviation=3.0)
            yield case(name, {}, [x], lambda x: run(x, -1))
    draws = Draws(f"{SEED} causal softmax")
    for queries, keys in [(5, 5), (3, 7), (1, 5)]:
        visible = causal(queries, keys)
        x = draws.tensor(2, queries, keys, deviation=2.0)
        yield case("causalSoftmax", {}, [x], lambda x: F.softmax(x.masked_fill(~visible, -torch.inf), -1))
    for kept in (0, 1, 2):
        for epsilon in (1e-5, 0.125):
            draws = Draws(f"{SEED} layerNorm {kept} {epsilon}")
            shape = random_shape(draws, draws.between(1, 3))
            affine = [draws.tensor(shape[-1]) for _ in range(kept)]
            x = draws.tensor(*shape, deviation=0.5, center=2.0)
            run = lambda x, *affine: F.layer_norm(x, x.shape[-1:], *affine, eps=epsilon)
            yield case("layerNorm", {"epsilon": epsilon}, [x, *affine], run)


def tables():
    for shape in ([11], [3, 5]):
        draws = Draws(f"{SEED} embedding {shape}")
        # More ids than rows, so some rows are looked up twice. Rows that are not looked up have gradient 0.
        ids = torch.tensor(draws.ids(torch.Size(shape).numel(), 7)).reshape(shape)
        options = {"ids": ids.flatten().tolist(), "shape": shape}
        yield case("embedding", options, [draws.tensor(7, 3)], lambda table: F.embedding(ids, table))
    for ignored in (0.0, 0.5):
        draws = Draws(f"{SEED} crossEntropy {ignored}")
        vocabulary = draws.choice([5, 11])
        # The first target always counts, because PyTorch's mean over no targets is NaN.
        targets = draws.ids(14, vocabulary)
        targets = [targets[0], *(IGNORED if draws.chance(ignored) else target for target in targets[1:])]
        yield case(
            "crossEntropy",
            {"targets": targets},
            [draws.tensor(2, 7, vocabulary, deviation=2.0)],
            lambda x: F.cross_entropy(x.flatten(0, 1), torch.tensor(targets), ignore_index=IGNORED),
        )


def products():
    draws = Draws(f"{SEED} matmul")
    rows, inner, columns, batch, group = draws.choice([3, 13]), 5, draws.choice([2, 7]), 2, 3
    for left, right in [
        ([], []),
        ([batch], [batch]),
        ([batch], []),
        ([], [batch]),
        ([batch, 1], [group]),
        ([1, group], [batch, 1]),
        ([batch, group], [batch, group]),
    ]:
        a, b = draws.tensor(*left, rows, inner), draws.tensor(*right, inner, columns)
        yield case("matmul", {}, [a, b], torch.matmul)
    for layout in ("in-out", "out-in"):
        for bias in (False, True):
            draws = Draws(f"{SEED} linear {layout} {bias}")
            weight = draws.tensor(*([5, 7] if layout == "in-out" else [7, 5]))
            inputs = [draws.tensor(2, 3, 5), weight, *([draws.tensor(7)] if bias else [])]
            turn = torch.t if layout == "in-out" else torch.clone
            yield case("linear", {"layout": layout}, inputs, lambda x, w, *b: F.linear(x, turn(w), *b))


def draw_attention(draws):
    """Sizes of one attention: batch, heads, channels."""
    heads = draws.choice([1, 2, 3])
    return draws.choice([1, 2, 3]), heads, heads * draws.choice([1, 2, 3])


def operands(draws, batch, queries, keys, channels):
    return [draws.tensor(batch, positions, channels) for positions in (queries, keys, keys)]


def attentions():
    sizes = {"causal": [(7, 7), (3, 5), (1, 7), (1, 1)], "none": [(5, 5), (3, 7), (7, 2)]}
    for mask, queries, keys in [(mask, *size) for mask in sizes for size in sizes[mask]]:
        draws = Draws(f"{SEED} attention {mask} {queries} {keys}")
        batch, heads, channels = draw_attention(draws)
        inputs = operands(draws, batch, queries, keys, channels)
        if mask == "none":
            how = {}
        elif queries == keys:
            how = {"is_causal": True}
        else:
            # With PyTorch's flag, the first query sees the first key. Here the queries are the last of the positions.
            how = {"visible": causal(queries, keys)[None, None]}
        options = {"heads": heads, "mask": mask}
        yield case("attention", options, inputs, lambda q, k, v: attend(q, k, v, heads, **how))


def windows():
    """Attention in which every sequence has a range of keys (src/ops/internal/key-window.ts)."""
    kinds = ("left padding", "right padding", "causal, left padding", "causal, right padding", "any", "nothing")
    for kind in kinds:
        for queries, keys in [(5, 5), (3, 7)]:
            draws = Draws(f"{SEED} windows {kind} {queries} {keys}")
            batch, (_, heads, channels) = 3, draw_attention(draws)
            found = [draw_window(draws, kind, queries, keys) for _ in range(batch)]
            visible = torch.stack([matrix_of(window, queries, keys) for window in found]).unsqueeze(1)
            as_text = [rows_of(matrix) for matrix in visible[:, 0]]
            options = {"heads": heads, "kind": kind, "windows": found, "visible": as_text}
            inputs = operands(draws, batch, queries, keys, channels)
            yield case("windowedAttention", options, inputs, lambda q, k, v: attend(q, k, v, heads, visible))


def draw_window(draws, kind, queries, keys):
    diagonal = keys - queries if kind.startswith("causal") else keys
    if kind.endswith("left padding"):
        return {"from": draws.between(0, keys - 1), "end": keys, "diagonal": diagonal}
    if kind.endswith("right padding"):
        return {"from": 0, "end": draws.between(1, keys), "diagonal": diagonal}
    if kind == "nothing":
        start = draws.between(0, keys)
        return {"from": start, "end": draws.choice([start, keys]), "diagonal": start - queries}
    start, end = draws.between(0, keys), draws.between(0, keys)
    return {"from": start, "end": end, "diagonal": draws.between(-queries, keys)}


def rows_of(matrix):
    """A boolean matrix as text: "00110" for each row."""
    return ["".join(map(str, row)) for row in matrix.int().tolist()]


def matrix_of(window, queries, keys):
    """The key range as a boolean matrix (T, S), from its definition: from ≤ s < min(end, diagonal + t + 1)."""
    t, s = torch.arange(queries).unsqueeze(1), torch.arange(keys)
    return (s >= window["from"]) & (s < window["end"]) & (s <= window["diagonal"] + t)
