"""Models of random sizes and options: logits, loss and the gradient of every parameter, including padded batches."""

import torch

from draws import Draws
from model import GPT, IGNORED, Encoder, EncoderDecoder, build, loss_of, named_tensors
from store import computed, drawn

SEED = "models 1"
SWITCHES = {
    "bias": [True, False],
    "activation": ["gelu", "gelu-tanh"],
    "tieHead": [True, False],
    "bigram": [True, False],
}
WITHOUT_PAIRS = ("bias", "activation", "tieHead")
# With fewer channels a norm's variance gets close to 0, and single precision inputs alone cause a loss of digits.
MIN_CHANNELS = 6
# Maximum numbers in the matrices of all blocks, to keep the file small.
MAX_NUMBERS = 1000
# Positions of the padding of a batch.
PADDINGS = ("left", "right", "any")


def make_gpts():
    """The decoder, over full rows, and over rows with padding on either side or on both."""
    configs = draw_configs(f"{SEED} configs", 6)
    cases = [gpt_case(f"{SEED} {i}", config, "full") for i, config in enumerate(configs)]
    padded = draw_configs(f"{SEED} padded configs", 3)
    # There is no token before the first real one; models with a bigram embedding must handle that too.
    padded = [{**config, "bigram": side != "right"} for config, side in zip(padded, PADDINGS)]
    cases += [gpt_case(f"{SEED} padded {side}", config, side) for config, side in zip(padded, PADDINGS)]
    return {"seed": SEED, "models": cases}


# The other options of a GPT: a few at a time, and then all that can be combined.
OTHER_CHOICES = [
    {"positions": "rotary"},
    {"positions": "none", "norm": "rms"},
    {"normWeights": False, "bias": False},
    {"qkNorm": True, "activation": "relu2"},
    {"activation": "swiglu", "logitCap": 2.0},
    {
        "positions": "rotary",
        "norm": "rms",
        "normWeights": False,
        "qkNorm": True,
        "activation": "relu2",
        "logitCap": 1.5,
        "tieHead": False,
        "bias": False,
    },
]


def make_gpts_of_other_choices():
    """The decoder with options other than GPT-2's, alternating between full and padded rows."""
    plain = {"norm": "layer", "normWeights": True, "qkNorm": False, "positions": "learned", "logitCap": 0}
    draws = Draws(f"{SEED} other configs")
    cases = []
    for i, choices in enumerate(OTHER_CHOICES):
        # Rotary positions rotate pairs of channels.
        sizes = {**draw_config(draws, MAX_NUMBERS, SWITCHES), "heads": 2, "dModel": 8, "layers": 1}
        side = ["full", "left", "right", "any"][i % 4]
        cases.append(gpt_case(f"{SEED} other {i}", {**sizes, **plain, **choices}, side))
    return {"seed": SEED, "models": cases}


# The options of imported models: each alone, and then as in Qwen3, Llama and GPT-2.
IMPORTED = [
    {"positions": "rotary", "ropeBase": 30},
    {"normEpsilon": 0.1},
    {"mlpWidth": 9, "bias": True},
    {"headSize": 6, "bias": True},
    {"kvHeads": 2, "bias": True},
    {"qkNorm": True, "qkNormWeights": True},
    {
        "positions": "rotary",
        "ropeBase": 100,
        "norm": "rms",
        "normEpsilon": 0.01,
        "activation": "swiglu",
        "mlpWidth": 7,
        "headSize": 6,
        "kvHeads": 2,
        "qkNorm": True,
        "qkNormWeights": True,
        "bias": False,
    },
    {"positions": "rotary", "norm": "rms", "activation": "swiglu", "kvHeads": 1, "bias": False},
]


def make_gpts_of_imported_options():
    """The decoder with the options of imported models, alternating between full and padded rows."""
    usual = {
        **{"norm": "layer", "positions": "learned", "qkNorm": False, "logitCap": 0},
        **{"ropeBase": 10000, "normEpsilon": 1e-5, "mlpWidth": 0, "headSize": 0, "kvHeads": 0, "qkNormWeights": False},
    }
    draws = Draws(f"{SEED} imported configs")
    cases = []
    for i, choices in enumerate(IMPORTED):
        sizes = {**draw_config(draws, MAX_NUMBERS, SWITCHES), "bigram": False, "heads": 4, "dModel": 8, "layers": 1}
        side = ["full", "left", "right", "any"][i % 4]
        cases.append(gpt_case(f"{SEED} imported {i}", {**sizes, **usual, **choices}, side))
    return {"seed": SEED, "models": cases}


def make_encoders():
    """The encoder, with masked tokens as targets."""
    configs = draw_configs(f"{SEED} encoder configs", 3, switches=WITHOUT_PAIRS)
    cases = [encoder_case(f"{SEED} encoder {side}", c, side) for c, side in zip(configs, ["full", "left", "any"])]
    return {"seed": SEED, "models": cases}


def make_encoder_decoders():
    """The encoder–decoder: sources and answers of unequal lengths, including an empty source."""
    configs = draw_configs(f"{SEED} encoder-decoder configs", 3, 0.6 * MAX_NUMBERS, WITHOUT_PAIRS)
    sides = [("full", "full"), ("right", "right"), ("left", "any")]
    name = f"{SEED} encoder-decoder"
    cases = [encoder_decoder_case(f"{name} {pair}", c, *pair) for c, pair in zip(configs, sides)]
    return {"seed": SEED, "models": cases}


def draw_configs(name, count, most=MAX_NUMBERS, switches=SWITCHES):
    """Random configurations, redrawn until at least a quarter of them have each value of every option."""
    draws = Draws(name)
    while True:
        configs = [draw_config(draws, most, switches) for _ in range(count)]
        if all(is_balanced([config[switch] for config in configs]) for switch in switches):
            return configs


def is_balanced(choices):
    return len(set(choices)) == 2 and all(choices.count(option) >= len(choices) / 4 for option in choices)


def draw_config(draws, most, switches):
    heads = draws.choice([1, 2, 3])
    while True:
        config = {
            "layers": draws.choice([1, 2, 3]),
            "heads": heads,
            "dModel": heads * draws.choice([2, 3, 5, 7]),
            "contextLength": draws.choice([5, 7, 11]),
            "vocabSize": draws.choice([5, 7]),
            **{switch: draws.choice(SWITCHES[switch]) for switch in switches},
        }
        if config["dModel"] >= MIN_CHANNELS and 12 * config["layers"] * config["dModel"] ** 2 <= most:
            return config


class Rows:
    """A batch of sequences, with markers of the real tokens. Padding has random ids, which must not matter."""

    def __init__(self, draws, batch_size, positions, vocabulary, side):
        starts, ends = zip(*(draw_span(draws, positions, side) for _ in range(batch_size - 1)), (0, positions))
        self.starts, self.ends = list(starts), list(ends)
        self.ids = torch.tensor(draws.ids(batch_size * positions, vocabulary)).reshape(batch_size, positions)
        place = torch.arange(positions)
        self.own = torch.stack([(start <= place) & (place < end) for start, end in zip(starts, ends)])

    def record(self):
        padding = {} if self.own.all() else {"padding": {"starts": self.starts, "ends": self.ends}}
        return {"ids": self.ids.tolist(), **padding}


def draw_span(draws, positions, side):
    """Range of a row's real tokens, possibly empty. (The last row of every batch is full.)"""
    start = draws.between(0, positions) if side in ("left", "any") else 0
    end = draws.between(start, positions) if side in ("right", "any") else positions
    return start, end


def draw_targets(draws, rows, vocabulary, asked):
    """A random target for a share of the real tokens, and always for the last one, so that at least one counts."""
    targets = torch.tensor(draws.ids(rows.ids.numel(), vocabulary)).reshape(rows.ids.shape)
    counts = torch.tensor([draws.chance(asked) for _ in range(rows.ids.numel())]).reshape(rows.ids.shape)
    counts[-1, -1] = True
    return targets.masked_fill(~(counts & rows.own), IGNORED)


def draw_size(draws, config, side):
    """Batch size and positions."""
    return draws.choice([1, 2, 3, 5]) if side == "full" else 5, draws.between(3, config["contextLength"])


def gpt_case(name, config, side):
    draws = Draws(name)
    model = build(GPT, config, draws)
    rows = Rows(draws, *draw_size(draws, config, side), config["vocabSize"], side)
    targets = draw_targets(draws, rows, config["vocabSize"], 2 / 3)
    return record(model, config, {"tokens": rows.record()}, model(rows.ids, rows.own), rows, targets)


def encoder_case(name, config, side):
    draws = Draws(name)
    model = build(Encoder, config, draws)
    rows = Rows(draws, *draw_size(draws, config, side), config["vocabSize"], side)
    targets = draw_targets(draws, rows, config["vocabSize"], 1 / 3)
    # Most targets are hidden behind [MASK].
    hidden = torch.tensor([draws.chance(0.8) for _ in range(rows.ids.numel())]).reshape(rows.ids.shape)
    rows.ids = rows.ids.masked_fill(hidden & (targets != IGNORED), config["vocabSize"])
    return record(model, config, {"tokens": rows.record()}, model(rows.ids, rows.own), rows, targets)


def encoder_decoder_case(name, config, source_side, side):
    draws = Draws(name)
    model = build(EncoderDecoder, config, draws)
    vocabulary = config["vocabSize"]
    batch_size, positions = draw_size(draws, config, side)
    source = Rows(draws, batch_size, draw_size(draws, config, source_side)[1], vocabulary, source_side)
    rows = Rows(draws, batch_size, positions, vocabulary + 2, side)
    targets = draw_targets(draws, rows, vocabulary + 1, 2 / 3)
    if source_side != "full":
        # The first row has an empty source; its answer is full.
        source.starts[0], source.ends[0], rows.starts[0], rows.ends[0] = 0, 0, 0, positions
        source.own[0], rows.own[0] = False, True
    read = {"source": source.record(), "tokens": rows.record()}
    return record(model, config, read, model(rows.ids, rows.own, source.ids, source.own), rows, targets)


def record(model, config, read, logits, rows, targets):
    loss = loss_of(logits, targets)
    loss.backward()
    # Logits at padding are meaningless.
    logits = torch.where(rows.own.unsqueeze(-1), logits, torch.zeros_like(logits))
    gradients = named_tensors(model, lambda p: torch.zeros_like(p) if p.grad is None else p.grad)
    return {
        "config": config,
        **read,
        "targets": targets.tolist(),
        "weights": {name: drawn(tensor) for name, tensor in named_tensors(model).items()},
        "logits": computed(logits),
        "loss": loss.item(),
        "gradients": {name: computed(gradient) for name, gradient in gradients.items()},
    }
