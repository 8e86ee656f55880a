"""nanoGPT's recipe for a CPU in PyTorch, trained until a loss is reached. Speaks protocol.js.

The model is the one in pytorch.py. Initialization, batches, learning rates and decay are those of nanoGPT's train.py
with its settings for tiny Shakespeare on a CPU (https://github.com/karpathy/nanoGPT).
"""

import math
import time

import torch
import torch.nn.functional as F
from pytorch import GPT, serve
from torch import nn


def initialize(gpt, layers):
    for module in gpt.modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
    for block in gpt.blocks:
        for last in (block.output, block.down):
            nn.init.normal_(last.weight, std=0.02 / math.sqrt(2 * layers))


def rate_at(step, optimizer, steps):
    most, least, warmup = optimizer["learningRate"], optimizer["minLearningRate"], optimizer["warmupSteps"]
    if step < warmup:
        return most * (step + 1) / (warmup + 1)
    share = (step - warmup) / (steps - warmup)
    return least + 0.5 * (1 + math.cos(math.pi * share)) * (most - least)


@torch.inference_mode()
def measure(gpt, ids, start, context):
    """The mean loss of all tokens from `start` on, each predicted once, in disjoint windows."""
    inputs, targets = ids[start - 1 : -1], ids[start:]
    whole = len(targets) // context * context
    total = 0.0
    for part in (slice(0, whole), slice(whole, None)):
        x, y = inputs[part], targets[part]
        if len(y) == 0:
            continue
        width = min(context, len(y))
        for rows, wanted in zip(x.view(-1, width).split(256), y.view(-1, width).split(256)):
            total += F.cross_entropy(gpt(rows).flatten(0, 1), wanted.flatten(), reduction="sum").item()
    return total / len(targets)


def learning(task):
    torch.set_num_threads(task["threads"])
    torch.manual_seed(task["seed"])
    model, optimizer = task["model"], task["optimizer"]
    context, batch_size = model["contextLength"], task["batchSize"]
    gpt = GPT(model)
    initialize(gpt, model["layers"])
    with open(task["textPath"], encoding="utf-8", newline="") as file:
        text = file.read()
    number = {letter: i for i, letter in enumerate(sorted(set(text)))}
    if len(number) != model["vocabSize"]:
        raise ValueError(f"the text has {len(number)} different characters, but the model's vocabulary is {model['vocabSize']}")
    ids = torch.tensor([number[letter] for letter in text])
    start = len(ids) - task["validationTokens"]
    learned = ids[:start]
    decayed = [p for p in gpt.parameters() if p.dim() >= 2]
    others = [p for p in gpt.parameters() if p.dim() < 2]
    decay = optimizer["weightDecay"]
    adamw = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}],
        betas=(optimizer["beta1"], optimizer["beta2"]),
        eps=optimizer["epsilon"],
        fused=True,
    )

    def step(index):
        for group in adamw.param_groups:
            group["lr"] = rate_at(index, optimizer, task["steps"])
        starts = torch.randint(len(learned) - context, (batch_size,)).tolist()
        x = torch.stack([learned[i : i + context] for i in starts])
        y = torch.stack([learned[i + 1 : i + 1 + context] for i in starts])
        loss = F.cross_entropy(gpt(x).flatten(0, 1), y.flatten())
        adamw.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(gpt.parameters(), optimizer["gradClip"])
        adamw.step()

    def until(request):
        """Trains until the whole split's loss reaches a target. Evaluation time is excluded from the seconds."""
        seconds, evaluations = 0.0, []
        for index in range(task["steps"]):
            begun = time.perf_counter()
            step(index)
            seconds += time.perf_counter() - begun
            done = index + 1
            if (done >= request["from"] and done % request["every"] == 0) or done == task["steps"]:
                loss = measure(gpt, ids, start, context)
                evaluations.append({"steps": done, "seconds": seconds, "loss": loss})
                if loss <= request["target"]:
                    break
        return {"evaluations": evaluations}

    return {"until": until}


if __name__ == "__main__":
    serve({"learning": learning})
