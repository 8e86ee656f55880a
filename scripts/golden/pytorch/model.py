"""The model family, built from PyTorch's own modules: nn.Embedding, nn.LayerNorm, nn.Linear and
F.scaled_dot_product_attention.

Modules have nopeek's names (src/nn/), so that `named_tensors` returns a checkpoint's names. Tokens are ids (B, T).
`own` (B, T) marks the real tokens of a row; the rest is padding.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

IGNORED = -1


def rotated(x, places, base):
    """(B, T, H, D) rotated by position: channels i and D/2 + i are a complex number, times exp(i·place·base^(−2i/D)).
    """
    half = x.shape[-1] // 2
    speeds = base ** (-torch.arange(half, dtype=x.dtype) / half)
    angles = places[:, :, None, None] * speeds
    turned = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([turned.real, turned.imag], -1)


def attend(
    query, key, value, heads, visible=None, is_causal=False, levels=None, places=None, base=10000.0
):
    """Attention of all heads over (B, T, C) and (B, S, C). `visible` (B or 1, 1, T, S) marks the keys that a query sees.

    Keys and values may have fewer channels, for fewer heads, which groups of query heads share.
    `levels` are applied to each head's queries and keys (B, T, H, D), which are then rotated by `places` (B, T).

    A query that sees nothing returns 0. PyTorch returns NaN or 0 in that case, depending on the version. So such a
    query sees everything here, and its output, with every gradient through it, is replaced by 0.
    """
    q, k, v = (x.unflatten(-1, (-1, query.shape[-1] // heads)) for x in (query, key, value))
    if levels is not None:
        q, k = levels[0](q), levels[1](k)
    if places is not None:
        q, k = rotated(q, places, base), rotated(k, places, base)
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    shared = {"enable_gqa": True} if k.shape[1] != heads else {}
    if visible is None:
        y = F.scaled_dot_product_attention(q, k, v, is_causal=is_causal, **shared)
        return y.transpose(1, 2).flatten(2)
    sees = visible.any(-1, keepdim=True)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=visible | ~sees, **shared)
    return torch.where(sees, y, torch.zeros_like(y)).transpose(1, 2).flatten(2)


def causal(queries, keys):
    """Marks the keys (columns) that a query (row) sees: query t is at position S − T + t and sees nothing to its right.
    """
    return torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)


def make_norm(config):
    """nn.LayerNorm or nn.RMSNorm. Without weights, PyTorch's LayerNorm has no bias either."""
    channels, weights = config["dModel"], config.get("normWeights", True)
    eps = config.get("normEpsilon", 1e-5)
    if config.get("norm", "layer") == "rms":
        return nn.RMSNorm(channels, eps=eps, elementwise_affine=weights)
    assert weights or not config["bias"]
    return nn.LayerNorm(channels, eps=eps, elementwise_affine=weights, bias=config["bias"])


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        channels, bias = config["dModel"], config["bias"]
        self.heads = config["heads"]
        self.base = float(config.get("ropeBase", 10000))
        size = config.get("headSize") or channels // self.heads
        kv_heads = config.get("kvHeads") or self.heads
        self.query = nn.Linear(channels, self.heads * size, bias=bias)
        self.key = nn.Linear(channels, kv_heads * size, bias=bias)
        self.value = nn.Linear(channels, kv_heads * size, bias=bias)
        self.output = nn.Linear(self.heads * size, channels, bias=bias)
        eps, weights = config.get("normEpsilon", 1e-5), config.get("qkNormWeights", False)
        level = lambda: nn.RMSNorm(size, eps=eps, elementwise_affine=weights) if config.get("qkNorm") else None
        self.queryNorm, self.keyNorm = level(), level()

    def forward(self, x, source, places=None, **mask):
        """Queries from x (B, T, C), keys and values from source (B, S, C); the mask as in `attend`."""
        heads = (self.query(x), self.key(source), self.value(source), self.heads)
        levels = None if self.queryNorm is None else (self.queryNorm, self.keyNorm)
        return self.output(attend(*heads, levels=levels, places=places, base=self.base, **mask))


class MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        channels, bias = config["dModel"], config["bias"]
        self.activation = config["activation"]
        gated = self.activation == "swiglu"
        # There is a third matrix, so the hidden layer is narrower by a third, rounded up to a multiple of four.
        usual = 4 * math.ceil(8 * channels / 3 / 4) if gated else 4 * channels
        hidden = config.get("mlpWidth") or usual
        self.gate = nn.Linear(channels, hidden, bias=bias) if gated else None
        self.up = nn.Linear(channels, hidden, bias=bias)
        self.down = nn.Linear(hidden, channels, bias=bias)

    def forward(self, x):
        hidden = self.up(x)
        if self.activation == "gelu":
            return self.down(F.gelu(hidden))
        if self.activation == "gelu-tanh":
            return self.down(F.gelu(hidden, approximate="tanh"))
        if self.activation == "relu2":
            return self.down(F.relu(hidden).square())
        return self.down(F.silu(self.gate(x)) * hidden)


class Block(nn.Module):
    def __init__(self, config, cross):
        super().__init__()
        norm = lambda: make_norm(config)
        self.attentionNorm, self.attention = norm(), Attention(config)
        self.crossNorm, self.cross = (norm(), Attention(config)) if cross else (None, None)
        self.mlpNorm, self.mlp = norm(), MLP(config)

    def forward(self, x, mask, memory, memory_mask, places):
        normed = self.attentionNorm(x)
        x = x + self.attention(normed, normed, places=places, **mask)
        if self.cross is not None:
            x = x + self.cross(self.crossNorm(x), memory, **memory_mask)
        return x + self.mlp(self.mlpNorm(x))


class Stack(nn.Module):
    """Positions, blocks and a final norm: everything between a token embedding and a head."""

    def __init__(self, config, is_causal, cross):
        super().__init__()
        self.is_causal = is_causal
        self.positions = config.get("positions", "learned")
        learned = self.positions == "learned"
        self.positionEmbedding = nn.Embedding(config["contextLength"], config["dModel"]) if learned else None
        self.blocks = nn.ModuleList(Block(config, cross) for _ in range(config["layers"]))
        self.finalNorm = make_norm(config)

    def forward(self, embedded, own, memory=None, memory_own=None):
        """States (B, T, C). Positions count from the first real token of a row."""
        places = (own.cumsum(-1) - 1).clamp(min=0)
        x = embedded if self.positionEmbedding is None else embedded + self.positionEmbedding(places)
        memory_mask = {} if memory is None else {"visible": memory_own[:, None, None, :]}
        for block in self.blocks:
            x = block(x, self.mask(own), memory, memory_mask, places if self.positions == "rotary" else None)
        return self.finalNorm(x)

    def mask(self, own):
        """The mask for `attend`; without padding, PyTorch's own flag."""
        if own.all():
            return {"is_causal": self.is_causal}
        keys = own[:, None, None, :]
        return {"visible": causal(own.shape[1], own.shape[1]) & keys if self.is_causal else keys}


class Head(nn.Module):
    """Scores of the first `scores` tokens; if tied, from their embeddings."""

    def __init__(self, config, scores):
        super().__init__()
        self.scores = scores
        self.head = None if config["tieHead"] else nn.Linear(config["dModel"], scores, bias=False)

    def forward(self, hidden, table):
        return hidden @ table.weight[: self.scores].T if self.head is None else self.head(hidden)


class GPT(nn.Module):
    """GPT-2's decoder. `forward` returns logits (B, T, V)."""

    def __init__(self, config):
        super().__init__()
        vocabulary, channels = config["vocabSize"], config["dModel"]
        self.vocabulary = vocabulary
        self.tokenEmbedding = nn.Embedding(vocabulary, channels)
        self.bigramEmbedding = nn.Embedding((vocabulary + 1) * vocabulary, channels) if config["bigram"] else None
        self.stack = Stack(config, is_causal=True, cross=False)
        self.output = Head(config, vocabulary)
        self.cap = config.get("logitCap", 0)

    def forward(self, ids, own):
        logits = self.uncapped(ids, own)
        return self.cap * torch.tanh(logits / self.cap) if self.cap else logits

    def uncapped(self, ids, own):
        x = self.tokenEmbedding(ids)
        if self.bigramEmbedding is not None:
            # Nothing precedes the first real token of a row.
            before = F.pad(ids.masked_fill(~own, self.vocabulary), (1, 0), value=self.vocabulary)[:, :-1]
            x = x + self.bigramEmbedding(before * self.vocabulary + ids)
        return self.output(self.stack(x, own), self.tokenEmbedding)


class Encoder(nn.Module):
    """BERT's encoder with GPT-2's blocks; token V is [MASK]. `forward` returns logits (B, T, V)."""

    def __init__(self, config):
        super().__init__()
        self.tokenEmbedding = nn.Embedding(config["vocabSize"] + 1, config["dModel"])
        self.stack = Stack(config, is_causal=False, cross=False)
        self.output = Head(config, config["vocabSize"])

    def forward(self, ids, own):
        return self.output(self.stack(self.tokenEmbedding(ids), own), self.tokenEmbedding)


class EncoderDecoder(nn.Module):
    """Two stacks, the second attending to the first; token V is [end], V + 1 [start]. Returns logits (B, T, V + 1).
    """

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
    """A model in double precision in which every part matters: no bias is 0, and attention is far from uniform."""
    model = make(config).double()
    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                center = 1.0 if isinstance(module, (nn.LayerNorm, nn.RMSNorm)) and name == "weight" else 0.0
                parameter.copy_(draws.tensor(*parameter.shape, deviation=deviation, center=center))
    return model


def named_tensors(model, of=lambda parameter: parameter):
    """The value of `of` for every parameter, under nopeek's name and in its layout: a linear weight is (in, out)."""
    found = {}
    for place, module in model.named_modules():
        # In a model with one stack, the parts are at the top level.
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
    """Mean nats over the targets that are not ignored, for logits (B, T, V) and targets (B, T)."""
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORED)
