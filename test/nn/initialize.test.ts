/** GPT-2's initial weights: their deviations as a new model has them. */
import { expect, test } from "vitest";
import { GPT } from "../../src/nn/gpt.ts";
import { normalValues, residualDeviation, WEIGHT_DEVIATION } from "../../src/nn/initialize.ts";
import { Random } from "../../src/random.ts";
import { doubleContext } from "../support/contexts.ts";
import { TINY } from "../support/models.ts";

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
      const writesIntoResidual = /attention\.output|mlp\.contract/.test(name);
      const expected = writesIntoResidual ? 0.02 / Math.sqrt(2 * layers) : 0.02;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
      // Five standard errors of an estimated deviation.
      expect(Math.abs(deviation / expected - 1), name).toBeLessThan(5 / Math.sqrt(2 * values.length));
    }
  }
});

test("the deviations are those of the paper", () => {
  expect(WEIGHT_DEVIATION).toBe(0.02);
  expect(residualDeviation(8)).toBe(0.005);
});

test("values are drawn one after the other", () => {
  const random = Random.of(3);
  const drawn = [random.normal(), random.normal()].map((value) => 2 * value);
  expect(Array.from(normalValues(2, Random.of(3), 2))).toEqual(drawn);
});
