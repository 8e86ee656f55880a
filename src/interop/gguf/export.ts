/** A model as a GGUF file for llama.cpp, and the programs that are built on it. */
import { ConfigError } from "../../errors.ts";
import type { GPTConfig } from "../../nn/config.ts";
import { checkTypes } from "../../util/check-types.ts";
import { type ArchitectureName, describeMisfit, fitArchitecture } from "../architecture.ts";
import { toForeign } from "../maps/tensor-map.ts";
import type { NumberType } from "../number-types.ts";
import type { PortableModel } from "../portable-model.ts";
import { sizesOf } from "../sizes.ts";
import { type GGUFArchitecture, ggufMap } from "./tensors.ts";
import { vocabularyMetadata } from "./vocabulary.ts";
import { encodeGGUF, type MetadataValue } from "./write.ts";

export interface GGUFOptions {
  /** The model's name in the metadata. */
  readonly name?: string;
  /** How the numbers of matrices are stored; "f32" by default. */
  readonly dtype?: NumberType;
  /**
   * The id that ends a text, for a tokenizer of characters without an end token: llama.cpp needs one. Generation stops
   * there, so it should be rare.
   */
  readonly endToken?: number;
}

/** Kinds of file, by their number in the metadata. */
const FILE_TYPES: Readonly<Record<NumberType, number>> = { f32: 0, f16: 1, bf16: 32 };

/** llama.cpp takes a model with such a name for Phi-3, and refuses it without Phi-3's tokens. */
const PHI3 = /phi-?3/i;

/** llama.cpp's names of the architectures that it has. */
const ARCHITECTURES: ReadonlyMap<ArchitectureName, GGUFArchitecture> = new Map([
  ["GPT2", "gpt2"],
  ["GPTNeoX", "gptneox"],
  ["Llama", "llama"],
  ["Qwen3", "qwen3"],
  ["Arcee", "arcee"],
  ["OLMo", "olmo"],
]);

/**
 * Writes a model as a GGUF file.
 *
 * @throws ConfigError if llama.cpp has no architecture with the options of the model, or the model needs an `endToken`
 * @example
 *   const bytes = exportGGUF(portableModel(saved), { name: "tales" });
 */
export function exportGGUF(
  { config, tokenizer, tensors }: PortableModel,
  { name, dtype = "f32", endToken }: GGUFOptions = {},
): Uint8Array {
  checkTypes("exportGGUF", { config, tensors }, { config: "object", tensors: ["get"] });
  const architecture = ggufArchitectureOf(config);
  const metadata = new Map<string, MetadataValue>([
    ["general.architecture", { type: "string", value: architecture }],
    ...(name === undefined || PHI3.test(name)
      ? []
      : [["general.name", { type: "string", value: name }] as const]),
    ["general.file_type", { type: "uint32", value: FILE_TYPES[dtype] }],
    ...modelMetadata(architecture, config),
    ...vocabularyMetadata(tokenizer, endToken),
  ]);
  return encodeGGUF({ metadata, tensors: toForeign(ggufMap(architecture, config), config, tensors) }, dtype);
}

/**
 * llama.cpp's name for the architecture of a model.
 *
 * @param nameOption how a setting and a value are written
 * @throws ConfigError if it has none with these options; the message names those in the way
 */
export function ggufArchitectureOf(
  config: GPTConfig,
  nameOption: typeof nameSetting = nameSetting,
): GGUFArchitecture {
  const fit = fitArchitecture(config);
  if (fit.name === null) throw new ConfigError(describeMisfit(fit, nameOption));
  const architecture = ARCHITECTURES.get(fit.name);
  if (architecture === undefined) {
    throw new ConfigError(
      `llama.cpp does not have ${fit.name}, which is the architecture of this model; Hugging Face's transformers and ONNX hold it`,
    );
  }
  const obstacles = obstaclesTo(architecture, config).map(([name, allowed]) => nameOption(name, allowed));
  if (obstacles.length === 0) return architecture;
  throw new ConfigError(
    `llama.cpp's ${architecture} needs ${obstacles.join(" and ")}; Hugging Face's transformers and ONNX hold this model as it is`,
  );
}

/** What llama.cpp lacks of an architecture of transformers: settings, with a value that it has. */
function obstaclesTo(
  architecture: GGUFArchitecture,
  { activation, bias }: GPTConfig,
): [setting: string, allowed: string | boolean][] {
  switch (architecture) {
    case "gpt2":
    case "gptneox":
      return activation === "relu2" ? [["activation", "gelu-tanh"]] : [];
    case "arcee":
      return [
        ...(activation === "relu2" ? [] : [["activation", "relu2"] as [string, string]]),
        ...(bias ? [["bias", false] as [string, boolean]] : []),
      ];
    default:
      return [];
  }
}

function nameSetting(setting: string, value: string | number | boolean): string {
  return `\`${setting}\` ${value}`;
}

function modelMetadata(architecture: GGUFArchitecture, config: GPTConfig): [string, MetadataValue][] {
  const { vocabSize, contextLength, dModel, layers, heads, norm, normEpsilon, positions, ropeBase } = config;
  const { headSize, kvHeads, mlpWidth } = sizesOf(config);
  const counts = {
    vocab_size: vocabSize,
    context_length: contextLength,
    embedding_length: dModel,
    block_count: layers,
    feed_forward_length: mlpWidth,
    "attention.head_count": heads,
    "attention.head_count_kv": kvHeads,
    "attention.key_length": headSize,
    "attention.value_length": headSize,
    ...(positions === "rotary" ? { "rope.dimension_count": headSize } : {}),
  };
  const epsilon = norm === "rms" ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
  const numbers = {
    [epsilon]: normEpsilon,
    ...(positions === "rotary" ? { "rope.freq_base": ropeBase } : {}),
  };
  const entries: [string, MetadataValue][] = [
    ...Object.entries(counts).map(([key, value]): [string, MetadataValue] => [
      key,
      { type: "uint32", value },
    ]),
    ...Object.entries(numbers).map(([key, value]): [string, MetadataValue] => [
      key,
      { type: "float32", value },
    ]),
  ];
  if (architecture === "gptneox") entries.push(["use_parallel_residual", { type: "bool", value: false }]);
  return entries.map(([key, value]) => [`${architecture}.${key}`, value]);
}
