/** The leak detector of the page: with the causal mask no earlier logit changes; without it, all of them. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../../src/play/engine/engine.ts";
import { leaks } from "../../../src/play/engine/leaks.ts";
import { playSettings } from "../../../src/play/engine/recipes.ts";
import { withMask } from "../../../src/play/engine/with-mask.ts";
import { MASK_MODES, type MaskMode } from "../../../src/play/masks.ts";
import { checkCausality } from "../../../src/verify/causality.ts";
import { nodeEngine } from "../../support/play.ts";

const TEXT = "By the oak sat Ulf";
const V = 65;
const request = { model: "shipped", text: TEXT, position: 15, replacement: "A", masks: MASK_MODES } as const;

let engine: Engine;
beforeAll(async () => {
  engine = (await nodeEngine()).engine;
});

/** The changed logits of each position under a mask. */
async function changedUnder(mask: MaskMode, changes = {}): Promise<readonly number[]> {
  const { counts } = await leaks(engine, { ...request, ...changes, masks: [mask] });
  expect(counts.map((count) => count.mask)).toEqual([mask]);
  return counts[0].changed;
}

describe("in the shipped model", () => {
  test("with the mask, no earlier logit changes, and every later one may", async () => {
    for (const position of [0, 1, 8, 17]) {
      const changed = await changedUnder("on", { position });
      expect(changed.slice(0, position)).toEqual(new Array(position).fill(0));
      expect(changed[position]).toBe(V);
      for (const count of changed.slice(position)) expect(count).toBeGreaterThan(0.9 * V);
    }
  });

  test("without the mask, all 975 logits before position 15 change", async () => {
    const changed = await changedUnder("off");
    expect(changed.slice(0, 15)).toEqual(new Array(15).fill(V));
  });

  test("with the mask shifted by one, a leak reaches one position back for each block", async () => {
    const { layers, counts, vocabulary } = await leaks(engine, request);
    expect([layers, vocabulary]).toEqual([2, V]);
    const shifted = counts.find(({ mask }) => mask === "shifted")?.changed ?? [];
    expect(shifted.slice(0, 13)).toEqual(new Array(13).fill(0));
    for (const count of shifted.slice(13, 15)) expect(count).toBeGreaterThan(0.9 * V);
  });

  test.each(MASK_MODES)("mask %s: the counts agree with the causality check", async (mask) => {
    const { model, tokenizer } = await engine.viewed("shipped");
    const ids = Array.from(tokenizer.encode(TEXT));
    const options = {
      texts: [ids],
      seed: 1,
      show: (shown: readonly number[]) => tokenizer.decode(shown),
    };
    const { ok } = await withMask(model, mask, () => checkCausality(model, options));
    const earlier = (await changedUnder(mask)).slice(0, request.position);
    expect(earlier.some((count) => count > 0)).toBe(mask !== "on");
    expect(ok).toBe(earlier.every((count) => count === 0));
  });

  test("the same character changes nothing, whatever the mask", async () => {
    const { counts } = await leaks(engine, { ...request, replacement: "U" });
    for (const { changed } of counts) expect(changed).toEqual(new Array(18).fill(0));
  });

  test("the model keeps its mask", async () => {
    await leaks(engine, request);
    expect((await engine.viewed("shipped")).model.maskMatrix).toBeNull();
  });
});

test("texts are cut to the context, and the position with them", async () => {
  await engine.open(playSettings("small", { contextLength: 5, dModel: 8, heads: 2, batchSize: 2 }));
  const { tokens, leftOut, position, counts } = await leaks(engine, { ...request, model: "training" });
  expect([tokens.join(""), leftOut, position, counts[0].changed.length]).toEqual(["By th", 13, 4, 5]);
});

test("an empty text, no replacement and unknown characters are refused", async () => {
  await expect(leaks(engine, { ...request, text: "" })).rejects.toThrow("at least one character");
  await expect(leaks(engine, { ...request, replacement: "" })).rejects.toThrow("in place of");
  await expect(leaks(engine, { ...request, replacement: "木" })).rejects.toThrow("木");
});
