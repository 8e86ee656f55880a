"""Opens exported models in llama.cpp and compares: see README.md for the folders and the claims.

    python check_gguf.py CASE…

Each model is loaded twice: with a float32 cache, which makes the numbers comparable, and with llama.cpp's defaults,
whose cache has float16.
"""

import json
import math
import struct
import sys
import urllib.request
from pathlib import Path

import gguf
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


def probability(model: Model, case: dict, logits: list[float]) -> tuple[float, float]:
    """The largest difference of a probability, and of the logarithm of one that is at least 1e-4."""
    worst, worst_log = 0.0, 0.0
    size, rows = case["vocabSize"], case["rows"]
    # A byte that is no character would be answered without probabilities, so a whole one is forced. They do not change.
    forced = [[case["greedy"]["promptIds"][-1], 1e6]]
    for i, row in enumerate(rows):
        for position in range(0, len(row), max(1, len(row) // POSITIONS)):
            answer = model.complete(row[: position + 1], 1, n_probs=size, logit_bias=forced)
            found = {entry["id"]: entry["logprob"] for entry in answer["completion_probabilities"][0]["top_logprobs"]}
            start = (i * len(row) + position) * size
            ours = logits[start : start + size]
            total = max(ours) + math.log(sum(math.exp(x - max(ours)) for x in ours))
            for token, logit in enumerate(ours):
                log = logit - total
                theirs = found.get(token, -math.inf)
                worst = max(worst, abs(math.exp(theirs) - math.exp(log)))
                if log > math.log(1e-4):
                    worst_log = max(worst_log, abs(theirs - log))
    return worst, worst_log


def greedy(model: Model, case: dict) -> int:
    """Differing tokens; an end token is the last of both."""
    ours = case["greedy"]
    answer = model.complete(ours["promptIds"], len(ours["ids"]), return_tokens=True, ignore_eos=case["endToken"] is None)
    theirs = answer["tokens"]
    if case["endToken"] is not None and answer["stop_type"] == "eos" and theirs[-1:] != [case["endToken"]]:
        theirs = [*theirs, case["endToken"]]
    differing = sum(a != b for a, b in zip(ours["ids"], theirs)) + abs(len(ours["ids"]) - len(theirs))
    return differing + (answer["content"] != ours["text"])


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
        data = (folder / "logits.f32").read_bytes()
        logits = struct.unpack(f"<{len(data) // 4}f", data)
        (path,) = (folder / "gguf").glob("*.gguf")
        exact = Model(path, True, case["contextLength"])
        worst, worst_log = probability(exact, case, logits)
        report(case, "probability", worst)
        report(case, "log probability", worst_log)
        report(case, "greedy", greedy(exact, case))
        model = Model(path, False, case["contextLength"])
        report(case, "half cache", probability(model, case, logits)[1])
        report(case, "end tokens", end_tokens(model, case, end_of(path, case)))
        report(case, "tokenizer", tokenizer(model, case))


def report(case: dict, claim: str, measured: float) -> None:
    print(json.dumps({"case": case["name"], "claim": claim, "measured": measured}), flush=True)


if __name__ == "__main__":
    main()
