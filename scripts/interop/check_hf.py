"""Opens the folders that `nopeek export --format hf` wrote in transformers, and compares. README.md says how it is called."""
import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()


def difference(model, case, folder):
    """The largest difference of a logit, relative to the largest logit."""
    rows = torch.tensor(case["rows"])
    ours = np.fromfile(folder / "logits.f32", dtype="<f4").reshape(*rows.shape, case["vocabSize"])
    with torch.no_grad():
        theirs = model(rows).logits.float().numpy()
    return float(np.abs(theirs - ours).max() / max(1.0, np.abs(ours).max()))


def generated(model, prompt, count, **options):
    """The ids that follow the prompt. Without an end token, nothing pads: one row is generated."""
    ids = torch.tensor([prompt])
    with torch.no_grad():
        whole = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False, **options
        )
    return whole[0].tolist()[len(prompt) :]


def different(ours, theirs):
    """How many ids differ; those that one side lacks count too."""
    return sum(a != b for a, b in zip(ours, theirs)) + abs(len(ours) - len(theirs))


def wrong_texts(tokenizer, case):
    """The number of texts with other ids, or that do not come back."""
    greedy = case["greedy"]
    wrong = int(tokenizer(greedy["prompt"], add_special_tokens=False)["input_ids"] != greedy["promptIds"])
    wrong += int(tokenizer.decode(greedy["ids"], skip_special_tokens=True) != greedy["text"])
    for each in case["texts"]:
        ids = tokenizer(each["text"], add_special_tokens=False)["input_ids"]
        wrong += int(ids != each["ids"] or tokenizer.decode(each["ids"]) != each["text"])
    return wrong


def check(folder):
    case = json.loads((folder / "case.json").read_text())
    model = AutoModelForCausalLM.from_pretrained(folder / "hf")
    model.eval()
    tokenizer = AutoTokenizer.from_pretrained(folder / "hf")
    greedy, beam = case["greedy"], case["beam"]

    def claim(name, measured):
        print(json.dumps({"case": case["name"], "claim": name, "measured": measured}), flush=True)

    print(f"{case['name']}: {type(model).__name__}", file=sys.stderr)
    claim("logits", difference(model, case, folder))
    claim("greedy", different(greedy["ids"], generated(model, greedy["promptIds"], len(greedy["ids"]))))
    # nopeek adds log probabilities without dividing by the length, and stops when no beam can become better.
    found = generated(
        model, beam["promptIds"], beam["tokens"], num_beams=beam["beams"], length_penalty=0.0, early_stopping=False
    )
    claim("beam", different(beam["ids"], found))
    claim("tokenizer", wrong_texts(tokenizer, case))


for argument in sys.argv[1:]:
    check(Path(argument))
