"""Checks exported ONNX models with ONNX's checker and onnxruntime. See README.md for cases and claims.

    python check_onnx.py CASE…
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime


class Decoder:
    """A session and its cache, for a batch of rows that are padded on the left."""

    def __init__(self, path: Path):
        onnx.checker.check_model(str(path), full_check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.outputs = [output.name for output in self.session.get_outputs()]

    def start(self, batch_size: int) -> None:
        self.mask = np.zeros((batch_size, 0), np.int64)
        self.cache = {
            port.name: np.zeros((batch_size, port.shape[1], 0, port.shape[3]), np.float32)
            for port in self.session.get_inputs()
            if port.name.startswith("past_key_values.")
        }

    def step(self, ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Logits for columns of ids; mask is 0 at padding, as are the positions that transformers would pass."""
        self.mask = np.concatenate([self.mask, mask], axis=1)
        positions = np.where(self.mask == 1, np.cumsum(self.mask, axis=1) - 1, 1)[:, -ids.shape[1] :]
        inputs = {"input_ids": ids, "attention_mask": self.mask, "position_ids": positions, **self.cache}
        results = dict(zip(self.outputs, self.session.run(None, inputs)))
        logits = results.pop("logits")
        self.cache = {name.replace("present", "past_key_values"): value for name, value in results.items()}
        return logits

    def logits(self, ids: np.ndarray, mask: np.ndarray, passes: list[int]) -> np.ndarray:
        """Logits for all columns, computed in passes of these numbers of columns."""
        self.start(len(ids))
        ends = np.cumsum(passes)
        parts = [slice(end - count, end) for end, count in zip(ends, passes)]
        return np.concatenate([self.step(ids[:, part], mask[:, part]) for part in parts], axis=1)


def difference(actual: np.ndarray, expected: np.ndarray) -> float:
    """max |Δlogit| / max(1, max |logit|)"""
    return float(np.abs(actual - expected).max() / max(1.0, np.abs(expected).max()))


def chunks(length: int) -> list[int]:
    """A first pass of half the columns, then one column, then the rest."""
    first = max(1, length // 2)
    return [count for count in (first, min(1, length - first), length - first - 1) if count > 0]


def padded_difference(decoder: Decoder, rows: np.ndarray, expected: np.ndarray) -> float:
    """The first part of each row behind padding on the left: as long as the row, half as long, a third, …"""
    count, length = rows.shape
    ids = np.zeros_like(rows)
    mask = np.zeros_like(rows)
    lengths = [max(1, length // (b + 1)) for b in range(count)]
    for b, kept in enumerate(lengths):
        ids[b, length - kept :] = rows[b, :kept]
        mask[b, length - kept :] = 1
    worst = 0.0
    for passes in ([length], chunks(length)):
        logits = decoder.logits(ids, mask, passes)
        if not np.isfinite(logits).all():
            return float("nan")
        for b, kept in enumerate(lengths):
            worst = max(worst, difference(logits[b, length - kept :], expected[b, :kept]))
    return worst


def greedy_difference(decoder: Decoder, greedy: dict) -> int:
    """The number of tokens that differ when each step takes the best token."""
    decoder.start(1)
    ids = [greedy["promptIds"]]
    wrong = 0
    for wanted in greedy["ids"]:
        logits = decoder.step(np.array(ids, np.int64), np.ones((1, len(ids[0])), np.int64))
        best = int(logits[0, -1].argmax())
        wrong += best != wanted
        ids = [[best]]
    return wrong


def check(folder: Path) -> None:
    case = json.loads((folder / "case.json").read_text())
    rows = np.array(case["rows"], np.int64)
    expected = np.fromfile(folder / "logits.f32", "<f4").reshape(*rows.shape, case["vocabSize"])
    decoder = Decoder(folder / "onnx" / "onnx" / "model.onnx")
    ones = np.ones_like(rows)
    length = rows.shape[1]
    cached = [decoder.logits(rows, ones, passes) for passes in ([1] * length, chunks(length))]
    measured = {
        "whole": difference(decoder.logits(rows, ones, [length]), expected),
        "cached": max(difference(logits, expected) for logits in cached),
        "padded": padded_difference(decoder, rows, expected),
        "greedy": greedy_difference(decoder, case["greedy"]),
    }
    for claim, value in measured.items():
        print(json.dumps({"case": case["name"], "claim": claim, "measured": value}), flush=True)


for argument in sys.argv[1:]:
    check(Path(argument))
