"""Models of random sizes and choices: logits, loss and the gradient of every parameter, padded batches too."""

import torch

from draws import Draws
from model import GPT, IGNORED, Encoder, EncoderDecoder, build, loss_of, named_tensors
from store import computed, drawn

SEED = "models 1"
COUNT = 8
SWITCHES = ("bias", "activation", "tieHead", "bigram")
# With fewer channels a norm's variance comes near 0, and single precision loses digits by the inputs alone.
FEWEST_CHANNELS = 5
# Numbers in the matrices of all blocks: what keeps the file small.
MOST_NUMBERS = 900


def make_gpts():
    """The decoder: over full rows, and over rows padded on either side or on both."""
    configs = draw_configs(f"{SEED} configs", SWITCHES)
    cases = [gpt_case(f"{SEED} {i}", config, "full") for i, config in enumerate(configs)]
    padded = draw_configs(f"{SEED} padded configs", SWITCHES)
    cases += [gpt_case(f"{SEED} padded {side}", config, side) for config, side in zip(padded, PADDINGS)]
    return {"seed": SEED, "models": cases}


def make_encoders():
    """The encoder, asked for what was hidden."""
    configs = draw_configs(f"{SEED} encoder configs", SWITCHES[:3])
    cases = [encoder_case(f"{SEED} encoder {side}", c, side) for c, side in zip(configs, ["full", "left", "any"])]
    return {"seed": SEED, "models": cases}


def make_encoder_decoders():
    """The encoder–decoder: sources and answers of unequal lengths, one source empty."""
    configs = draw_configs(f"{SEED} encoder-decoder configs", SWITCHES[:3], MOST_NUMBERS / 2)
    sides = [("full", "full"), ("right", "right"), ("left", "any")]
    name = f"{SEED} encoder-decoder"
    cases = [encoder_decoder_case(f"{name} {pair}", c, *pair) for c, pair in zip(configs, sides)]
    return {"seed": SEED, "models": cases}


# Where the padding of a batch stands.
PADDINGS = ("left", "right", "any")


def draw_configs(name, switches, most=MOST_NUMBERS):
    """Random configurations, drawn anew until each choice is made in both ways by a quarter of them at least."""
    draws = Draws(name)
    while True:
        configs = [draw_config(draws, switches, most) for _ in range(COUNT)]
        if all(is_balanced([config[switch] for config in configs]) for switch in switches):
            return configs


def is_balanced(choices):
    return all(choices.count(option) >= COUNT / 4 for option in choices) and len(set(choices)) == 2


def draw_config(draws, switches, most):
    while True:
        heads = draws.choice([1, 2, 3])
        config = {
            "layers": draws.choice([1, 2, 3]),
            "heads": heads,
            "dModel": heads * draws.choice([2, 3, 5, 7]),
            "contextLength": draws.choice([5, 7, 11]),
            "vocabSize": draws.choice([5, 7, 11]),
            "bias": draws.chance(0.5),
            "activation": draws.choice(["exact", "tanh"]),
            "tieHead": draws.chance(0.5),
        }
        if "bigram" in switches:
            config["bigram"] = draws.chance(0.3)
        if config["dModel"] >= FEWEST_CHANNELS and 12 * config["layers"] * config["dModel"] ** 2 <= most:
            return config


class Rows:
    """A batch of sequences, and where their own tokens stand. At padding there are random ids: nothing sees them."""

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
    """Where a row's own tokens stand; there may be none. (The last row of every batch is full.)"""
    start = draws.between(0, positions) if side in ("left", "any") else 0
    end = draws.between(start, positions) if side in ("right", "any") else positions
    return start, end


def draw_targets(draws, rows, vocabulary, asked):
    """A random target for a share of the own tokens; always for the very last one, so that some target counts."""
    targets = torch.tensor(draws.ids(rows.ids.numel(), vocabulary)).reshape(rows.ids.shape)
    counts = torch.tensor([draws.chance(asked) for _ in range(rows.ids.numel())]).reshape(rows.ids.shape)
    counts[-1, -1] = True
    return targets.masked_fill(~(counts & rows.own), IGNORED)


def draw_size(draws, config, side):
    """Batch size and positions."""
    return draws.choice([1, 2, 3, 5] if side == "full" else [3, 5]), draws.between(3, config["contextLength"])


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
    # Most of what is asked for is hidden behind [MASK].
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
        # The first row has no source to look at; its answer is full.
        source.starts[0], source.ends[0], rows.starts[0], rows.ends[0] = 0, 0, 0, positions
        source.own[0], rows.own[0] = False, True
    read = {"source": source.record(), "tokens": rows.record()}
    return record(model, config, read, model(rows.ids, rows.own, source.ids, source.own), rows, targets)


def record(model, config, read, logits, rows, targets):
    loss = loss_of(logits, targets)
    loss.backward()
    # At padding the logits mean nothing.
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
