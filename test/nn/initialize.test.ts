/** GPT-2's initial weights: their deviations as a new model has them. */
import { expect, test } from "vitest";
import { GPT } from "../../src/nn/gpt.ts";
import { INIT_STD, normalValues, residualStd } from "../../src/nn/initialize.ts";
import { Random } from "../../src/random.ts";
import { logitsOf } from "../../src/verify/logits.ts";
import { doubleContext } from "../support/contexts.ts";
import { randomIds, TINY } from "../support/models.ts";

test("a new model's weights have GPT-2's deviations, its norms are 1 and its biases 0", async () => {
  const layers = 2;
  const config = { ...TINY, layers, heads: 1, dModel: 47, vocabSize: 101, contextLength: 31, tieHead: false };
  const model = new GPT(doubleContext(), config, Random.of(1));
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
      const writesIntoResidual = /attention\.output|mlp\.down/.test(name);
      const expected = writesIntoResidual ? 0.02 / Math.sqrt(2 * layers) : 0.02;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
      // Five standard errors of an estimated deviation.
      expect(Math.abs(deviation / expected - 1), name).toBeLessThan(5 / Math.sqrt(2 * values.length));
    }
  }
});

test("where blocks start as the identity, what they write is 0 and all else is drawn as without", async () => {
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
  // The embeddings are drawn first, so both have the same.
  const ids = randomIds(5, TINY.vocabSize, "identity");
  expect(await logitsOf(blockless, [ids])).toEqual(await logitsOf(deeper, [ids]));
});

test("the deviations are those of the paper", () => {
  expect(INIT_STD).toBe(0.02);
  expect(residualStd(8)).toBe(0.005);
});

test("values are drawn one after the other", () => {
  const random = Random.of(3);
  const drawn = [random.normal(), random.normal()].map((value) => 2 * value);
  expect(Array.from(normalValues(2, Random.of(3), 2))).toEqual(drawn);
});
