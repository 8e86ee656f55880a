/** An encoder–decoder as a folder that Hugging Face's transformers loads without code of ours: Blenderbot's class. */
import { ConfigError } from "../../errors.ts";
import type { ModelConfig } from "../../nn/config.ts";
import { INIT_STD } from "../../nn/initialize.ts";
import { encodeJSON } from "../../run/json.ts";
import { describeMisfit, encoderDecoderMisfit } from "../architecture.ts";
import { encodeWithFloats, Float } from "../json-floats.ts";
import { blenderbotMap } from "../maps/blenderbot.ts";
import { foreignTensors } from "../maps/tensor-map.ts";
import { everyEncoderDecoderShape } from "../parameter-shapes.ts";
import type { ExportedFile, PortableEncoderDecoder } from "../portable-model.ts";
import { sizesOf } from "../sizes.ts";
import { specialToken, tokenizerFiles } from "../tokenizer-json.ts";
import { writeSafetensors } from "../write-safetensors.ts";
import { ACTIVATIONS, type Fields } from "./config-json.ts";
import { type HuggingFaceOptions, TORCH_TYPES } from "./export.ts";

const END = "[end]";
const START = "[start]";

/**
 * The files of a folder for transformers: config, weights and tokenizer.
 *
 * @throws ConfigError if no class of transformers has the options of the model, or a weight is too large for `dtype`
 * @example
 *   const files = exportEncoderDecoder(portableEncoderDecoder(saved));
 *   for (const { name, bytes } of files) writeFileSync(`out/${name}`, bytes);
 */
export function exportEncoderDecoder(
  model: PortableEncoderDecoder,
  { dtype = "f32" }: HuggingFaceOptions = {},
): ExportedFile[] {
  const { config, tensors } = model;
  const misfit = encoderDecoderMisfit(config);
  if (misfit !== null) throw new ConfigError(describeMisfit(misfit));
  const weights = foreignTensors(blenderbotMap(config), everyEncoderDecoderShape(config), tensors);
  const fields = { ...configFields(config), ...specialIds(config), dtype: TORCH_TYPES[dtype] };
  return [
    { name: "config.json", bytes: encodeWithFloats(fields) },
    { name: "generation_config.json", bytes: encodeWithFloats(generationFields(config)) },
    { name: "model.safetensors", bytes: writeSafetensors(weights, dtype) },
    ...tokenizerOf(model),
  ];
}

function configFields(config: ModelConfig): Fields {
  const dropout = new Float(config.dropout);
  const none = new Float(0);
  const { layers, heads } = config;
  const { mlpWidth } = sizesOf(config);
  return {
    architectures: ["BlenderbotForConditionalGeneration"],
    model_type: "blenderbot",
    is_encoder_decoder: true,
    vocab_size: config.vocabSize + 2,
    max_position_embeddings: config.contextLength,
    d_model: config.dModel,
    ...{ encoder_layers: layers, encoder_attention_heads: heads, encoder_ffn_dim: mlpWidth },
    ...{ decoder_layers: layers, decoder_attention_heads: heads, decoder_ffn_dim: mlpWidth },
    activation_function: ACTIVATIONS[config.activation],
    scale_embedding: false,
    tie_word_embeddings: true,
    ...{ dropout, attention_dropout: dropout, activation_dropout: none },
    ...{ encoder_layerdrop: none, decoder_layerdrop: none },
    init_std: new Float(INIT_STD),
    use_cache: true,
  };
}

/** Without the last two, the class would forbid letters and end answers by itself. */
function specialIds({ vocabSize }: ModelConfig): Fields {
  const [end, start] = [vocabSize, vocabSize + 1];
  return {
    bos_token_id: start,
    decoder_start_token_id: start,
    eos_token_id: end,
    // Nothing reads padding. A source contains no [start], so batches find their padding by it.
    pad_token_id: start,
    forced_eos_token_id: null,
    encoder_no_repeat_ngram_size: 0,
  };
}

/** The longest answer: [start] and the rest of the context are read, and one more token is written. */
function generationFields(config: ModelConfig): Fields {
  return { ...specialIds(config), max_length: config.contextLength + 1 };
}

/** Neither source nor answer contains a special token before the model adds it. */
function tokenizerOf({ config, tokenizer }: PortableEncoderDecoder): ExportedFile[] {
  const { vocabSize, contextLength } = config;
  const files = tokenizerFiles(tokenizer, contextLength - 1);
  const special = [specialToken(vocabSize, END), specialToken(vocabSize + 1, START)];
  const vocabulary = { ...files.tokenizer, added_tokens: special };
  const names = { bos_token: START, eos_token: END, pad_token: START, padding_side: "right" };
  return [
    { name: "tokenizer.json", bytes: encodeJSON(vocabulary, "tokenizer.json") },
    {
      name: "tokenizer_config.json",
      bytes: encodeJSON({ ...files.config, ...names }, "tokenizer_config.json"),
    },
  ];
}
