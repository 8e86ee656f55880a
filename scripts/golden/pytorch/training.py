"""Ten steps of training with torch.optim: losses, gradient norms, learning rates, and the final weights."""

import math

import torch
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

from draws import Draws
from model import GPT, IGNORED, build, loss_of, named_tensors
from store import computed, drawn

SEED = "training 1"

MODEL = {
    "layers": 1,
    "heads": 2,
    "dModel": 10,
    "contextLength": 7,
    "bias": True,
    "activation": "gelu",
    "tieHead": True,
    "bigram": False,
}
RUN = {
    "batchSize": 3,
    "steps": 10,
    "optimizer": "adamw",
    "learningRate": 1e-2,
    "minLearningRate": 1e-3,
    "schedule": "cosine",
    "warmupSteps": 3,
    "weightDecay": 0.1,
    "beta1": 0.9,
    "beta2": 0.99,
    "epsilon": 1e-8,
    "gradClip": 0.0,
    "gradAccumulation": 1,
}
VOCABULARY = 7

# The settings that each run changes. Some runs ignore a share of the targets, as padding does.
RUNS = [
    {"name": "AdamW", "ignored": 0.0, "changes": {}},
    {
        "name": "AdamW, clipped, two batches a step",
        "ignored": 0.0,
        "changes": {
            "layers": 2,
            "dModel": 6,
            "gradClip": 0.5,
            "gradAccumulation": 2,
            "weightDecay": 0.3,
            "beta2": 0.95,
            # Far above the square root of some second moments; otherwise Adam would not notice a scaled gradient.
            "epsilon": 1e-2,
        },
    },
    {
        "name": "AdamW, linear decay, no warm-up, targets ignored",
        "ignored": 0.4,
        "changes": {
            "schedule": "linear",
            "warmupSteps": 0,
            "gradClip": 1.0,
            "epsilon": 1e-3,
            "tieHead": False,
            "activation": "gelu-tanh",
            "bias": False,
        },
    },
    {
        "name": "Muon",
        "ignored": 0.0,
        "changes": {
            "optimizer": "muon",
            "muonLearningRate": 0.02,
            "muonMomentum": 0.9,
            "bigram": True,
        },
    },
]


def make_curves():
    return {"seed": SEED, "curves": [curve(**run) for run in RUNS]}


def curve(name, ignored, changes):
    settings = {**MODEL, **RUN, **changes}
    draws = Draws(f"{SEED} {name}")
    batches = [
        [draw_batch(draws, settings, ignored) for _ in range(settings["gradAccumulation"])]
        for _ in range(settings["steps"])
    ]
    config = {"vocabSize": VOCABULARY, **settings}
    model = build(GPT, config, draws)
    start = {name: drawn(tensor) for name, tensor in named_tensors(model).items()}
    muon = TextbookMuon if settings["optimizer"] == "muon" else None
    steps = train(model, settings, batches, muon)
    made = {
        "name": name,
        "settings": settings,
        "vocabSize": VOCABULARY,
        "batches": batches,
        "start": start,
        "steps": steps,
        "end": {name: computed(tensor) for name, tensor in named_tensors(model).items()},
    }
    if muon is not None:
        # The same run with torch.optim.Muon itself, which orthogonalizes in bfloat16.
        draws = Draws(f"{SEED} {name}")
        for _ in batches:
            draw_batch(draws, settings, ignored)
        other = train(build(GPT, config, draws), settings, batches, torch.optim.Muon)
        made["lossesInBfloat16"] = [step["loss"] for step in other]
    return made


def draw_batch(draws, settings, ignored):
    """Training windows: a ramp with noise."""
    length = settings["contextLength"]
    inputs, targets = [], []
    for _ in range(settings["batchSize"]):
        start = draws.between(0, VOCABULARY - 1)
        ids = [(start + t + draws.between(0, 1)) % VOCABULARY for t in range(length + 1)]
        inputs.append(ids[:-1])
        targets.append([IGNORED if t > 0 and draws.chance(ignored) else ids[t + 1] for t in range(length)])
    return {"inputs": inputs, "targets": targets}


def train(model, settings, batches, muon):
    optimizers = make_optimizers(model, settings, muon)
    schedules = [make_schedule(optimizer, settings) for optimizer in optimizers]
    steps = []
    for parts in batches:
        loss = sum(batch_loss(model, part) for part in parts) / len(parts)
        loss.backward()
        limit = settings["gradClip"] or math.inf
        norm = clip_grad_norm_(model.parameters(), limit)
        rate = optimizers[0].param_groups[0]["lr"]
        steps.append({"loss": loss.item(), "gradientNorm": norm.item(), "learningRate": rate})
        for optimizer, schedule in zip(optimizers, schedules):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    return steps


def batch_loss(model, batch):
    ids = torch.tensor(batch["inputs"])
    return loss_of(model(ids, torch.ones_like(ids, dtype=torch.bool)), torch.tensor(batch["targets"]))


def make_optimizers(model, settings, muon):
    """AdamW with weight decay on matrices and embeddings only; with Muon, Muon updates the matrices of the blocks."""
    moved = {p for p in model.stack.blocks.parameters() if p.dim() == 2} if muon else set()
    rest = [p for p in model.parameters() if p not in moved]
    groups = [
        {"params": [p for p in rest if p.dim() >= 2], "weight_decay": settings["weightDecay"]},
        {"params": [p for p in rest if p.dim() < 2], "weight_decay": 0.0},
    ]
    betas = (settings["beta1"], settings["beta2"])
    adamw = torch.optim.AdamW(groups, lr=settings["learningRate"], betas=betas, eps=settings["epsilon"])
    if not muon:
        return [adamw]
    ordered = [p for p in model.stack.blocks.parameters() if p in moved]
    rate, momentum = settings["muonLearningRate"], settings["muonMomentum"]
    return [adamw, muon(ordered, lr=rate, momentum=momentum, weight_decay=0.0)]


def make_schedule(optimizer, settings):
    """Warm-up and decay with PyTorch's schedulers. All optimizers decay to the same share of their initial rate."""
    warmup, steps = settings["warmupSteps"], settings["steps"]
    share = settings["minLearningRate"] / settings["learningRate"]
    if settings["schedule"] == "cosine":
        lowest = share * optimizer.param_groups[0]["lr"]
        decay = CosineAnnealingLR(optimizer, T_max=steps - warmup, eta_min=lowest)
    else:
        decay = LinearLR(optimizer, 1.0, share, total_iters=steps - warmup)
    if warmup == 0:
        return decay
    rise = LinearLR(optimizer, 1 / (warmup + 1), 1.0, total_iters=warmup)
    return SequentialLR(optimizer, [rise, decay], [warmup])


class TextbookMuon(torch.optim.Optimizer):
    """Muon as published by Jordan et al. 2024, in the precision of its parameters.

    torch.optim.Muon has the same momentum, Nesterov direction, coefficients, decay, and scaling by the root of max(1,
    out/in). It differs in two ways: it always orthogonalizes in bfloat16, which keeps three digits, and it divides by
    max(norm, 1e-7), where Jordan's code, this code and nopeek divide by norm + 1e-7.
    """

    def __init__(self, params, lr, momentum, weight_decay):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            rate, mu = group["lr"], group["momentum"]
            for weight in group["params"]:
                state, gradient = self.state[weight], weight.grad
                momentum = state.setdefault("momentum", torch.zeros_like(weight))
                momentum.mul_(mu).add_(gradient, alpha=1 - mu)
                update = orthogonal((1 - mu) * gradient + mu * momentum)
                outputs, inputs = weight.shape
                weight.mul_(1 - rate * group["weight_decay"])
                weight.sub_(rate * math.sqrt(max(1, outputs / inputs)) * update)


def orthogonal(x):
    """Five Newton–Schulz steps, on a matrix that is not taller than wide."""
    if x.shape[0] > x.shape[1]:
        return orthogonal(x.T).T
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x


def make_muon_steps():
    """Muon alone, on given gradients, for wide, tall and square matrices (in, out), with weight decay."""
    return {"seed": SEED, "cases": [muon_steps(*sizes) for sizes in [(5, 7), (7, 3), (5, 5), (1, 11)]]}


def muon_steps(inputs, outputs):
    draws = Draws(f"{SEED} muon {inputs} {outputs}")
    weight = torch.nn.Parameter(draws.tensor(outputs, inputs))
    start, gradients = drawn(weight.T), []
    options = {"learningRate": 0.25, "momentum": 0.9, "weightDecay": 0.5}
    optimizer = TextbookMuon([weight], 0.25, 0.9, 0.5)
    for _ in range(3):
        weight.grad = draws.tensor(outputs, inputs, deviation=0.3)
        gradients.append(drawn(weight.grad.T))
        optimizer.step()
    return {**options, "start": start, "gradients": gradients, "end": computed(weight.T)}
