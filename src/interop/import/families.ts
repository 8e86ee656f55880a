/**
 * The model classes that can be imported: what their config.json means in nopeek's settings, and where their weights
 * are. Defaults are those of the classes, because a config.json leaves out what equals them.
 */
import { ConfigError } from "../../errors.ts";
import type { GPTConfig } from "../../nn/config.ts";
import { gptNeoMap } from "../maps/gpt-neo.ts";
import { mapOf } from "../maps/index.ts";
import { nanoGPTMap } from "../maps/nanogpt.ts";
import type { TensorMap } from "../maps/tensor-map.ts";
import type { ConfigFields } from "./config-fields.ts";
import { llamaSettings, slidingContext, type WindowRule } from "./llama-fields.ts";

/** What can be asked about the tensors of a folder. */
export interface TensorFacts {
  find(name: string): { readonly shape: readonly number[] } | undefined;
  names(): readonly string[];
}

/** A model in nopeek's terms. */
export interface ForeignModel {
  /** The settings that the config.json decides; the rest have their defaults. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly vocabSize: number;
  readonly map: (config: GPTConfig) => TensorMap;
  /** What a user should know about the result. */
  readonly remarks: readonly string[];
}

type Family = (fields: ConfigFields, tensors: TensorFacts) => ForeignModel;

const GELU = {
  gelu: "gelu",
  gelu_new: "gelu-tanh",
  gelu_fast: "gelu-tanh",
  gelu_pytorch_tanh: "gelu-tanh",
  relu2: "relu2",
} as const;

/** By `model_type`. */
const FAMILIES: Readonly<Record<string, Family>> = {
  gpt2: (fields, tensors) => {
    const dModel = fields.count("n_embd", 768);
    fields.only("scale_attn_weights", true, [true]);
    fields.only("scale_attn_by_inverse_layer_idx", false, [false]);
    fields.only("add_cross_attention", false, [false]);
    // An old name of n_positions.
    fields.get("n_ctx");
    // nanoGPT has Linear layers, (out, in), where GPT-2 has Conv1D, (in, out). A square matrix does not show which.
    const joined = tensors.find("transformer.h.0.attn.c_attn.weight")?.shape ?? [];
    const isNanoGPT = joined[0] === 3 * dModel && joined[1] === dModel;
    return {
      vocabSize: fields.count("vocab_size", 50257),
      settings: {
        ...{ layers: fields.count("n_layer", 12), heads: fields.count("n_head", 12), dModel },
        contextLength: fields.count("n_positions", 1024),
        mlpWidth: fields.count("n_inner", 4 * dModel),
        activation: fields.word("activation_function", "gelu_new", GELU),
        normEpsilon: fields.number("layer_norm_epsilon", 1e-5),
        tieHead: fields.flag("tie_word_embeddings", true),
        ...{ positions: "learned", norm: "layer", normWeights: true, bias: hasBiases(tensors) },
      },
      map: (config) => (isNanoGPT ? nanoGPTMap(config) : mapOf("GPT2", config)),
      remarks: [],
    };
  },
  gpt_neo: (fields, tensors) => {
    const dModel = fields.count("hidden_size", 2048);
    const positions = fields.count("max_position_embeddings", 2048);
    const window = fields.count("window_size", 256);
    const layers = [...(fields.list("attention_layers") ?? []), ...(fields.list("attention_types") ?? [])];
    // Without a list of layers, every second one is local.
    const isLocal = layers.length === 0 || JSON.stringify(layers).includes('"local"');
    const contextLength = isLocal ? Math.min(positions, window) : positions;
    return {
      vocabSize: fields.count("vocab_size", 50257),
      settings: {
        ...{
          layers: fields.count("num_layers", 24),
          heads: fields.count("num_heads", 16),
          dModel,
          contextLength,
        },
        mlpWidth: fields.count("intermediate_size", 4 * dModel),
        activation: fields.word("activation_function", "gelu_new", GELU),
        normEpsilon: fields.number("layer_norm_epsilon", 1e-5),
        tieHead: fields.flag("tie_word_embeddings", true),
        ...{ positions: "learned", norm: "layer", normWeights: true, bias: hasBiases(tensors) },
      },
      map: gptNeoMap,
      remarks:
        contextLength < positions ? [shortened(contextLength, positions, "its local attention sees")] : [],
    };
  },
  gpt_neox: (fields, tensors) => {
    fields.only("use_parallel_residual", true, [false]);
    const parameters = fields.inside("rope_parameters");
    parameters?.only("rope_type", "default", ["default"]);
    fields.only("rope_scaling", null, [null]);
    const part = parameters?.number("partial_rotary_factor", 0.25) ?? fields.number("rotary_pct", 0.25);
    fields.get("rotary_pct");
    fields.get("partial_rotary_factor");
    if (part !== 1)
      throw new ConfigError(`config.json: \`rotary_pct\` must be 1, to be computed here: got ${part}`);
    const base = parameters?.number("rope_theta", 10_000) ?? fields.number("rotary_emb_base", 10_000);
    fields.get("rotary_emb_base");
    fields.get("rope_theta");
    parameters?.finish();
    // A model without them has no such tensors.
    fields.flag("attention_bias", true);
    return {
      vocabSize: fields.count("vocab_size", 50432),
      settings: {
        ...{ layers: fields.count("num_hidden_layers"), heads: fields.count("num_attention_heads") },
        ...{
          dModel: fields.count("hidden_size"),
          contextLength: fields.count("max_position_embeddings", 2048),
        },
        mlpWidth: fields.count("intermediate_size"),
        activation: fields.word("hidden_act", "gelu", GELU),
        normEpsilon: fields.number("layer_norm_eps", 1e-5),
        tieHead: fields.flag("tie_word_embeddings", false),
        ropeBase: base,
        ...{ positions: "rotary", norm: "layer", normWeights: true, bias: hasBiases(tensors) },
      },
      map: (config) => mapOf("GPTNeoX", config),
      remarks: [],
    };
  },
  llama: (fields, tensors) => {
    const model = llamaSettings(fields, tensors, { normEpsilon: 1e-6 });
    return { ...model, map: (config) => mapOf("Llama", config), remarks: [] };
  },
  mistral: (fields, tensors) => {
    const model = llamaSettings(fields, tensors, { normEpsilon: 1e-6 });
    const rule = { used: "always", length: 4096 } as const;
    return { ...windowed(fields, model, rule), map: (config) => mapOf("Llama", config) };
  },
  qwen2: (fields, tensors) => {
    const model = llamaSettings(fields, tensors, { normEpsilon: 1e-6 });
    return { ...windowed(fields, model), map: (config) => mapOf("Llama", config) };
  },
  qwen3: (fields, tensors) => {
    const model = llamaSettings(fields, tensors, { normEpsilon: 1e-6, headSize: 128 });
    const settings = { ...model.settings, qkNorm: true, qkNormWeights: true };
    return { ...windowed(fields, { ...model, settings }), map: (config) => mapOf("Qwen3", config) };
  },
  arcee: (fields, tensors) => {
    const activation = fields.word("hidden_act", "relu2", GELU);
    const model = llamaSettings(fields, tensors, { normEpsilon: 1e-5, activation });
    return { ...model, map: (config) => mapOf("Arcee", config), remarks: [] };
  },
  smollm3: (fields, tensors) => {
    const layers = fields.count("num_hidden_layers");
    const interval = fields.count("no_rope_layer_interval", 4);
    const rotated =
      fields.list("no_rope_layers") ??
      Array.from({ length: layers }, (_, i) => Number((i + 1) % interval !== 0));
    const [positions] = rotated;
    if (
      rotated.length !== layers ||
      rotated.some((layer) => layer !== positions) ||
      (positions !== 0 && positions !== 1)
    )
      throw new ConfigError(
        `config.json: \`no_rope_layers\` must be 0 for every layer or 1 for every layer, to be computed here: got ${JSON.stringify(rotated).slice(0, 80)}`,
      );
    const model = llamaSettings(fields, tensors, { normEpsilon: 1e-6, ropeBase: 2_000_000, tieHead: true });
    const settings = { ...model.settings, positions: positions === 1 ? "rotary" : "none" };
    return { ...windowed(fields, { ...model, settings }), map: (config) => mapOf("SmolLM3", config) };
  },
  olmo: (fields, tensors) => {
    fields.only("clip_qkv", null, [null]);
    const model = llamaSettings(fields, tensors, { normEpsilon: 1e-5 });
    const settings = { ...model.settings, norm: "layer", normWeights: false };
    return { ...model, settings, map: (config) => mapOf("OLMo", config), remarks: [] };
  },
  vaultgemma: (fields, tensors) => {
    fields.only("hidden_activation", "gelu_pytorch_tanh", ["silu"]);
    fields.only("attn_logit_softcapping", 50, [null]);
    const headSize = fields.count("head_dim", 256);
    fields.only("query_pre_attn_scalar", 256, [headSize]);
    // A tied head would be without the factor √C of the embedding.
    fields.only("tie_word_embeddings", true, [false]);
    const logitCap = fields.number("final_logit_softcapping", 30);
    const model = llamaSettings(fields, tensors, { normEpsilon: 1e-6, headSize });
    const settings = { ...model.settings, logitCap };
    // Without a list of layers, every second one slides.
    const rule = { used: "by default", length: 4096 } as const;
    return {
      ...windowed(fields, { ...model, settings }, rule),
      map: (config) => mapOf("VaultGemma", config),
    };
  },
};

/** What can be imported, for messages. */
export const IMPORTABLE =
  "GPT-2 and nanoGPT (gpt2), GPT-Neo and TinyStories (gpt_neo), GPT-NeoX without parallel residuals (gpt_neox), Llama and SmolLM2 (llama), Mistral (mistral), Qwen2 (qwen2), Qwen3 (qwen3), Arcee (arcee), SmolLM3 (smollm3), OLMo (olmo), VaultGemma (vaultgemma)";

/** @throws ConfigError for a class or a field that nopeek does not compute */
export function readFamily(
  fields: ConfigFields,
  tensors: TensorFacts,
  ignored: readonly string[] = [],
): ForeignModel & { readonly type: string } {
  const type = fields.get("model_type");
  if (fields.get("quantization_config") !== undefined)
    throw new ConfigError(
      "config.json: `quantization_config`: the weights are quantized, and only F32, F16 and BF16 are read",
    );
  if (typeof type !== "string" || !Object.hasOwn(FAMILIES, type))
    throw new ConfigError(
      `config.json: \`model_type\` ${JSON.stringify(type ?? null).slice(0, 60)} cannot be imported; these can: ${IMPORTABLE}`,
    );
  const model = FAMILIES[type](fields, tensors);
  fields.finish(ignored);
  return { ...model, type };
}

/** Whether there are biases; masks that are named "bias" are left out before. */
function hasBiases(tensors: TensorFacts): boolean {
  return tensors.names().some((name) => name.endsWith(".bias"));
}

/** Limits the context to what a sliding window sees whole. */
function windowed<Model extends Omit<ForeignModel, "map" | "remarks">>(
  fields: ConfigFields,
  model: Model,
  rule: WindowRule = { used: "on demand", length: 4096 },
): Model & { readonly remarks: readonly string[] } {
  const positions = Number(model.settings.contextLength);
  const contextLength = slidingContext(fields, positions, rule);
  const remarks =
    contextLength < positions ? [shortened(contextLength, positions, "its sliding window sees")] : [];
  return { ...model, settings: { ...model.settings, contextLength }, remarks };
}

function shortened(length: number, full: number, why: string): string {
  return `the context is ${length} tokens, not ${full}: beyond that, ${why} only a part, which is not computed here`;
}
