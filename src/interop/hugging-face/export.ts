/** A model as a folder that Hugging Face's transformers loads without code of ours. */
import { encodeJSON } from "../../run/json.ts";
import { architectureOf } from "../architecture.ts";
import { encodeWithFloats } from "../json-floats.ts";
import { mapOf } from "../maps/index.ts";
import { toForeign } from "../maps/tensor-map.ts";
import type { NumberType } from "../number-types.ts";
import type { ExportedFile, PortableModel } from "../portable-model.ts";
import { tokenizerFiles } from "../tokenizer-json.ts";
import { writeSafetensors } from "../write-safetensors.ts";
import { configFields, generationFields } from "./config-json.ts";

export interface HuggingFaceOptions {
  /** The type of the stored weights. Default: "f32", which keeps every bit. */
  readonly dtype?: NumberType;
}

/** torch's names of the types. */
export const TORCH_TYPES = { f32: "float32", f16: "float16", bf16: "bfloat16" } as const;

/**
 * The files of a folder for transformers: config, weights and tokenizer.
 *
 * @throws ConfigError if no class of transformers has the options of the model, or a weight is too large for `dtype`
 * @example
 *   for (const { name, bytes } of exportHuggingFace(portableModel(saved))) writeFileSync(`out/${name}`, bytes);
 */
export function exportHuggingFace(
  { config, tokenizer, tensors }: PortableModel,
  { dtype = "f32" }: HuggingFaceOptions = {},
): ExportedFile[] {
  const name = architectureOf(config);
  const { endOfText } = tokenizer;
  const weights = toForeign(mapOf(name, config), config, tensors);
  const files = tokenizerFiles(tokenizer, config.contextLength);
  return [
    {
      name: "config.json",
      bytes: encodeWithFloats(configFields(name, config, { dtype: TORCH_TYPES[dtype], endOfText })),
    },
    { name: "generation_config.json", bytes: encodeWithFloats(generationFields(endOfText)) },
    { name: "model.safetensors", bytes: writeSafetensors(weights, dtype) },
    { name: "tokenizer.json", bytes: encodeJSON(files.tokenizer, "tokenizer.json") },
    { name: "tokenizer_config.json", bytes: encodeJSON(files.config, "tokenizer_config.json") },
  ];
}
