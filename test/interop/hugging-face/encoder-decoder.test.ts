/** The files of an encoder–decoder for transformers. scripts/interop/check_seq2seq.py opens them in transformers. */
import { describe, expect, test } from "vitest";
import { resolveSettings, type Settings } from "../../../src/config/settings.ts";
import { ConfigError } from "../../../src/errors.ts";
import { exportEncoderDecoder } from "../../../src/interop/hugging-face/encoder-decoder.ts";
import type { NumberType } from "../../../src/interop/number-types.ts";
import { encoderDecoderShapes } from "../../../src/interop/parameter-shapes.ts";
import type { PortableEncoderDecoder } from "../../../src/interop/portable-model.ts";
import { gptConfigOf } from "../../../src/run/config.ts";
import { decodeSafetensors } from "../../../src/run/safetensors.ts";
import { CharTokenizer } from "../../../src/text/char-tokenizer.ts";

function modelOf(changes: Partial<Settings> = {}): PortableEncoderDecoder {
  const tokenizer = new CharTokenizer("abc");
  const sizes = { model: "seq2seq", layers: 2, heads: 2, dModel: 12, maxLength: 6 } as const;
  const config = gptConfigOf(resolveSettings({ ...sizes, ...changes }), tokenizer.vocabSize);
  const tensors = Array.from(encoderDecoderShapes(config), ([name, shape]) => {
    const length = shape.reduce((size, each) => size * each, 1);
    return [name, { shape, values: new Float32Array(length).fill(0.5) }] as const;
  });
  return { config, tokenizer, tensors: new Map(tensors) };
}

function bytesOf(name: string, model: PortableEncoderDecoder, dtype: NumberType = "f32"): Uint8Array {
  const file = exportEncoderDecoder(model, { dtype }).find((each) => each.name === name);
  return file?.bytes ?? new Uint8Array(0);
}

const jsonOf = (name: string, model = modelOf(), dtype: NumberType = "f32") =>
  JSON.parse(new TextDecoder().decode(bytesOf(name, model, dtype)));

describe("the folder of an encoder–decoder", () => {
  test("has the five files that transformers reads", () => {
    expect(exportEncoderDecoder(modelOf()).map(({ name }) => name)).toEqual([
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
  });

  test("config.json has the sizes and options of Blenderbot's class", () => {
    const model = modelOf({ activation: "gelu-tanh", mlpWidth: 20 });
    expect(jsonOf("config.json", model)).toMatchObject({
      architectures: ["BlenderbotForConditionalGeneration"],
      model_type: "blenderbot",
      is_encoder_decoder: true,
      vocab_size: 5,
      max_position_embeddings: 7,
      d_model: 12,
      encoder_layers: 2,
      decoder_layers: 2,
      encoder_attention_heads: 2,
      decoder_attention_heads: 2,
      encoder_ffn_dim: 20,
      decoder_ffn_dim: 20,
      activation_function: "gelu_new",
      scale_embedding: false,
      tie_word_embeddings: true,
      dtype: "float32",
    });
    expect(jsonOf("config.json", model, "bf16").dtype).toBe("bfloat16");
  });

  test("[start] precedes answers and pads, [end] ends them, and generation forbids and forces nothing", () => {
    const special = {
      decoder_start_token_id: 4,
      bos_token_id: 4,
      pad_token_id: 4,
      eos_token_id: 3,
      forced_eos_token_id: null,
      encoder_no_repeat_ngram_size: 0,
    };
    expect(jsonOf("config.json")).toMatchObject(special);
    // [start], six letters and [end].
    expect(jsonOf("generation_config.json")).toEqual({ ...special, max_length: 8 });
  });

  test("the tokenizer knows the letters and both special tokens, and adds none to a source", () => {
    const { model, added_tokens, post_processor } = jsonOf("tokenizer.json");
    expect(model.vocab).toEqual({ a: 0, b: 1, c: 2 });
    expect(
      added_tokens.map(({ id, content, special }: Record<string, unknown>) => [id, content, special]),
    ).toEqual([
      [3, "[end]", true],
      [4, "[start]", true],
    ]);
    expect(post_processor).toBeNull();
    expect(jsonOf("tokenizer_config.json")).toMatchObject({
      eos_token: "[end]",
      bos_token: "[start]",
      pad_token: "[start]",
      padding_side: "right",
      model_max_length: 6,
    });
  });

  test("the weights are in the file by the class's names; float16 holds them all", () => {
    const { tensors } = decodeSafetensors(bytesOf("model.safetensors", modelOf()), "model.safetensors");
    expect(tensors.get("model.shared.weight")?.shape).toEqual([5, 12]);
    expect(tensors.get("final_logits_bias")?.values[4]).toBe(-65504);
    expect(tensors.has("lm_head.weight")).toBe(false);
    expect(exportEncoderDecoder(modelOf(), { dtype: "f16" })).toHaveLength(5);
  });

  test.each<[Partial<Settings>, string]>([
    [{ tieHead: false }, "`tieHead` true, not false"],
    [{ positions: "rotary" }, "`positions` learned or none, not rotary"],
    [{ norm: "rms", activation: "swiglu" }, "`norm` layer, not rms"],
    [{ normEpsilon: 1e-6 }, "`normEpsilon` 0.00001, not 0.000001"],
  ])("a model without a class is refused by the option: %o", (changes, needed) => {
    expect(() => exportEncoderDecoder(modelOf(changes))).toThrow(ConfigError);
    expect(() => exportEncoderDecoder(modelOf(changes))).toThrow(needed);
    expect(() => exportEncoderDecoder(modelOf(changes))).toThrow("Models of `preset` reverse have one");
    expect(() => exportEncoderDecoder(modelOf(changes))).not.toThrow("ONNX");
  });
});
