"""PyTorch as a competitor: the twin of nopeek's model, its training step and its sampling. Speaks protocol.js.

Uses PyTorch's fastest standard settings: one product for queries, keys and values, scaled_dot_product_attention,
fused AdamW, gradients set to None, and torch.compile if the task asks for it.
"""

import json
import math
import os
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, channels, heads, norm):
        super().__init__()
        self.heads = heads
        self.attention_norm = norm()
        self.mlp_norm = norm()
        self.query_key_value = nn.Linear(channels, 3 * channels, bias=False)
        self.output = nn.Linear(channels, channels, bias=False)
        self.up = nn.Linear(channels, 4 * channels, bias=False)
        self.down = nn.Linear(4 * channels, channels, bias=False)

    def forward(self, x, cache=None):
        batch, positions, channels = x.shape
        joint = self.query_key_value(self.attention_norm(x)).split(channels, -1)
        q, k, v = (part.view(batch, positions, self.heads, -1).transpose(1, 2) for part in joint)
        if cache is not None:
            k, v = cache.append(k, v)
        # A single query after a cache sees every key.
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=positions > 1)
        x = x + self.output(mixed.transpose(1, 2).reshape(batch, positions, channels))
        return x + self.down(F.gelu(self.up(self.mlp_norm(x))))


class GPT(nn.Module):
    def __init__(self, model):
        super().__init__()
        vocabulary, channels = model["vocabSize"], model["dModel"]
        self.token = nn.Embedding(vocabulary, channels)
        self.position = nn.Embedding(model["contextLength"], channels)
        norm = lambda: nn.LayerNorm(channels, elementwise_affine=model["normWeights"], bias=False)
        self.blocks = nn.ModuleList(Block(channels, model["heads"], norm) for _ in range(model["layers"]))
        self.norm = norm()
        self.head = nn.Linear(channels, vocabulary, bias=False)
        if model["tieHead"]:
            self.head.weight = self.token.weight

    def forward(self, ids, caches=None, only_last=False):
        start = caches[0].length if caches else 0
        x = self.token(ids) + self.position.weight[start : start + ids.shape[1]]
        for layer, block in enumerate(self.blocks):
            x = block(x, caches[layer] if caches else None)
        return self.head(self.norm(x[:, -1:] if only_last else x))

    @torch.no_grad()
    def load(self, stored):
        """Weights are (in, out) in the file and (out, in) here."""
        self.token.weight.copy_(stored["tokenEmbedding"])
        self.position.weight.copy_(stored["positionEmbedding"])
        if "finalNorm.weight" in stored:
            self.norm.weight.copy_(stored["finalNorm.weight"])
        if "head.weight" in stored:
            self.head.weight.copy_(stored["head.weight"].T)
        for layer, block in enumerate(self.blocks):
            part = lambda name: stored[f"blocks.{layer}.{name}.weight"]
            joint = torch.cat([part(f"attention.{name}") for name in ("query", "key", "value")], dim=1)
            block.query_key_value.weight.copy_(joint.T)
            if "finalNorm.weight" in stored:
                block.attention_norm.weight.copy_(part("attentionNorm"))
                block.mlp_norm.weight.copy_(part("mlpNorm"))
            block.output.weight.copy_(part("attention.output").T)
            block.up.weight.copy_(part("mlp.up").T)
            block.down.weight.copy_(part("mlp.down").T)


class Cache:
    """Keys and values of a layer, in preallocated memory."""

    def __init__(self, model):
        shape = (1, model["heads"], model["contextLength"], model["dModel"] // model["heads"])
        self.keys, self.values, self.length = torch.zeros(shape), torch.zeros(shape), 0

    def append(self, k, v):
        end = self.length + k.shape[2]
        self.keys[:, :, self.length : end] = k
        self.values[:, :, self.length : end] = v
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]


def training(task):
    torch.set_num_threads(task["threads"])
    gpt, optimizer = make_model(task), task["optimizer"]
    decayed = [p for p in gpt.parameters() if p.dim() >= 2]
    others = [p for p in gpt.parameters() if p.dim() < 2]
    decay = optimizer["weightDecay"]
    groups = [{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=optimizer["learningRate"],
        betas=(optimizer["beta1"], optimizer["beta2"]),
        eps=optimizer["epsilon"],
        fused=True,
    )
    shape = (task["batchSize"], task["model"]["contextLength"])
    batches = [[torch.tensor(batch[part]).view(shape) for part in ("inputs", "targets")] for batch in task["batches"]]
    parameters = decayed + others
    compute_loss = lambda ids, targets: F.cross_entropy(gpt(ids).flatten(0, 1), targets.flatten())
    if task.get("compiled"):
        compute_loss = torch.compile(compute_loss)
    done = 0

    def step():
        nonlocal done
        ids, targets = batches[done % len(batches)]
        loss = compute_loss(ids, targets)
        adamw.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parameters, optimizer["gradClip"])
        adamw.step()
        done += 1
        return loss.item(), norm.item()

    def steps(request):
        reports = []
        times = time_each(request, lambda: reports.append(step()))
        return {"times": times, "losses": [loss for loss, _ in reports], "norms": [norm for _, norm in reports]}

    return {"steps": steps}


def sampling(task):
    torch.set_num_threads(task["threads"])
    torch.manual_seed(1)
    gpt = make_model(task).eval()
    with torch.inference_mode():
        caches = [Cache(task["model"]) for _ in gpt.blocks]

    def read(ids):
        if not task["cached"]:
            return gpt(ids, only_last=True)[0, -1]
        return gpt(ids, caches, only_last=True)[0, -1]

    def forget():
        for cache in caches:
            cache.length = 0

    @torch.inference_mode()
    def logits(request):
        forget()
        ids = torch.tensor([request["ids"]])
        for t in range(ids.shape[1]) if task["cached"] else []:
            last = read(ids[:, t : t + 1])
        return {"logits": (last if task["cached"] else read(ids)).tolist()}

    @torch.inference_mode()
    def tokens(request):
        prompt = torch.tensor([request["prompt"]])
        if not task["cached"]:
            return {"times": time_each({"count": request["count"], "warmUp": 1}, lambda: read(prompt))}
        forget()
        draw = lambda last: torch.multinomial(F.softmax(last, -1), 1)
        token, chosen = draw(read(prompt)), []

        def next_token():
            nonlocal token
            token = draw(read(token.view(1, 1)))
            chosen.append(token.item())

        return {"times": time_each({"count": request["count"], "warmUp": 0}, next_token)}

    return {"logits": logits, "tokens": tokens}


def products(task):
    torch.set_num_threads(task["threads"])

    def pattern(length, step, period):
        return ((step * torch.arange(length)) % period - (period - 1) / 2).float() / 8

    def matrix(numbers, height, width, transposed):
        return numbers.view(width, height).T if transposed else numbers.view(height, width)

    @torch.inference_mode()
    def product(request):
        rows, inner, columns = request["rows"], request["inner"], request["columns"]
        a = matrix(pattern(rows * inner, 7, 11), rows, inner, request["aTransposed"])
        b = matrix(pattern(inner * columns, 5, 13), inner, columns, request["bTransposed"])
        c = torch.empty(rows, columns)
        times = time_each(request, lambda: torch.mm(a, b, out=c))
        weights = torch.arange(rows * columns) % 7
        return {"times": times, "sum": (c.double().flatten() * weights).sum().item()}

    return {"product": product}


def make_model(task):
    gpt = GPT(task["model"])
    gpt.load(read_weights(task["weightsPath"]))
    return gpt


def read_weights(path):
    """The tensors of a safetensors file of float32."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    whole = torch.frombuffer(data, dtype=torch.float32)
    return {
        name: whole[entry["data_offsets"][0] // 4 :][: math.prod(entry["shape"])].view(entry["shape"])
        for name, entry in header.items()
    }


def time_each(request, work):
    """Milliseconds of single calls, after untimed ones."""
    for _ in range(request["warmUp"]):
        work()
    times = []
    for _ in range(request["count"]):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return times


def peak_bytes():
    """As in protocol.js."""
    try:
        with open("/proc/self/status") as file:
            return 1024 * next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak


def serve(factories):
    # Only answers go to stdout; other output of libraries goes to stderr.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    actions = None
    for line in sys.stdin:
        try:
            message = json.loads(line)
            if actions is None:
                idle = peak_bytes()
                actions = {**factories[message["kind"]](message), "memory": lambda _: {"peakBytes": peak_bytes()}}
                answer = {"ready": {"version": torch.__version__, "idleBytes": idle}}
            else:
                answer = actions[message["do"]](message)
        except Exception as error:  # The other side reports it.
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    serve({"training": training, "sampling": sampling, "products": products})
