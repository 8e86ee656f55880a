"""Opens the folders of encoder–decoders that `nopeek export --format hf` wrote in transformers, and compares."""
import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()


def difference(model, case, folder):
    """The largest difference of a logit, relative to the largest logit. nopeek does not score [start], the last token."""
    sources, inputs = torch.tensor(case["sources"]), torch.tensor(case["inputs"])
    ours = np.fromfile(folder / "logits.f32", dtype="<f4").reshape(*inputs.shape, case["scores"])
    with torch.no_grad():
        theirs = model(input_ids=sources, decoder_input_ids=inputs).logits.float().numpy()
    if theirs.shape[-1] != case["scores"] + 1:
        return float("nan")
    return float(np.abs(theirs[..., :-1] - ours).max() / max(1.0, np.abs(ours).max()))


def answers(model, tokenizer, case):
    """The ids of all answers, from one padded batch: without [start], and without what follows [end]."""
    batch = tokenizer([each["source"] for each in case["questions"]], padding=True, return_tensors="pt")
    with torch.no_grad():
        rows = model.generate(batch.input_ids, attention_mask=batch.attention_mask, do_sample=False).tolist()
    return [row[1 : row.index(end) + 1] if end in row else row[1:] for row in rows for end in [model.config.eos_token_id]]


def different(ours, theirs):
    """How many ids differ; those that one side lacks count too."""
    return sum(a != b for a, b in zip(ours, theirs)) + abs(len(ours) - len(theirs))


def wrong_texts(tokenizer, question):
    """How many of a question and its answer have other ids or text."""
    wrong = int(tokenizer(question["source"])["input_ids"] != question["sourceIds"])
    return wrong + int(tokenizer.decode(question["ids"], skip_special_tokens=True) != question["text"])


def check(folder):
    case = json.loads((folder / "case.json").read_text())
    model = AutoModelForSeq2SeqLM.from_pretrained(folder / "hf")
    model.eval()
    tokenizer = AutoTokenizer.from_pretrained(folder / "hf")

    def claim(name, measured):
        print(json.dumps({"case": case["name"], "claim": name, "measured": measured}), flush=True)

    print(f"{case['name']}: {type(model).__name__}", file=sys.stderr)
    claim("logits", difference(model, case, folder))
    found = answers(model, tokenizer, case)
    claim("greedy", sum(different(each["ids"], ids) for each, ids in zip(case["questions"], found, strict=True)))
    claim("tokenizer", sum(wrong_texts(tokenizer, each) for each in case["questions"]))


for argument in sys.argv[1:]:
    check(Path(argument))
