/** A model as a folder that transformers.js loads: `pipeline("text-generation", folder)`. */
import { type GPTConfig, headSizeOf, kvHeadsOf } from "../../nn/config.ts";
import { encodeJSON } from "../../run/json.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { ExportedFile, PortableModel } from "../portable-model.ts";
import { tokenizerFiles } from "../tokenizer-json.ts";
import { onnxBytes } from "./export.ts";

/**
 * The ONNX file, the tokenizer, and the two configurations of transformers.js.
 *
 * @throws ConfigError as `onnxBytes` and `tokenizerFiles` do
 * @example for (const { name, bytes } of onnxFolder(portableModel(saved))) files.write(`tales/${name}`, bytes);
 */
export function onnxFolder(model: PortableModel): ExportedFile[] {
  const { config, tokenizer } = model;
  const { tokenizer: vocabulary, config: tokenizerConfig } = tokenizerFiles(tokenizer, config.contextLength);
  const json = (name: string, value: object) => ({ name, bytes: encodeJSON(value, name) });
  return [
    { name: "onnx/model.onnx", bytes: onnxBytes(model) },
    json("config.json", configOf(config, tokenizer)),
    json("generation_config.json", specialTokens(tokenizer)),
    json("tokenizer.json", vocabulary),
    json("tokenizer_config.json", tokenizerConfig),
  ];
}

/**
 * transformers.js reads the names of the cache's tensors off the model type, and runs the graph, whatever its layers are.
 * So every model has the label of Llama, whose cache is nopeek's: layers, heads of keys, channels of a head.
 */
function configOf(config: GPTConfig, tokenizer: Tokenizer): object {
  return {
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
    vocab_size: config.vocabSize,
    max_position_embeddings: config.contextLength,
    hidden_size: config.dModel,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: kvHeadsOf(config),
    head_dim: headSizeOf(config),
    tie_word_embeddings: config.tieHead,
    ...specialTokens(tokenizer),
    // In browsers its default is a file of rounded weights.
    "transformers.js_config": { dtype: "fp32" },
  };
}

function specialTokens({ endOfText }: Tokenizer): object {
  return endOfText === null
    ? {}
    : { bos_token_id: endOfText, eos_token_id: endOfText, pad_token_id: endOfText };
}
