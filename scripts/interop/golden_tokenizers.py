"""Writes test/text/huggingface/golden.json: what Hugging Face's Rust library computes with small tokenizers.

    scripts/interop/venv/bin/python scripts/interop/golden_tokenizers.py
"""

import json
import pathlib

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TEXTS = [
    "The cat sat on the mat, didn't it?  It's 2023, 12345 and ²³ ٣.",
    " leading and trailing ",
    "tabs\tand\r\nlines\n\n\n  indented\n\tmore \u0085 \ufeff x",
    "naïve café Ünïcödé 日本語 한국어 عربى 😀👩‍👩‍👧 e\u0301",
    "",
    "<|end|>the<|end|><|end|> cat <|endof",
    "\u00a0nbsp\u2003em\u200b zero",
    "THE CAT'S HE'LL x'S",
]
CORPUS = [text * 3 for text in TEXTS] + ["the cat and the dog sat on the mat and the hat. " * 20]
ROOT = pathlib.Path(__file__).parents[2]
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def byte_level(pre_tokenizer, normalizer=None):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|end|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def sentencepiece():
    """As Llama 2: spaces are written as U+2581, and unknown characters as bytes."""
    alphabet = [f"<0x{byte:02X}>" for byte in range(256)]
    letters = sorted(set("▁thecaonmdsi.,'"))
    merges = [("t", "h"), ("th", "e"), ("▁", "the"), ("a", "t"), ("▁", "c"), ("▁c", "at"), ("▁", "▁")]
    words = ["<unk>", "<s>", "<|end|>", *alphabet, *letters, *(a + b for a, b in merges)]
    vocab = {word: i for i, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.add_special_tokens(["<unk>", "<s>", "<|end|>"])
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


split = pre_tokenizers.Split
from tokenizers import Regex  # noqa: E402

TOKENIZERS = {
    "GPT-2": byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "GPT-2 with a prefix": byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True)),
    "SmolLM": byte_level(
        pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    ),
    "Llama 3": byte_level(
        pre_tokenizers.Sequence(
            [
                split(Regex(LLAMA3), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        ),
        normalizers.NFC(),
    ),
    "words": byte_level(
        pre_tokenizers.Sequence(
            [
                pre_tokenizers.WhitespaceSplit(),
                pre_tokenizers.Digits(individual_digits=False),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    ),
    "Llama 2": sentencepiece(),
}

cases = []
for name, tokenizer in TOKENIZERS.items():
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
    texts = [tokenizer.decode(each, skip_special_tokens=False) for each in ids]
    definition = json.loads(tokenizer.to_str())
    cases.append({"name": name, "definition": json.dumps(definition, ensure_ascii=True), "ids": ids, "texts": texts})
golden = ROOT / "test/text/huggingface/golden.json"
golden.write_text(json.dumps({"texts": TEXTS, "cases": cases}, separators=(",", ":"), ensure_ascii=True) + "\n")
print(golden, golden.stat().st_size)
