"""Generates the golden files test/golden/pytorch/*.json: PyTorch's results for models, training and single ops.

    python3 -m venv ENV && ENV/bin/pip install torch==2.15.0 numpy
    ENV/bin/python scripts/golden/pytorch/make.py            writes the files
    ENV/bin/python scripts/golden/pytorch/make.py --check    compares them with what PyTorch returns now

Python is needed only to change the golden files, not to use or test nopeek. The files in the repository were made by
PyTorch 2.15.0 on a CPU; each one names its version in "madeBy".

Everything is derived from seeds: two runs on the same machine produce the same bytes. Another machine may sum in a
different order, so `--check` allows a difference of 1e-12 (for details, see store.py). Weights and inputs are exact
in single precision, and PyTorch computes in double precision, so any difference found by a test is nopeek's own
error.
"""

import sys

import torch

import models
import ops
import store
import training

FILES = {
    "gpt": models.make_gpts,
    "gpt-choices": models.make_gpts_of_other_choices,
    "gpt-imported": models.make_gpts_of_imported_options,
    "encoder": models.make_encoders,
    "encoder-decoder": models.make_encoder_decoders,
    "curves": training.make_curves,
    "muon": training.make_muon_steps,
    "ops": ops.make,
}


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    differences = 0
    for name, make in FILES.items():
        made = {"madeBy": f"PyTorch {torch.__version__.split('+')[0]}", **make()}
        if arguments:
            differences += store.check(name, made)
        else:
            store.write(name, made)
    sys.exit(1 if differences else 0)


main(sys.argv[1:])
