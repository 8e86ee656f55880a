/** Section 2 of the page shows the model's numbers, and what each way to hide the future really does. */
import { beforeAll, describe, expect, test } from "vitest";
import { teachMask } from "../../../src/lesson/mask.ts";
import type { Engine } from "../../../src/play/engine/engine.ts";
import { type Matrices, MOST_TOKENS, matrices } from "../../../src/play/engine/matrices.ts";
import { playSettings } from "../../../src/play/engine/recipes.ts";
import type { Example } from "../../../src/play/engine/small-examples.ts";
import type { MaskMode } from "../../../src/play/masks.ts";
import { WAYS, type Way } from "../../../src/play/ways.ts";
import { nodeEngine } from "../../support/play.ts";

const TEXT = "By the oak sat U";
const T = TEXT.length;
const places = [0, 1].flatMap((layer) => [0, 3].map((head) => ({ layer, head })));

let engine: Engine;
beforeAll(async () => {
  engine = (await nodeEngine()).engine;
});

const shipped = (mask: MaskMode = "on", way: Way = "infinity", changes = {}) =>
  matrices(engine, { source: { model: "shipped", text: TEXT, layer: 1, head: 2, ...changes }, mask, way });
const example = (source: Example, way: Way, mask: MaskMode = "on") => matrices(engine, { source, mask, way });
const sumsOf = ({ weights }: Pick<Matrices, "weights">) =>
  weights.map((row) => row.reduce((sum, weight) => sum + weight, 0));
const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);

test.each(places)("layer $layer, head $head has the numbers of the lesson, to the bit", async (place) => {
  const { model, tokenizer } = await engine.viewed("shipped");
  const lesson = await teachMask(model, tokenizer.encode(TEXT), place);
  const { scores, mask, masked, weights, weightsWithoutMask } = lesson;
  expect(await shipped("on", "infinity", place)).toMatchObject({
    tokens: Array.from(TEXT),
    scores,
    mask,
    masked,
    weights,
    weightsWithoutMask,
  });
});

test("powers divided by their sum are the softmax", async () => {
  for (const way of WAYS) {
    const { masked, powers, softmax } = await shipped("on", way);
    masked.forEach((row, t) => {
      const max = Math.max(...row);
      row.forEach((score, s) => {
        expect(powers[t][s]).toBeCloseTo(Math.exp(score - max), 12);
        expect(powers[t][s] / total(powers[t])).toBeCloseTo(softmax[t][s], 6);
      });
    });
  }
});

describe("ways to hide the future, in the shipped model", () => {
  test("−∞ and −10⁹ give the same weights, whose rows sum to 1, and leak nothing", async () => {
    const [infinity, large] = [await shipped("on", "infinity"), await shipped("on", "large")];
    expect(large.weights).toEqual(infinity.weights);
    expect(large.mask[0][1]).toBe(-1e9);
    for (const { changed, compared, unequal } of [infinity.ways.infinity, infinity.ways.large])
      expect([changed, compared, unequal]).toEqual([0, (T * (T - 1)) / 2, 0]);
    for (const sum of sumsOf(infinity)) expect(sum).toBeCloseTo(1, 6);
  });

  test("a zero after the softmax leaves the weights without a mask, rows that do not sum to 1, and leaks", async () => {
    const { weights, mask, softmax, weightsWithoutMask, ways } = await shipped("on", "after");
    weights.forEach((row, t) => {
      expect(mask[t]).toEqual(row.map((_, s) => (s <= t ? 1 : 0)));
      expect(row).toEqual(weightsWithoutMask[t].map((weight, s) => (s <= t ? weight : 0)));
    });
    expect(softmax).toEqual(weightsWithoutMask);
    const sums = sumsOf({ weights });
    expect(ways.after.smallestSum).toBeCloseTo(Math.min(...sums), 12);
    expect(ways.after.smallestSum).toBeLessThan(0.5);
    expect(ways.after.largestSum).toBeCloseTo(1, 6);
    expect(ways.after.changed).toBeGreaterThan(0.9 * ways.after.compared);
  });

  test("hiding nothing leaks", async () => {
    const { weights, weightsWithoutMask, ways } = await shipped("on", "none");
    expect(weights).toEqual(weightsWithoutMask);
    expect(ways.none.changed).toBeGreaterThan(0.9 * ways.none.compared);
  });
});

describe("the switch", () => {
  test("off: nothing is hidden, whatever the way", async () => {
    const { weightsWithoutMask, ways } = await shipped("off");
    for (const way of WAYS) {
      expect((await shipped("off", way)).weights).toEqual(weightsWithoutMask);
      expect(ways[way]).toEqual(ways.infinity);
    }
    expect(ways.infinity.changed).toBeGreaterThan(0.9 * ways.infinity.compared);
  });

  test("shifted: each position also sees the next", async () => {
    const { mask, weights } = await shipped("shifted");
    mask.forEach((row, t) => {
      expect(row).toEqual(row.map((_, s) => (s <= t + 1 ? 0 : Number.NEGATIVE_INFINITY)));
      expect(weights[t].map((weight) => weight > 0)).toEqual(row.map((_, s) => s <= t + 1));
    });
  });

  test("rules what the layers below compute", async () => {
    const [on, off] = [await shipped("on"), await shipped("off")];
    expect(off.scores).not.toEqual(on.scores);
    const first = { layer: 0 };
    expect((await shipped("off", "infinity", first)).scores).toEqual(
      (await shipped("on", "infinity", first)).scores,
    );
  });

  test("is left as it was in the model", async () => {
    const { model } = await engine.viewed("shipped");
    await shipped("off");
    expect(model.maskMatrix).toBeNull();
  });
});

describe("small examples, computed by hand", () => {
  const close = (actual: Matrices["weights"], expected: Matrices["weights"]) =>
    actual.forEach((row, t) => {
      row.forEach((number, s) => {
        expect(number, `${t}, ${s}`).toBeCloseTo(expected[t][s], 4);
      });
    });

  test("three tokens: scores 2, 1, 3 with the last one hidden", async () => {
    const { scores, weights, powers } = await example("three", "infinity");
    expect(scores).toEqual([
      [1, 0, 2],
      [2, 1, 3],
      [0, 2, 1],
    ]);
    close(weights, [
      [1, 0, 0],
      [0.7311, 0.2689, 0],
      [0.09, 0.6652, 0.2447],
    ]);
    close([powers[1]], [[1, 0.3679, 0]]);
    const after = await example("three", "after");
    close([after.weights[1]], [[0.2447, 0.09, 0]]);
    expect(after.ways.after.smallestSum).toBeCloseTo(0.2447, 4);
  });

  test("five tokens with equal scores: each row is the mean of what it sees", async () => {
    const { scores, weights, ways } = await example("five", "infinity");
    expect(scores.flat().every((score) => score === 0)).toBe(true);
    close(
      weights,
      weights.map((row, t) => row.map((_, s) => (s <= t ? 1 / (t + 1) : 0))),
    );
    close(
      (await example("five", "none")).weights,
      weights.map((row) => row.map(() => 0.2)),
    );
    const [changed, compared] = [ways.infinity.changed + ways.large.changed, ways.after.compared];
    expect([changed, ways.after.changed, ways.none.changed, compared]).toEqual([0, 10, 10, 10]);
    expect(ways.after.smallestSum).toBeCloseTo(0.2, 6);
  });
});

describe("texts", () => {
  test("longer than fits are cut, and the rest is counted", async () => {
    const long = await shipped("on", "infinity", { text: "the ".repeat(10) });
    expect([long.tokens.length, long.leftOut]).toEqual([MOST_TOKENS, 40 - MOST_TOKENS]);
    await engine.open(playSettings("small", { contextLength: 5, dModel: 8, heads: 2, batchSize: 2 }));
    const short = await matrices(engine, {
      source: { model: "training", text: TEXT, layer: 9, head: 9 },
      mask: "on",
      way: "infinity",
    });
    expect([short.tokens.join(""), short.leftOut, short.layers, short.heads]).toEqual(["By th", T - 5, 1, 2]);
  });

  test("of one character have one weight", async () => {
    const { weights, ways } = await shipped("on", "infinity", { text: "B" });
    expect(weights).toEqual([[1]]);
    expect(ways.none).toMatchObject({ changed: 0, compared: 0 });
  });

  test("that are empty, or have a character that the model does not know, are refused", async () => {
    await expect(shipped("on", "infinity", { text: "" })).rejects.toThrow("at least one character");
    await expect(shipped("on", "infinity", { text: "By the 木" })).rejects.toThrow("木");
  });
});
