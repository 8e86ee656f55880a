/** The fields of config.json that Llama shares with the classes made after it. */
import type { ConfigFields } from "./config-fields.ts";
import type { ForeignModel, TensorFacts } from "./families.ts";

/** What sets the classes apart. */
interface Defaults {
  readonly normEpsilon: number;
  readonly ropeBase?: number;
  readonly headSize?: number;
  readonly tieHead?: boolean;
  /** undefined: gated, with SiLU. */
  readonly activation?: string;
}

/** Sizes, rotary positions, biases and norms of a Llama. */
export function llamaSettings(
  fields: ConfigFields,
  tensors: TensorFacts,
  defaults: Defaults,
): Pick<ForeignModel, "settings" | "vocabSize"> {
  const heads = fields.count("num_attention_heads");
  const dModel = fields.count("hidden_size");
  const kvHeads = fields.count("num_key_value_heads", heads);
  const headSize = fields.count("head_dim", defaults.headSize ?? dModel / heads);
  if (defaults.activation === undefined) fields.only("hidden_act", "silu", ["silu", "swish"]);
  // Whether there are biases is seen from the tensors; one that is missing is 0.
  fields.flag("attention_bias", false);
  fields.flag("mlp_bias", false);
  return {
    vocabSize: fields.count("vocab_size"),
    settings: {
      ...{ layers: fields.count("num_hidden_layers"), heads, kvHeads, dModel, headSize },
      contextLength: fields.count("max_position_embeddings", 2048),
      mlpWidth: fields.count("intermediate_size"),
      activation: defaults.activation ?? "swiglu",
      normEpsilon: fields.number("rms_norm_eps", defaults.normEpsilon),
      ropeBase: ropeBase(fields, defaults.ropeBase ?? 10_000),
      tieHead: fields.flag("tie_word_embeddings", defaults.tieHead ?? false),
      ...{ positions: "rotary", norm: "rms", normWeights: true },
      bias: tensors.names().some((name) => name.endsWith("proj.bias")),
    },
  };
}

/** Earlier versions of transformers write rope_theta and rope_scaling, later ones rope_parameters; some write both. */
function ropeBase(fields: ConfigFields, fallback: number): number {
  const base = fields.number("rope_theta", fallback);
  for (const name of ["rope_scaling", "rope_parameters"]) {
    const rope = fields.inside(name);
    if (rope === null) continue;
    rope.only("rope_type", rope.get("type") ?? "default", ["default"]);
    rope.only("type", "default", ["default"]);
    rope.only("partial_rotary_factor", 1, [1]);
    const own = rope.number("rope_theta", base);
    rope.finish();
    if (name === "rope_parameters") {
      if (fields.get("rope_theta") !== undefined) fields.only("rope_theta", own, [own]);
      return own;
    }
  }
  fields.only("partial_rotary_factor", 1, [1]);
  return base;
}

/** How a class uses a sliding window. */
export interface WindowRule {
  /** "on demand": if `use_sliding_window` or `layer_types` say so; "by default": unless `layer_types` say otherwise. */
  readonly used: "always" | "by default" | "on demand";
  /** Its length in tokens if config.json leaves it out. */
  readonly length: number;
}

/** The longest context in which a sliding window sees every token. */
export function slidingContext(
  fields: ConfigFields,
  positions: number,
  { used, length: usual }: WindowRule,
): number {
  const types = fields.list("layer_types");
  const slides = types === null ? used === "by default" : types.some((type) => type !== "full_attention");
  const asked = fields.flag("use_sliding_window", false);
  const length = fields.countOrNull("sliding_window", usual);
  return length !== null && (used === "always" || slides || asked) ? Math.min(positions, length) : positions;
}
