/** Each fault is caught by exactly the checks that should catch it. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { loadKernels } from "../../src/backend/open.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";
import type { GPT } from "../../src/nn/gpt.ts";
import { BREAKS, type Break, brokenGPT } from "../../src/verify/broken-gpt.ts";
import { copyWeights } from "../../src/verify/copy.ts";
import { makeTexts } from "../../src/verify/texts.ts";
import { checksOfGPT } from "../../src/verify/verify.ts";
import { doubleContext } from "../support/contexts.ts";
import { tinyModel } from "../support/models.ts";
import { optionsFor } from "../support/verify.ts";

const CAUSALITY = "later tokens, earlier logits";
const GRADIENT_FLOW = "gradients from the future";
const CACHE = "cached vs. uncached";
const PADDING = "padded vs. unpadded";

/** The checks that fail for each fault, in order. */
const caughtBy: Readonly<Record<Break, readonly string[]>> = {
  // Without the mask, a position also attends to tokens that are not in the cache yet, and to padding.
  mask: [CAUSALITY, GRADIENT_FLOW, CACHE, PADDING],
  shift: [CAUSALITY, GRADIENT_FLOW, CACHE, PADDING],
  cache: [CACHE],
  padding: [PADDING],
};

async function copyOf(model: GPT, how: Break | null, context: Context): Promise<GPT> {
  const copy =
    how === null ? tinyModel(context, { ...model.config }) : brokenGPT(how, context, { ...model.config });
  await copyWeights(model.parameters(), copy.parameters());
  return copy;
}

async function failing(attention: "textbook" | "fused", how: Break | null): Promise<string[]> {
  const context = new Context(new WasmBackend(await loadKernels()));
  const original = tinyModel(context, { attention, contextLength: 13, bigram: true });
  const model = await copyOf(original, how, context);
  const twin = await copyOf(original, how, doubleContext());
  const texts = await makeTexts(original, { count: 3, positions: 13, seed: 7 });
  const ids = Int32Array.from(texts.flat());
  const known = { ids, range: { start: 13, end: ids.length }, floorNats: 0.01 };
  const failed: string[] = [];
  const checks = checksOfGPT({ model, twin, known, options: optionsFor(texts) });
  expect(checks).toHaveLength(7);
  for (const run of checks) {
    const check = await run();
    expect(check.skipped).toBeNull();
    expect(check.comparisons).toBeGreaterThan(0);
    expect(check.counterExamples.length).toBe(check.failures);
    if (!check.ok) failed.push(check.name);
  }
  return failed;
}

describe.each(["textbook", "fused"] as const)("with %s attention", (attention) => {
  test("an intact model passes", async () => {
    expect(await failing(attention, null)).toEqual([]);
  });

  test.each(BREAKS)("--break %s is caught", async (how) => {
    expect(await failing(attention, how)).toEqual(caughtBy[how]);
  });
});

test("a fault does not change the weights", async () => {
  const original = tinyModel(doubleContext());
  const before = await original.tokenEmbedding.read();
  const copy = await copyOf(original, "cache", doubleContext());
  await copy.context.scope("no-grad", () => {
    copy.forward({ ids: [1, 2, 3], batchSize: 1 }, { cache: copy.makeCache(1), random: null });
  });
  expect(await original.tokenEmbedding.read()).toEqual(before);
  expect(await copy.tokenEmbedding.read()).toEqual(before);
});
