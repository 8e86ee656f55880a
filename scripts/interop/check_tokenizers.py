"""Checks that Python computes nopeek's ids, and restores every text. See tokenizer-cases.ts, which writes the folder.

Each tokenizer is read by `tokenizers`, and by `transformers` as the tokenizer of a GPT-2 and of a Llama.
"""

import json
import sys
from pathlib import Path

import tokenizers
import transformers

END = "<|endoftext|>"


def check(folder: Path) -> int:
    facts = json.loads((folder / "cases.json").read_text())
    end, cases = facts["endOfText"], facts["cases"]
    start = [] if end is None else [end]
    plain = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    for case in cases:
        text, ids = case["text"], case["ids"]
        assert plain.encode(text, add_special_tokens=False).ids == ids, (folder.name, text)
        assert plain.decode(ids) == text, (folder.name, text)
    for model_type in ["gpt2", "llama", "gpt_neox", "qwen3"]:
        (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
        assert tokenizer.eos_token_id == tokenizer.pad_token_id == tokenizer.bos_token_id == end, folder.name
        assert set(tokenizer("a")) == {"input_ids", "attention_mask"}, folder.name
        for case in cases:
            text, ids = case["text"], case["ids"]
            assert tokenizer(text)["input_ids"] == start + ids, (folder.name, model_type, text)
            assert tokenizer(text, add_special_tokens=False)["input_ids"] == ids, (folder.name, model_type, text)
            for skip in [False, True]:
                assert tokenizer.decode(ids, skip_special_tokens=skip) == text, (folder.name, model_type, text)
        with_end = tokenizer(f"a{END}a", add_special_tokens=False)["input_ids"]
        assert (with_end[1] == end and len(with_end) == 3) == (end is not None), folder.name
        if end is not None:
            assert tokenizer.decode(with_end, skip_special_tokens=True) == "aa", folder.name
    if folder.name.startswith("char"):
        try:
            plain.encode("Z")
        except Exception as error:
            assert "outside the vocabulary" in str(error), error
        else:
            raise AssertionError("an unknown character was accepted")
    return len(cases)


if __name__ == "__main__":
    folders = sorted(path.parent for path in Path(sys.argv[1]).glob("*/cases.json"))
    assert folders, "no tokenizers: run tokenizer-cases.ts first"
    print(f"transformers {transformers.__version__}, tokenizers {tokenizers.__version__}")
    for folder in folders:
        print(f"{folder.name}: {check(folder)} texts")
