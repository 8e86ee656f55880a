"""Computes one step of two processes with PyTorch's DistributedDataParallel, and compares the averaged gradient.

In double precision, so that the difference is the rounding of nopeek alone.
"""
import json
import os
import sys
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist
import transformers
from torch.nn.parallel import DistributedDataParallel
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder / "hf").double().eval()


def train(rank, folder, meeting):
    """One of the processes: the backward pass over its part. The first compares the gradient that all then have."""
    case = json.loads((folder / "case.json").read_text())
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=len(case["parts"]))
    model = load(folder)
    part = case["parts"][rank]
    inputs, targets = (torch.tensor(part[key]).view(case["rows"], -1) for key in ("inputs", "targets"))
    # It averages in the backward pass, and only as long as something refers to it.
    parallel = DistributedDataParallel(model)
    logits = parallel(input_ids=inputs).logits
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()).backward()
    if rank == 0:
        compare(model, load(folder / "gradient"), case["name"])
    dist.destroy_process_group()


def compare(model, ours, name):
    pairs = [(theirs.grad, mine.detach()) for theirs, mine in zip(model.parameters(), ours.parameters(), strict=True)]
    norm = lambda tensors: sum(float((each**2).sum()) for each in tensors) ** 0.5
    measured = {
        "gradient": norm(a - b for a, b in pairs) / norm(a for a, _ in pairs),
        "gradient of a tensor": max(float((a - b).abs().max() / a.abs().max()) for a, b in pairs),
    }
    for claim, value in measured.items():
        print(json.dumps({"case": name, "claim": claim, "measured": value}), flush=True)


if __name__ == "__main__":
    # Only this machine takes part.
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    for argument in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as meeting:
            # Processes that are forked need not import everything again.
            arguments = (Path(argument), f"{meeting}/processes")
            torch.multiprocessing.start_processes(train, arguments, nprocs=2, start_method="fork")
