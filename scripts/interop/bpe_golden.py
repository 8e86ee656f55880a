"""Writes test/golden/bpe.json: merges and ids of Hugging Face's tokenizers, to compare nopeek's byte-pair encoding with.

  python scripts/interop/bpe_golden.py > test/golden/bpe.json     (needs the package "tokenizers")
"""

import json
import sys
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
import tokenizers

TALES = Path(__file__).parents[2].joinpath("data/tales.txt")
LENGTH = 60_000
MORE = "déjà vu, naïve — 日本語 日本 😀😀\n" * 20
TEXT = TALES.read_text(encoding="utf-8")[:LENGTH] + MORE
VOCAB_SIZE = 600
# The words are split before training, because the split is nopeek's own.
SPLIT = Regex(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
# A character for each byte, in the order of the bytes: so the library breaks ties as nopeek does, by the smaller ids.
ALPHABET = [chr(0x4E00 + byte) for byte in range(256)]
CASES = [
    "Once upon a time, there was a fox's den.",
    "  two  spaces\n\n\tand a tab ",
    "déjà vu 日本語 😀😀😀 \u0301 \ufffd",
    "I'll we've they're it's don't I'm he'd 'tis",
    "1234567 3.14 x=y+1; // ___---***",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "",
]


def characters(data: bytes) -> str:
    return "".join(ALPHABET[byte] for byte in data)


def train() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Split("\n", "removed")
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE, min_frequency=2, initial_alphabet=ALPHABET, show_progress=False
    )
    split = pre_tokenizers.Split(SPLIT, "isolated")
    words = (word for word, _ in split.pre_tokenize_str(TEXT))
    tokenizer.train_from_iterator("\n".join(characters(word.encode()) for word in words).splitlines(), trainer)
    return tokenizer


def merges_of(tokenizer: Tokenizer) -> list[list[int]]:
    """Pairs of ids. The ids of the library are those of the characters and then those of the merges."""
    saved = json.loads(tokenizer.to_str())["model"]
    return [[saved["vocab"][first], saved["vocab"][second]] for first, second in saved["merges"]]


def byte_level(merges: list[list[int]]) -> Tokenizer:
    """GPT-2's tokenizer with these merges. It writes a byte as a printable character."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    names = {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}
    tokens = [names[byte] for byte in range(256)]
    pairs = []
    for first, second in merges:
        pairs.append((tokens[first], tokens[second]))
        tokens.append(tokens[first] + tokens[second])
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def main() -> None:
    merges = merges_of(train())
    tokenizer = byte_level(merges)
    cases = [{"text": text, "ids": tokenizer.encode(text).ids} for text in [*CASES, TEXT[50_000:52_000]]]
    golden = {"tokenizers": tokenizers.__version__, "length": LENGTH, "more": MORE, "merges": merges, "cases": cases}
    json.dump(golden, sys.stdout, separators=(",", ":"), ensure_ascii=True)
    print()


main()
