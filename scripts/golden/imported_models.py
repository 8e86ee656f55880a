"""Writes small random models of transformers with their logits, for test/interop/import/logits.test.ts.

    python scripts/golden/imported_models.py     needs torch and transformers 5

Each folder of test/golden/import/ is one that `save_pretrained` writes, with a tokenizer.json of characters and
expected.json: tokens and the logits for them, in float32.
"""

import json
import pathlib
import shutil

import torch
import transformers as T

VOCABULARY = "abcdefghijk"


def models(scale: int = 1, context: int = 16) -> dict:
    """One of each class, by name.

    scale:   multiplies the widths; heads keep their number.
    context: the longest sequence; the sliding windows are three quarters of it.
    """
    width, hidden, window = 12 * scale, 20 * scale, context * 3 // 4
    vocabulary = {"vocab_size": len(VOCABULARY)}
    sizes = {**vocabulary, "hidden_size": width, "num_hidden_layers": 2, "max_position_embeddings": context}
    gated = {**sizes, "intermediate_size": hidden, "num_attention_heads": 4}
    gpt2 = {**vocabulary, "n_positions": context, "n_embd": width, "n_layer": 2, "n_head": 3}
    neo = {**vocabulary, "max_position_embeddings": context, "hidden_size": width, "num_layers": 2, "num_heads": 3}
    neox = {**sizes, "num_attention_heads": 3, "intermediate_size": hidden, "use_parallel_residual": False}
    return {
        "gpt2": T.GPT2LMHeadModel(T.GPT2Config(**gpt2)),
        "gpt2-exact": T.GPT2LMHeadModel(
            T.GPT2Config(**gpt2, activation_function="gelu", layer_norm_epsilon=1e-2, n_inner=hidden)
        ),
        "gpt-neo": T.GPTNeoForCausalLM(
            T.GPTNeoConfig(**neo, attention_types=[[["global", "local"], 1]], window_size=window)
        ),
        "gpt-neox": T.GPTNeoXForCausalLM(T.GPTNeoXConfig(**neox, **rotary(100.0, partial_rotary_factor=1.0))),
        "llama": T.LlamaForCausalLM(
            T.LlamaConfig(
                **gated, num_key_value_heads=2, head_dim=6 * scale, rms_norm_eps=1e-2, attention_bias=True, **rotary(500.0)
            )
        ),
        "qwen2": T.Qwen2ForCausalLM(T.Qwen2Config(**{**gated, "num_attention_heads": 3}, num_key_value_heads=3)),
        "qwen3": T.Qwen3ForCausalLM(
            T.Qwen3Config(**gated, num_key_value_heads=1, head_dim=8 * scale, tie_word_embeddings=True)
        ),
        "mistral": T.MistralForCausalLM(
            T.MistralConfig(**gated, num_key_value_heads=2, head_dim=4 * scale, sliding_window=window)
        ),
    }


def rotary(base: float, **others: float) -> dict:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": base, **others}}


def randomize(model: torch.nn.Module, deviation: float) -> torch.nn.Module:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * deviation + (0 if parameter.dim() > 1 else parameter))
    return model.eval()


def main() -> None:
    out = pathlib.Path(__file__).parents[2] / "test/golden/import"
    shutil.rmtree(out, ignore_errors=True)
    torch.manual_seed(0)
    for name, model in models().items():
        folder = out / name
        # Several files for one of them.
        randomize(model, 0.4).save_pretrained(folder, max_shard_size="5KB" if name == "llama" else "1GB")
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
