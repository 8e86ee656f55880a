"""Compares `nopeek import` with transformers: logits, and 200 greedy tokens.

    python check_import.py FOLDER…

A FOLDER that is missing gets a random model of the class after which it is named (see ../golden/imported_models.py):
gpt2 in float16, llama in bfloat16 and several files, the others in float32. A folder that holds a model, such as the
one that smollm2.py writes, is compared as it is.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch
import transformers

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "golden"))
from imported_models import VOCABULARY, models, randomize  # noqa: E402

CONTEXT = 320
PROMPT = 8
GREEDY = 200
DTYPES = {"gpt2": torch.float16, "llama": torch.bfloat16}


def write_model(folder: Path) -> None:
    model = randomize(models(4, CONTEXT)[folder.name], 0.15).to(DTYPES.get(folder.name, torch.float32))
    model.save_pretrained(folder, max_shard_size="60KB" if folder.name == "llama" else "1GB")
    (folder / "tokenizer.json").write_text(json.dumps({"kind": "char", "characters": VOCABULARY}))


def expect(folder: Path) -> tuple[list[int], torch.Tensor]:
    """A prompt with greedy text after it, and the logits for all of it."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.randint(0, model.config.vocab_size, (1, PROMPT))
    with torch.no_grad():
        for _ in range(GREEDY):
            ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], 1)
        return ids[0].tolist(), model(ids).logits[0]


def check(folder: Path) -> None:
    torch.manual_seed(len(folder.name))
    if not (folder / "config.json").exists():
        write_model(folder)
    ids, logits = expect(folder)
    question = folder.parent / f"{folder.name}.json"
    question.write_text(json.dumps({"ids": ids, "prompt": PROMPT}))
    command = ["node", "--import", "tsx", str(HERE / "answer-import.ts"), str(folder), str(question)]
    subprocess.run(command, check=True, cwd=HERE.parent.parent, env={**os.environ, "NODE_NO_WARNINGS": "1"})
    answer = json.loads(question.read_text())
    found = torch.frombuffer(bytearray(question.with_suffix(".bin").read_bytes()), dtype=torch.float32)
    difference = (found.view_as(logits) - logits).abs().max() / max(1, logits.abs().max())
    report(folder, "logits", difference.item())
    report(folder, "greedy", sum(a != b for a, b in zip(answer["ids"], ids, strict=True)))


def report(folder: Path, claim: str, measured: float) -> None:
    print(json.dumps({"case": folder.name, "claim": claim, "measured": measured}), flush=True)


if __name__ == "__main__":
    # More would wait for each other: the models are small.
    torch.set_num_threads(1)
    for argument in map(Path, sys.argv[1:]):
        check(argument)
