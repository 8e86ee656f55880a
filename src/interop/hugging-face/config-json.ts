/**
 * `config.json` of a folder for Hugging Face's transformers: the model class and its options. One file serves version 4
 * and version 5, which name some options differently, and every option is written, because defaults differ between
 * classes and versions.
 */

import type { GPTConfig } from "../../nn/config.ts";
import { INIT_STD } from "../../nn/initialize.ts";
import type { ArchitectureName } from "../architecture.ts";
import { Float, type Json } from "../json-floats.ts";
import { sizesOf } from "../sizes.ts";

export type Fields = Readonly<Record<string, Json | undefined>>;

/** What is not in a GPT's config. */
export interface ConfigExtras {
  /** torch's name of the type of the stored weights. */
  readonly dtype: "float32" | "float16" | "bfloat16";
  /** The token that begins and ends texts, and pads batches; null if there is none. */
  readonly endOfText: number | null;
}

/** The names of transformers' activations. */
export const ACTIVATIONS = { gelu: "gelu", "gelu-tanh": "gelu_new", relu2: "relu2", swiglu: "silu" } as const;

/** The type of a model in `config.json`, and the class that has its head. */
const CLASSES: Readonly<Record<ArchitectureName, { readonly type: string; readonly name: string }>> = {
  GPT2: { type: "gpt2", name: "GPT2LMHeadModel" },
  GPTNeoX: { type: "gpt_neox", name: "GPTNeoXForCausalLM" },
  Llama: { type: "llama", name: "LlamaForCausalLM" },
  Qwen3: { type: "qwen3", name: "Qwen3ForCausalLM" },
  Arcee: { type: "arcee", name: "ArceeForCausalLM" },
  SmolLM3: { type: "smollm3", name: "SmolLM3ForCausalLM" },
  OLMo: { type: "olmo", name: "OlmoForCausalLM" },
  VaultGemma: { type: "vaultgemma", name: "VaultGemmaForCausalLM" },
};

const OPTIONS: Readonly<Record<ArchitectureName, (config: GPTConfig) => Fields>> = {
  GPT2: gpt2Options,
  GPTNeoX: gptNeoXOptions,
  Llama: (config) => ({ ...llamaOptions(config), mlp_bias: config.bias, pretraining_tp: 1 }),
  Qwen3: (config) => ({ ...llamaOptions(config), use_sliding_window: false, sliding_window: null }),
  Arcee: (config) => ({ ...llamaOptions(config), mlp_bias: config.bias }),
  SmolLM3: smolLM3Options,
  OLMo: (config) => ({ ...llamaOptions(config), clip_qkv: null }),
  VaultGemma: vaultGemmaOptions,
};

/** The fields of `config.json`. */
export function configFields(name: ArchitectureName, config: GPTConfig, extras: ConfigExtras): Fields {
  const { type, name: className } = CLASSES[name];
  return {
    architectures: [className],
    model_type: type,
    vocab_size: config.vocabSize,
    ...OPTIONS[name](config),
    tie_word_embeddings: config.tieHead && name !== "VaultGemma",
    initializer_range: new Float(INIT_STD),
    ...specialTokens(extras.endOfText),
    use_cache: true,
    dtype: extras.dtype,
  };
}

/** The fields of `generation_config.json`: generation stops at the end token. */
export function generationFields(endOfText: number | null): Fields {
  return specialTokens(endOfText);
}

/** Without the nulls, the ids of the class's own models would be taken. */
function specialTokens(endOfText: number | null): Fields {
  return { bos_token_id: endOfText, eos_token_id: endOfText, pad_token_id: endOfText };
}

function gpt2Options(config: GPTConfig): Fields {
  const dropout = new Float(config.dropout);
  return {
    n_positions: config.contextLength,
    n_embd: config.dModel,
    n_layer: config.layers,
    n_head: config.heads,
    n_inner: sizesOf(config).mlpWidth,
    activation_function: ACTIVATIONS[config.activation],
    layer_norm_epsilon: new Float(config.normEpsilon),
    ...{ resid_pdrop: dropout, embd_pdrop: dropout, attn_pdrop: dropout },
    scale_attn_weights: true,
    scale_attn_by_inverse_layer_idx: false,
    reorder_and_upcast_attn: false,
  };
}

/** The sizes, which most classes call by the same names. */
function sizeFields(config: GPTConfig): Fields {
  return {
    hidden_size: config.dModel,
    intermediate_size: sizesOf(config).mlpWidth,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    max_position_embeddings: config.contextLength,
    hidden_act: ACTIVATIONS[config.activation],
    attention_dropout: new Float(config.dropout),
  };
}

/** Version 4 reads the base from a separate field. */
function ropeFields(config: GPTConfig, more: Fields = {}): Fields {
  const base = new Float(config.ropeBase);
  return { rope_theta: base, rope_parameters: { rope_type: "default", rope_theta: base, ...more } };
}

function gptNeoXOptions(config: GPTConfig): Fields {
  const whole = new Float(1);
  return {
    ...sizeFields(config),
    hidden_dropout: new Float(config.dropout),
    layer_norm_eps: new Float(config.normEpsilon),
    attention_bias: true,
    use_parallel_residual: false,
    // All channels of a head are rotated.
    rotary_pct: whole,
    rotary_emb_base: new Float(config.ropeBase),
    ...ropeFields(config, { partial_rotary_factor: whole }),
  };
}

function llamaOptions(config: GPTConfig): Fields {
  const { headSize, kvHeads } = sizesOf(config);
  return {
    ...sizeFields(config),
    num_key_value_heads: kvHeads,
    head_dim: headSize,
    rms_norm_eps: new Float(config.normEpsilon),
    attention_bias: config.bias,
    ...ropeFields(config),
  };
}

/** Layers whose entry is 0 rotate nothing. */
function smolLM3Options(config: GPTConfig): Fields {
  return {
    ...llamaOptions(config),
    mlp_bias: config.bias,
    no_rope_layers: Array.from({ length: config.layers }, () => 0),
    use_sliding_window: false,
    sliding_window: null,
    layer_types: Array.from({ length: config.layers }, () => "full_attention"),
  };
}

function vaultGemmaOptions(config: GPTConfig): Fields {
  const { hidden_act: activation, ...options } = llamaOptions(config);
  return {
    ...options,
    hidden_activation: activation,
    // Scores are divided by its square root.
    query_pre_attn_scalar: sizesOf(config).headSize,
    final_logit_softcapping: new Float(config.logitCap),
    attn_logit_softcapping: null,
    layer_types: Array.from({ length: config.layers }, () => "full_attention"),
  };
}
