"""Models of random sizes and choices: logits, loss and the gradient of every parameter."""

import torch

from draws import Draws
from model import GPT, IGNORED, build, loss_of, named_tensors
from store import computed, drawn

SEED = "models 1"
COUNT = 8
SWITCHES = ("bias", "activation", "tieHead", "bigram")
# With fewer channels a norm's variance comes near 0, and single precision loses digits by the inputs alone.
FEWEST_CHANNELS = 5
# Numbers in the matrices of all blocks: what keeps the file small.
MOST_NUMBERS = 1200


def make():
    configs = draw_configs()
    return {"seed": SEED, "models": [model_case(config, i) for i, config in enumerate(configs)]}


def draw_configs():
    """Random configurations, drawn anew until each choice is made in both ways by a quarter of them at least."""
    draws = Draws(f"{SEED} configs")
    while True:
        configs = [draw_config(draws) for _ in range(COUNT)]
        if all(is_balanced([config[name] for config in configs]) for name in SWITCHES):
            return configs


def is_balanced(choices):
    return all(choices.count(option) >= COUNT / 4 for option in choices) and len(set(choices)) == 2


def draw_config(draws):
    while True:
        heads = draws.choice([1, 2, 3])
        config = {
            "layers": draws.choice([1, 2, 3]),
            "heads": heads,
            "dModel": heads * draws.choice([2, 3, 5, 7]),
            "contextLength": draws.choice([5, 7, 11]),
            "vocabSize": draws.choice([5, 7, 11, 13]),
            "bias": draws.chance(0.5),
            "activation": draws.choice(["exact", "tanh"]),
            "tieHead": draws.chance(0.5),
            "bigram": draws.chance(0.3),
        }
        if config["dModel"] >= FEWEST_CHANNELS and 12 * config["layers"] * config["dModel"] ** 2 <= MOST_NUMBERS:
            return config


def model_case(config, index):
    draws = Draws(f"{SEED} {index}")
    model = build(GPT, config, draws)
    batch_size = draws.choice([1, 2, 3, 5])
    positions = draws.between(2, config["contextLength"])
    ids = torch.tensor(draws.ids(batch_size * positions, config["vocabSize"])).reshape(batch_size, positions)
    targets = torch.tensor(draws.ids(batch_size * positions, config["vocabSize"])).reshape(batch_size, positions)
    # A third of the targets is ignored; the last one never, so that some target counts.
    for place in range(batch_size * positions - 1):
        if draws.chance(1 / 3):
            targets.view(-1)[place] = IGNORED
    logits = model(ids)
    loss = loss_of(logits, targets)
    loss.backward()
    return {
        "config": config,
        "ids": ids.tolist(),
        "targets": targets.tolist(),
        "weights": {name: drawn(tensor) for name, tensor in named_tensors(model).items()},
        "logits": computed(logits),
        "loss": loss.item(),
        "gradients": {name: computed(g) for name, g in named_tensors(model, lambda p: p.grad).items()},
    }
