"""Times a training step of nanoGPT's CPU setting in PyTorch: the twin of `nopeek bench --preset shakespeare-cpu`.

python3 scripts/bench/peers/step.py THREADS      (needs the package torch; nopeek itself does not)
"""

import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

VOCAB, CONTEXT, CHANNELS, HEADS, LAYERS, BATCH = 65, 64, 128, 4, 4, 12
WARM_UP_ROUNDS, ROUNDS = 5, 35


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm = nn.LayerNorm(CHANNELS, bias=False)
        self.mlp_norm = nn.LayerNorm(CHANNELS, bias=False)
        self.query_key_value = nn.Linear(CHANNELS, 3 * CHANNELS, bias=False)
        self.output = nn.Linear(CHANNELS, CHANNELS, bias=False)
        self.expand = nn.Linear(CHANNELS, 4 * CHANNELS, bias=False)
        self.contract = nn.Linear(4 * CHANNELS, CHANNELS, bias=False)

    def forward(self, x):
        joint = self.query_key_value(self.attention_norm(x)).split(CHANNELS, -1)
        q, k, v = (part.view(BATCH, CONTEXT, HEADS, -1).transpose(1, 2) for part in joint)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(BATCH, CONTEXT, CHANNELS))
        return x + self.contract(F.gelu(self.expand(self.mlp_norm(x))))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.token = nn.Embedding(VOCAB, CHANNELS)
        self.position = nn.Embedding(CONTEXT, CHANNELS)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(CHANNELS, bias=False)

    def forward(self, ids):
        x = self.blocks(self.token(ids) + self.position.weight)
        return self.norm(x) @ self.token.weight.T


torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(0)
model = GPT()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
ids = torch.randint(0, VOCAB, (BATCH, CONTEXT))
times = []
for _ in range(WARM_UP_ROUNDS + ROUNDS):
    start = time.perf_counter()
    loss = F.cross_entropy(model(ids).view(-1, VOCAB), ids.view(-1))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    times.append(1000 * (time.perf_counter() - start))
times = sorted(times[WARM_UP_ROUNDS:])
print(f"torch {torch.__version__}, {sys.argv[1]} threads: median {times[len(times) // 2]:.1f} ms, best {times[0]:.1f} ms")
