"""Checks that Python computes nopeek's ids, and restores every text. See tokenizer-cases.ts, which writes the folders.

    python check_tokenizers.py FOLDER…

Each tokenizer is read by `tokenizers`, and by `transformers` as the tokenizer of four kinds of model.
"""

import json
import sys
from pathlib import Path

import tokenizers
import transformers

END = "<|endoftext|>"
MODEL_TYPES = ["gpt2", "llama", "gpt_neox", "qwen3"]


def wrong_in_tokenizers(tokenizer: tokenizers.Tokenizer, cases: list[dict]) -> int:
    return sum(
        tokenizer.encode(case["text"], add_special_tokens=False).ids != case["ids"]
        or tokenizer.decode(case["ids"]) != case["text"]
        for case in cases
    )


def wrong_in_transformers(tokenizer, start: list[int], cases: list[dict]) -> int:
    return sum(
        tokenizer(case["text"])["input_ids"] != start + case["ids"]
        or tokenizer(case["text"], add_special_tokens=False)["input_ids"] != case["ids"]
        or any(tokenizer.decode(case["ids"], skip_special_tokens=skip) != case["text"] for skip in [False, True])
        for case in cases
    )


def wrong_ends(tokenizer, end: int | None) -> int:
    """Whether the end token is another, is not found in a text, or is not left out of one."""
    if not tokenizer.eos_token_id == tokenizer.pad_token_id == tokenizer.bos_token_id == end:
        return 1
    ids = tokenizer(f"a{END}a", add_special_tokens=False)["input_ids"]
    if end is None:
        return int(len(ids) == 3)
    return int(ids[1:-1] != [end] or tokenizer.decode(ids, skip_special_tokens=True) != "aa")


def accepts_unknown(tokenizer: tokenizers.Tokenizer) -> bool:
    """Whether a character outside the vocabulary is no error, or one that does not say so."""
    try:
        tokenizer.encode("Z")
    except Exception as error:
        return "outside the vocabulary" not in str(error)
    return True


def check(folder: Path) -> int:
    facts = json.loads((folder / "cases.json").read_text())
    end, cases = facts["endOfText"], facts["cases"]
    plain = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    wrong = wrong_in_tokenizers(plain, cases)
    wrong += facts["kind"] == "char" and accepts_unknown(plain)
    for model_type in MODEL_TYPES:
        (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
        wrong += wrong_in_transformers(tokenizer, [] if end is None else [end], cases) + wrong_ends(tokenizer, end)
        wrong += set(tokenizer("a")) != {"input_ids", "attention_mask"}
    return wrong


if __name__ == "__main__":
    for argument in map(Path, sys.argv[1:]):
        print(json.dumps({"case": argument.name, "claim": "tokenizer", "measured": check(argument)}), flush=True)
