"""Writes small random models of transformers with their logits, for test/interop/import/logits.test.ts.

    python scripts/golden/import.py     needs torch and transformers 5

Each folder of test/golden/import/ is one that `save_pretrained` writes, with a tokenizer.json of characters and
expected.json: tokens and the logits for them, in float32.
"""

import json
import pathlib
import shutil

import torch
import transformers as T

VOCABULARY = "abcdefghijk"
SIZES = {"vocab_size": len(VOCABULARY), "hidden_size": 12, "num_hidden_layers": 2, "max_position_embeddings": 16}
GATED = {**SIZES, "intermediate_size": 20, "num_attention_heads": 4}


def rotary(base: float, **others: float) -> dict:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": base, **others}}


def models() -> dict:
    gpt2 = {"vocab_size": len(VOCABULARY), "n_positions": 16, "n_embd": 12, "n_layer": 2, "n_head": 3}
    neo = {"vocab_size": len(VOCABULARY), "max_position_embeddings": 16, "hidden_size": 12, "num_layers": 2, "num_heads": 3}
    return {
        "gpt2": T.GPT2LMHeadModel(T.GPT2Config(**gpt2)),
        "gpt2-exact": T.GPT2LMHeadModel(T.GPT2Config(**gpt2, activation_function="gelu", layer_norm_epsilon=1e-2, n_inner=20)),
        "gpt-neo": T.GPTNeoForCausalLM(T.GPTNeoConfig(**neo, attention_types=[[["global", "local"], 1]], window_size=12)),
        "gpt-neox": T.GPTNeoXForCausalLM(T.GPTNeoXConfig(**SIZES, num_attention_heads=3, intermediate_size=20, use_parallel_residual=False, **rotary(100.0, partial_rotary_factor=1.0))),
        "llama": T.LlamaForCausalLM(T.LlamaConfig(**GATED, num_key_value_heads=2, head_dim=6, rms_norm_eps=1e-2, attention_bias=True, **rotary(500.0))),
        "qwen2": T.Qwen2ForCausalLM(T.Qwen2Config(**{**GATED, "num_attention_heads": 3}, num_key_value_heads=3)),
        "qwen3": T.Qwen3ForCausalLM(T.Qwen3Config(**GATED, num_key_value_heads=1, head_dim=8, tie_word_embeddings=True)),
        "mistral": T.MistralForCausalLM(T.MistralConfig(**GATED, num_key_value_heads=2, head_dim=4, sliding_window=12)),
    }


def main() -> None:
    out = pathlib.Path(__file__).parents[2] / "test/golden/import"
    shutil.rmtree(out, ignore_errors=True)
    torch.manual_seed(0)
    for name, model in models().items():
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.4 + (0 if parameter.dim() > 1 else parameter))
        folder = out / name
        # Several files for one of them.
        model.eval().save_pretrained(folder, max_shard_size="5KB" if name == "llama" else "1GB")
        (folder / "generation_config.json").unlink(missing_ok=True)
        ids = torch.randint(0, len(VOCABULARY), (1, 12))
        with torch.no_grad():
            logits = model(ids).logits[0].flatten().tolist()
        write(folder / "tokenizer.json", {"kind": "char", "characters": VOCABULARY})
        write(folder / "expected.json", {"ids": ids[0].tolist(), "logits": logits})


def write(path: pathlib.Path, value: dict) -> None:
    path.write_text(json.dumps(value) + "\n")


if __name__ == "__main__":
    main()
