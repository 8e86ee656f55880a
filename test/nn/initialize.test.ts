/** GPT-2's initialization: the standard deviations of a new model's weights. */
import { expect, test } from "vitest";
import { Encoder } from "../../src/nn/encoder.ts";
import { EncoderDecoder } from "../../src/nn/encoder-decoder.ts";
import { GPT } from "../../src/nn/gpt.ts";
import { INIT_STD, normal, outputStd } from "../../src/nn/initialize.ts";
import { Random } from "../../src/random.ts";
import { logitsOf } from "../../src/verify/logits.ts";
import { doubleContext } from "../support/contexts.ts";
import { randomIds, TINY } from "../support/models.ts";

const layers = 2;
const config = { ...TINY, layers, heads: 1, dModel: 47, vocabSize: 101, contextLength: 31, tieHead: false };

test.each([
  ["GPT", new GPT(doubleContext(), config, Random.of(1)), 2],
  ["an encoder", new Encoder(doubleContext(), config, Random.of(1)), 2],
  ["an encoder–decoder", new EncoderDecoder(doubleContext(), config, Random.of(1)), 3],
])("%s has weights with GPT-2's standard deviations, norms of 1 and biases of 0", async (_, model, most) => {
  for (const [name, tensor] of Object.entries(model.parameters())) {
    const values = Float64Array.from(await tensor.read());
    if (/norm\.weight$/i.test(name)) {
      expect(
        values.every((value) => value === 1),
        name,
      ).toBe(true);
    } else if (name.endsWith("bias")) {
      expect(
        values.every((value) => value === 0),
        name,
      ).toBe(true);
    } else {
      const writesIntoResidual = /(attention|cross)\.output|mlp\.down/.test(name);
      const writes = layers * (name.startsWith("encoder.") ? 2 : most);
      const expected = writesIntoResidual ? 0.02 / Math.sqrt(writes) : 0.02;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
      // Five standard errors of an estimated standard deviation.
      expect(Math.abs(deviation / expected - 1), name).toBeLessThan(5 / Math.sqrt(2 * values.length));
    }
  }
});

test("with zeroInit, output projections are 0 and all other weights are the same as without", async () => {
  const read = async (zeroInit: boolean) => {
    const model = new GPT(doubleContext(), { ...TINY, zeroInit, activation: "swiglu" }, Random.of(1));
    const ids = randomIds(4, TINY.vocabSize, "identity");
    const { values: logits } = await logitsOf(model, [ids]);
    const weights = Object.entries(model.parameters()).map(async ([name, tensor]) => {
      return [name, Array.from(await tensor.read())] as const;
    });
    return { logits, weights: new Map(await Promise.all(weights)) };
  };
  const [zero, drawn] = [await read(true), await read(false)];
  for (const [name, values] of zero.weights) {
    const expected = /(attention\.output|mlp\.down)\.weight/.test(name);
    expect(values, name).toEqual(expected ? values.map(() => 0) : drawn.weights.get(name));
  }
  expect(zero.logits).not.toEqual(drawn.logits);
  const blockless = new GPT(doubleContext(), { ...TINY, zeroInit: true, layers: 1 }, Random.of(1));
  const deeper = new GPT(doubleContext(), { ...TINY, zeroInit: true, layers: 3 }, Random.of(1));
  // The embeddings are drawn first, so they are the same in both models.
  const ids = randomIds(5, TINY.vocabSize, "identity");
  expect(await logitsOf(blockless, [ids])).toEqual(await logitsOf(deeper, [ids]));
});

test("the standard deviations are those of the paper", () => {
  expect(INIT_STD).toBe(0.02);
  expect(outputStd({ layers: 8, zeroInit: false }, 2)).toBe(0.005);
});

test("values are drawn in order", async () => {
  const random = Random.of(3);
  const drawn = [random.normal(), random.normal()].map((value) => 2 * value);
  const parameter = doubleContext().parameter([1, 2], normal(Random.of(3), 2));
  expect(await parameter.read()).toEqual(Float64Array.from(drawn));
});
