"""Opens exported models in llama.cpp and compares: see README.md for the folders and the claims.

    python check_gguf.py CASE…

Each model is loaded twice: with a float32 cache, which makes the numbers comparable, and with llama.cpp's defaults,
whose cache has float16.
"""

import json
import math
import sys
import urllib.request
from pathlib import Path

import gguf
import numpy as np
import xllamacpp

# Positions of each row whose probabilities are compared; each is a request.
POSITIONS = 24
# Of Unicode, to see that no text crashes the program or keeps it busy.
UNKNOWN = "é日😀\n\r\n\t\u0301\u200d\ufeff\U000e0001 \ud7ff\ue000\U0010ffff" * 20


class Model:
    def __init__(self, path: Path, exact: bool, context: int):
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = context
        params.n_parallel = 1
        params.cpuparams.n_threads = 1
        params.cpuparams_batch.n_threads = 1
        params.warmup = False
        params.ui = False
        params.port = 0
        params.timeout_read = 120
        if exact:
            params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
            params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.server = xllamacpp.Server(params)

    def ask(self, path: str, **body) -> dict:
        data = json.dumps(body).encode()
        url = f"{self.server.listening_address}/{path}"
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    def complete(self, ids: list[int], count: int, **options) -> dict:
        return self.ask("completion", prompt=ids, n_predict=count, temperature=0, **options)


def log_probabilities(model: Model, case: dict, ids: list[int]) -> np.ndarray:
    """Of each token after `ids`."""
    size = case["vocabSize"]
    # A byte that is no character would be answered without probabilities, so a whole one is forced. They do not change.
    forced = [[case["greedy"]["promptIds"][-1], 1e6]]
    answer = model.complete(ids, 1, n_probs=size, logit_bias=forced)
    found = np.full(size, -np.inf)
    for entry in answer["completion_probabilities"][0]["top_logprobs"]:
        found[entry["id"]] = entry["logprob"]
    return found


def at_positions(case: dict, compute) -> np.ndarray:
    """(compared positions, vocabulary): what `compute` returns for some positions of each row."""
    rows = case["rows"]
    step = max(1, len(rows[0]) // POSITIONS)
    return np.array([compute(i, row, t) for i, row in enumerate(rows) for t in range(0, len(row), step)])


def read_logits(path: Path, case: dict, dtype: str) -> np.ndarray:
    """The logarithms of nopeek's probabilities at the compared positions."""
    logits = np.fromfile(path, dtype).astype(np.float64).reshape(len(case["rows"]), -1, case["vocabSize"])
    logs = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    return at_positions(case, lambda i, _, t: logs[i, t])


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """The largest of a probability."""
    return float(np.abs(np.exp(a) - np.exp(b)).max())


def log_difference(a: np.ndarray, b: np.ndarray) -> float:
    """The largest of the logarithm of a probability that is at least 1e-4."""
    return float(np.abs(a - b)[b > math.log(1e-4)].max())


def greedy(model: Model, case: dict) -> int:
    """Differing tokens; an end token is the last of both."""
    ours = case["greedy"]
    answer = model.complete(ours["promptIds"], len(ours["ids"]), return_tokens=True, ignore_eos=case["endToken"] is None)
    theirs = answer["tokens"]
    if case["endToken"] is not None and answer["stop_type"] == "eos" and theirs[-1:] != [case["endToken"]]:
        theirs = [*theirs, case["endToken"]]
    differing = sum(a != b for a, b in zip(ours["ids"], theirs)) + abs(len(ours["ids"]) - len(theirs))
    return differing + (answer["content"] != ours["text"])


def gap_at_first_difference(half: Model, exact: Model, case: dict) -> float:
    """
    With the default cache, where greedy text first turns: how much more probable nopeek's token was than the other, as a
    difference of logarithms in single precision. 0 if all tokens are the same.
    """
    ours = case["greedy"]["ids"]
    theirs = half.complete(
        case["greedy"]["promptIds"], len(ours), return_tokens=True, ignore_eos=case["endToken"] is None
    )["tokens"]
    for at, (own, other) in enumerate(zip(ours, theirs)):
        if own != other:
            logs = log_probabilities(exact, case, case["greedy"]["promptIds"] + ours[:at])
            print(f"{case['name']}: token {at} of {len(ours)} differs", file=sys.stderr)
            return float(abs(logs[own] - logs[other]))
    return 0.0


def end_tokens(model: Model, case: dict, expected: int) -> int:
    """Ids that end a text in one program only. Each id is made certain, to see whether the text stops at it."""
    wrong = 0
    for token in range(case["vocabSize"]):
        answer = model.complete(case["greedy"]["promptIds"], 2, logit_bias=[[token, 1e6]])
        wrong += (answer["stop_type"] == "eos") != (token == expected)
    return wrong


def tokenizer(model: Model, case: dict) -> int:
    """Texts with other ids, or that do not come back; and whether the end token precedes a prompt as it should."""
    wrong = 0
    for sample in case["texts"]:
        ids = model.ask("tokenize", content=sample["text"], add_special=False)["tokens"]
        back = model.ask("detokenize", tokens=sample["ids"])["content"]
        wrong += ids != sample["ids"] or back != sample["text"]
    start = [] if case["endToken"] is None else [case["endToken"]]
    sample = case["texts"][0]
    wrong += model.ask("tokenize", content=sample["text"], add_special=True)["tokens"] != start + sample["ids"]
    model.ask("tokenize", content=UNKNOWN, add_special=False)
    return wrong


def end_of(path: Path, case: dict) -> int:
    """The end token of the file, which is the model's if it has one."""
    field = gguf.GGUFReader(path).fields["tokenizer.ggml.eos_token_id"]
    end = int(field.parts[field.data[0]][0])
    assert case["endToken"] in (None, end), f"{path} ends texts at {end}, the model at {case['endToken']}"
    return end


def main() -> None:
    for folder in map(Path, sys.argv[1:]):
        case = json.loads((folder / "case.json").read_text())
        (path,) = (folder / "gguf").glob("*.gguf")
        single = read_logits(folder / "logits.f32", case, "<f4")
        double = read_logits(folder / "logits.f64", case, "<f8")
        half_gelu = folder / "half-gelu.f64"
        its_double = read_logits(half_gelu, case, "<f8") if half_gelu.exists() else double
        exact = Model(path, True, case["contextLength"])
        theirs = at_positions(case, lambda _, row, t: log_probabilities(exact, case, row[: t + 1]))
        report(case, "probability", difference(theirs, single))
        report(case, "rounding of llama.cpp", difference(theirs, its_double))
        report(case, "rounding of nopeek", difference(single, double))
        report(case, "log probability", log_difference(theirs, single))
        report(case, "greedy", greedy(exact, case))
        half = Model(path, False, case["contextLength"])
        halves = at_positions(case, lambda _, row, t: log_probabilities(half, case, row[: t + 1]))
        report(case, "half cache", log_difference(halves, single))
        report(case, "half cache gap", gap_at_first_difference(half, exact, case))
        report(case, "end tokens", end_tokens(half, case, end_of(path, case)))
        report(case, "tokenizer", tokenizer(half, case))


def report(case: dict, claim: str, measured: float) -> None:
    print(json.dumps({"case": case["name"], "claim": claim, "measured": measured}), flush=True)


if __name__ == "__main__":
    main()
