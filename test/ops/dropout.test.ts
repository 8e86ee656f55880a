import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { add } from "../../src/ops/add.ts";
import { dropout } from "../../src/ops/dropout.ts";
import { Random } from "../../src/random.ts";
import { Block } from "../support/block.ts";
import { checkOp } from "../support/check-op.ts";
import { doubleContext, inScope } from "../support/contexts.ts";

/** Dropout of ones: each element becomes 0 or 1/(1−p). */
function factors(shape: number[], probability: number, random: Random): Promise<Float32Array | Float64Array> {
  return inScope("no-grad", (context) => {
    const ones = context.constant(shape, Block.build(shape, () => 1).values);
    return dropout(ones, probability, random).read();
  });
}

describe("dropout", () => {
  test.each([0.1, 0.5, 0.9])(
    "p = %d drops a fraction p and preserves the expected value",
    async (probability) => {
      const count = 20_011;
      const values = await factors([count], probability, Random.of(3));
      const kept = values.filter((value) => value !== 0);
      expect(new Set(kept)).toEqual(new Set([1 / (1 - probability)]));
      // Five standard deviations of a binomial proportion.
      const slack = 5 * Math.sqrt((probability * (1 - probability)) / count);
      expect(Math.abs(1 - kept.length / count - probability)).toBeLessThan(slack);
    },
  );

  test("backward drops the same elements", async () => {
    const shape = [5, 7];
    const mask = new Block(shape, await factors(shape, 0.4, Random.of(5)));
    await checkOp({
      shapes: [shape],
      op: (x) => dropout(x, 0.4, Random.of(5)),
      textbook: (x) => Block.build(shape, (i, j) => x.at(i, j) * mask.at(i, j)),
    });
    expect(mask.values.some((value) => value === 0) && mask.values.some((value) => value !== 0)).toBe(true);
  });

  test("two independent dropouts of x add up their gradients", async () => {
    const shape = [3, 5];
    const random = Random.of(6);
    const masks = [
      new Block(shape, await factors(shape, 0.5, random)),
      new Block(shape, await factors(shape, 0.5, random)),
    ];
    expect(masks[0].values).not.toEqual(masks[1].values);
    await checkOp({
      shapes: [shape],
      op: (x) => {
        const again = Random.of(6);
        return add(dropout(x, 0.5, again), dropout(x, 0.5, again));
      },
      textbook: (x) => Block.build(shape, (i, j) => x.at(i, j) * (masks[0].at(i, j) + masks[1].at(i, j))),
    });
  });

  test("a dropped element is 0 even if it was NaN, and has gradient 0", async () => {
    const mask = await factors([31], 0.5, Random.of(8));
    await inScope("no-grad", async (context) => {
      const y = await dropout(
        context.constant([31], new Float64Array(31).fill(Number.NaN)),
        0.5,
        Random.of(8),
      ).read();
      y.forEach((value, i) => {
        expect(Number.isNaN(value)).toBe(mask[i] !== 0);
      });
    });
  });

  test("neither p = 0 nor a missing Random drops anything", () => {
    const x = doubleContext().persistent([3]);
    const random = Random.of(1);
    const state = random.state();
    expect(dropout(x, 0, random)).toBe(x);
    expect(dropout(x, 0.5, null)).toBe(x);
    expect(random.state()).toEqual(state);
  });

  test.each([1, -0.1, Number.NaN, 2])("rejects p = %d", (probability) => {
    const error = new ConfigError(`dropout: the probability must be in [0, 1): got ${probability}`);
    expect(() => dropout(doubleContext().persistent([3]), probability, null)).toThrow(error);
  });
});
