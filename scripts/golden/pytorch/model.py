"""GPT-2's decoder from PyTorch's own parts: nn.Embedding, nn.LayerNorm, nn.Linear and F.scaled_dot_product_attention.

Modules are named as nopeek names them (src/nn/), so that `named_tensors` gives a checkpoint's names.
"""

import torch
import torch.nn.functional as F
from torch import nn

IGNORED = -1


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
        """Queries from x (B, T, C), keys and values from source (B, S, C); the mask as PyTorch takes it."""
        q, k, v = self.query(x), self.key(source), self.value(source)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (q, k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, **mask)
        return self.output(mixed.transpose(1, 2).flatten(2))


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
    def __init__(self, config):
        super().__init__()
        channels, bias = config["dModel"], config["bias"]
        self.attentionNorm = nn.LayerNorm(channels, bias=bias)
        self.attention = Attention(config)
        self.mlpNorm = nn.LayerNorm(channels, bias=bias)
        self.mlp = MLP(config)

    def forward(self, x, **mask):
        normed = self.attentionNorm(x)
        x = x + self.attention(normed, normed, **mask)
        return x + self.mlp(self.mlpNorm(x))


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        vocabulary, channels = config["vocabSize"], config["dModel"]
        self.tokenEmbedding = nn.Embedding(vocabulary, channels)
        self.positionEmbedding = nn.Embedding(config["contextLength"], channels)
        self.pairEmbedding = nn.Embedding((vocabulary + 1) * vocabulary, channels) if config["bigram"] else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config["layers"]))
        self.finalNorm = nn.LayerNorm(channels, bias=config["bias"])
        self.head = None if config["tieHead"] else nn.Linear(channels, vocabulary, bias=False)

    def forward(self, ids):
        """Logits (B, T, V) for tokens (B, T)."""
        x = self.tokenEmbedding(ids) + self.positionEmbedding(torch.arange(ids.shape[1]))
        if self.pairEmbedding is not None:
            vocabulary = self.tokenEmbedding.num_embeddings
            before = F.pad(ids, (1, 0), value=vocabulary)[:, :-1]
            x = x + self.pairEmbedding(before * vocabulary + ids)
        for block in self.blocks:
            x = block(x, is_causal=True)
        x = self.finalNorm(x)
        return x @ self.tokenEmbedding.weight.T if self.head is None else self.head(x)


def build(make, config, draws, deviation=0.5):
    """A model in double precision every part of which matters: no bias is 0, and attention is far from uniform."""
    model = make(config).double()
    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                is_scale = isinstance(module, nn.LayerNorm) and name == "weight"
                parameter.copy_(draws.tensor(*parameter.shape, deviation=deviation, centre=1.0 if is_scale else 0.0))
    return model


def named_tensors(model, of=lambda parameter: parameter):
    """What `of` gives for every parameter, under nopeek's name and in its layout: a linear weight is (in, out)."""
    found = {}
    for place, module in model.named_modules():
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
