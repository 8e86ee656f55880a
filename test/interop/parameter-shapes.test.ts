import { describe, expect, test } from "vitest";
import { resolveSettings, type Settings } from "../../src/config/settings.ts";
import {
  encoderDecoderShapes,
  everyEncoderDecoderShape,
  everyParameterShape,
  parameterShapes,
} from "../../src/interop/parameter-shapes.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { Random } from "../../src/random.ts";
import { gptConfigOf } from "../../src/run/config.ts";
import { doubleContext } from "../support/contexts.ts";

const SIZES: Partial<Settings> = { layers: 2, heads: 3, dModel: 18, contextLength: 7 };

describe("the shapes are those of the model's parameters, in their order", () => {
  test.each<Partial<Settings>>([
    {},
    { bias: false, tieHead: false, positions: "none" },
    { norm: "rms", activation: "swiglu", positions: "rotary", bigram: true },
    { normWeights: false, qkNorm: true },
    { qkNorm: true, qkNormWeights: true, kvHeads: 1, headSize: 4, mlpWidth: 10 },
  ])("%o", (settings) => {
    const config = gptConfigOf(resolveSettings({ ...SIZES, ...settings }), 5);
    const parameters = new GPT(doubleContext(), config, Random.zeros()).parameters();
    const expected = Object.entries(parameters).map(([name, { shape }]) => [name, shape]);
    expect([...parameterShapes(config)]).toEqual(expected);
    const every = everyParameterShape(config);
    for (const [name, shape] of expected)
      if (name !== "bigramEmbedding") expect(every.get(String(name))).toEqual(shape);
  });
});

describe("those of an encoder–decoder too", () => {
  test.each<Partial<Settings>>([
    {},
    { bias: false, tieHead: false, positions: "none" },
    { norm: "rms", activation: "swiglu", positions: "rotary" },
    { qkNorm: true, qkNormWeights: true, kvHeads: 1, headSize: 4, mlpWidth: 10 },
  ])("%o", (settings) => {
    const config = gptConfigOf(resolveSettings({ ...SIZES, ...settings, model: "seq2seq" }), 5);
    const parameters = new EncoderDecoder(doubleContext(), config, Random.zeros()).parameters();
    const expected = Object.entries(parameters).map(([name, { shape }]) => [name, shape]);
    expect([...encoderDecoderShapes(config)]).toEqual(expected);
    const every = everyEncoderDecoderShape(config);
    for (const [name, shape] of expected) expect(every.get(String(name))).toEqual(shape);
  });
});
