"""The family from PyTorch's own parts: nn.Embedding, nn.LayerNorm, nn.Linear and F.scaled_dot_product_attention.

Modules are named as nopeek names them (src/nn/), so that `named_tensors` gives a checkpoint's names. Tokens are
ids (B, T); `own` (B, T) says where a row's own tokens stand, and the rest is padding.
"""

import torch
import torch.nn.functional as F
from torch import nn

IGNORED = -1


def attend(query, key, value, heads, visible=None, is_causal=False):
    """Attention of all heads over (B, T, C) and (B, S, C). `visible` (B or 1, 1, T, S) says what a query sees.

    A query that sees nothing gives 0. PyTorch has given NaN there, or 0, as the version was. So such a query sees
    everything here, and its output, and with it every gradient through it, is replaced by 0.
    """
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (query, key, value))
    if visible is None:
        return F.scaled_dot_product_attention(q, k, v, is_causal=is_causal).transpose(1, 2).flatten(2)
    sees = visible.any(-1, keepdim=True)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=visible | ~sees)
    return torch.where(sees, y, torch.zeros_like(y)).transpose(1, 2).flatten(2)


def causal(queries, keys):
    """Which keys (columns) a query (row) sees: query t stands at position S − T + t, none to its right is seen."""
    return torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        channels, bias = config["dModel"], config["bias"]
        self.heads = config["heads"]
        self.query = nn.Linear(channels, channels, bias=bias)
        self.key = nn.Linear(channels, channels, bias=bias)
        self.value = nn.Linear(channels, channels, bias=bias)
        self.output = nn.Linear(channels, channels, bias=bias)

    def forward(self, x, source, **mask):
        """Queries from x (B, T, C), keys and values from source (B, S, C); the mask as `attend` takes it."""
        return self.output(attend(self.query(x), self.key(source), self.value(source), self.heads, **mask))


class MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        channels, bias = config["dModel"], config["bias"]
        self.form = {"exact": "none", "tanh": "tanh"}[config["activation"]]
        self.expand = nn.Linear(channels, 4 * channels, bias=bias)
        self.contract = nn.Linear(4 * channels, channels, bias=bias)

    def forward(self, x):
        return self.contract(F.gelu(self.expand(x), approximate=self.form))


class Block(nn.Module):
    def __init__(self, config, cross):
        super().__init__()
        norm = lambda: nn.LayerNorm(config["dModel"], bias=config["bias"])
        self.attentionNorm, self.attention = norm(), Attention(config)
        self.crossNorm, self.cross = (norm(), Attention(config)) if cross else (None, None)
        self.mlpNorm, self.mlp = norm(), MLP(config)

    def forward(self, x, mask, memory, memory_mask):
        normed = self.attentionNorm(x)
        x = x + self.attention(normed, normed, **mask)
        if self.cross is not None:
            x = x + self.cross(self.crossNorm(x), memory, **memory_mask)
        return x + self.mlp(self.mlpNorm(x))


class Stack(nn.Module):
    """Positions, blocks and a last norm: what stands between a token embedding and a head."""

    def __init__(self, config, is_causal, cross):
        super().__init__()
        self.is_causal = is_causal
        self.positionEmbedding = nn.Embedding(config["contextLength"], config["dModel"])
        self.blocks = nn.ModuleList(Block(config, cross) for _ in range(config["layers"]))
        self.finalNorm = nn.LayerNorm(config["dModel"], bias=config["bias"])

    def forward(self, embedded, own, memory=None, memory_own=None):
        """States (B, T, C). Positions count from a row's first own token."""
        x = embedded + self.positionEmbedding((own.cumsum(-1) - 1).clamp(min=0))
        memory_mask = {} if memory is None else {"visible": memory_own[:, None, None, :]}
        for block in self.blocks:
            x = block(x, self.mask(own), memory, memory_mask)
        return self.finalNorm(x)

    def mask(self, own):
        """As `attend` takes it; without padding, PyTorch's own flag."""
        if own.all():
            return {"is_causal": self.is_causal}
        keys = own[:, None, None, :]
        return {"visible": causal(own.shape[1], own.shape[1]) & keys if self.is_causal else keys}


class Head(nn.Module):
    """Scores for the first `scores` tokens; tied, from their embeddings."""

    def __init__(self, config, scores):
        super().__init__()
        self.scores = scores
        self.head = None if config["tieHead"] else nn.Linear(config["dModel"], scores, bias=False)

    def forward(self, hidden, table):
        return hidden @ table.weight[: self.scores].T if self.head is None else self.head(hidden)


class GPT(nn.Module):
    """GPT-2's decoder. `forward` gives logits (B, T, V)."""

    def __init__(self, config):
        super().__init__()
        vocabulary, channels = config["vocabSize"], config["dModel"]
        self.vocabulary = vocabulary
        self.tokenEmbedding = nn.Embedding(vocabulary, channels)
        self.pairEmbedding = nn.Embedding((vocabulary + 1) * vocabulary, channels) if config["bigram"] else None
        self.stack = Stack(config, is_causal=True, cross=False)
        self.output = Head(config, vocabulary)

    def forward(self, ids, own):
        x = self.tokenEmbedding(ids)
        if self.pairEmbedding is not None:
            # Nothing comes before a row's first own token.
            before = F.pad(ids.masked_fill(~own, self.vocabulary), (1, 0), value=self.vocabulary)[:, :-1]
            x = x + self.pairEmbedding(before * self.vocabulary + ids)
        return self.output(self.stack(x, own), self.tokenEmbedding)


class Encoder(nn.Module):
    """BERT's encoder with GPT-2's blocks; token V is [MASK]. `forward` gives logits (B, T, V)."""

    def __init__(self, config):
        super().__init__()
        self.tokenEmbedding = nn.Embedding(config["vocabSize"] + 1, config["dModel"])
        self.stack = Stack(config, is_causal=False, cross=False)
        self.output = Head(config, config["vocabSize"])

    def forward(self, ids, own):
        return self.output(self.stack(self.tokenEmbedding(ids), own), self.tokenEmbedding)


class EncoderDecoder(nn.Module):
    """Two stacks, the second looking at the first; token V is [end], V + 1 [start]. Gives logits (B, T, V + 1)."""

    def __init__(self, config):
        super().__init__()
        self.tokenEmbedding = nn.Embedding(config["vocabSize"] + 2, config["dModel"])
        self.encoder = Stack(config, is_causal=False, cross=False)
        self.decoder = Stack(config, is_causal=True, cross=True)
        self.output = Head(config, config["vocabSize"] + 1)

    def forward(self, ids, own, source, source_own):
        memory = self.encoder(self.tokenEmbedding(source), source_own)
        return self.output(self.decoder(self.tokenEmbedding(ids), own, memory, source_own), self.tokenEmbedding)


def build(make, config, draws, deviation=0.5):
    """A model in double precision every part of which matters: no bias is 0, and attention is far from uniform."""
    model = make(config).double()
    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                centre = 1.0 if isinstance(module, nn.LayerNorm) and name == "weight" else 0.0
                parameter.copy_(draws.tensor(*parameter.shape, deviation=deviation, centre=centre))
    return model


def named_tensors(model, of=lambda parameter: parameter):
    """What `of` gives for every parameter, under nopeek's name and in its layout: a linear weight is (in, out)."""
    found = {}
    for place, module in model.named_modules():
        # A model with one stack names its parts as its own.
        place = place.removeprefix("stack.").removeprefix("output.")
        for name, parameter in module.named_parameters(recurse=False):
            tensor = of(parameter)
            if isinstance(module, nn.Embedding):
                found[place] = tensor
            elif isinstance(module, nn.Linear) and name == "weight":
                found[f"{place}.{name}"] = tensor.T
            else:
                found[f"{place}.{name}"] = tensor
    return found


def loss_of(logits, targets):
    """Mean nats over the targets that count, for logits (B, T, V) and targets (B, T)."""
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORED)
