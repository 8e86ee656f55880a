/** The checks of an encoder and of an encoder–decoder: whole ones pass, and each break is found by those meant to find it. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { loadKernels } from "../../src/backend/open.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";
import type { NamedTensors } from "../../src/nn/parameters.ts";
import { brokenEncoder, brokenEncoderDecoder, type ENCODER_BREAKS } from "../../src/verify/broken-family.ts";
import { copyWeights } from "../../src/verify/copy.ts";
import { BREAKS, type Break } from "../../src/verify/sabotage.ts";
import { type Checks, checksOfEncoder, checksOfEncoderDecoder } from "../../src/verify/verify.ts";
import { doubleContext } from "../support/contexts.ts";
import { randomIds, TINY, tinyEncoder, tinySeq2Seq } from "../support/models.ts";
import { optionsFor } from "../support/verify.ts";

const FUTURE = "later tokens, earlier logits";
const REACH = "gradients from the future";
const BOTH = "every position, both ways";
const CACHE = "cached and uncached";
const PADDING = "padded and unpadded";
const SOURCES = "sources, padded and changed";

/** Where positions are turned, keys' biases matter too. */
const choices = { contextLength: 13, positions: "rotary", heads: 1 } as const;
/** [MASK], or [end], stands among the others. */
const rows = [0, 1, 2].map((row) => randomIds(13, TINY.vocabSize + 1, "broken family", row));

async function wasm(): Promise<Context> {
  return new Context(new WasmBackend(await loadKernels()));
}

/** What fills a copy with the honest model's weights. */
async function filled<Kind extends { parameters(): NamedTensors }>(copy: Kind, honest: Kind): Promise<Kind> {
  await copyWeights(honest.parameters(), copy.parameters());
  return copy;
}

async function failing(checks: Checks): Promise<string[]> {
  const failed: string[] = [];
  for (const run of checks) {
    const check = await run();
    expect(check.skipped).toBeNull();
    expect(check.comparisons).toBeGreaterThan(0);
    expect(check.counterExamples).toHaveLength(check.failures);
    if (!check.ok) failed.push(check.name);
  }
  return failed;
}

describe.each(["textbook", "fused"] as const)("an encoder with %s attention", (attention) => {
  const changes = { ...choices, attention };

  async function checksOf(how: keyof typeof ENCODER_BREAKS | null): Promise<Checks> {
    const honest = tinyEncoder(await wasm(), changes);
    const twin = await filled(tinyEncoder(doubleContext(), changes), honest);
    if (how === null) return checksOfEncoder({ model: honest, twin, options: optionsFor(rows) });
    const model = await filled(brokenEncoder(how, honest.context, honest.config), honest);
    return checksOfEncoder({ model, twin, options: optionsFor(rows) });
  }

  test("passes four checks", async () => {
    const checks = await checksOf(null);
    expect(checks).toHaveLength(4);
    expect(await failing(checks)).toEqual([]);
  });

  test.each([
    // GPT's matrix is blind to padding as well.
    ["mask", [BOTH, PADDING]],
    ["padding", [PADDING]],
  ] as const)("--break %s is found", async (how, caughtBy) => {
    expect(await failing(await checksOf(how))).toEqual(caughtBy);
  });
});

describe.each(["textbook", "fused"] as const)("an encoder–decoder with %s attention", (attention) => {
  const changes = { ...choices, attention };
  /** The checks that fail for each break, in their order. */
  const caughtBy: Readonly<Record<Break, readonly string[]>> = {
    mask: [FUTURE, REACH, CACHE, PADDING],
    shift: [FUTURE, REACH, CACHE, PADDING],
    cache: [CACHE],
    padding: [PADDING, SOURCES],
  };

  async function checksOf(how: Break | null): Promise<Checks> {
    const honest = tinySeq2Seq(await wasm(), changes);
    const twin = await filled(tinySeq2Seq(doubleContext(), changes), honest);
    const options = optionsFor(rows.map((row) => [honest.startId, ...row.slice(1)]));
    if (how === null) return checksOfEncoderDecoder({ model: honest, twin, options });
    const model = await filled(brokenEncoderDecoder(how, honest.context, honest.config), honest);
    return checksOfEncoderDecoder({ model, twin, options });
  }

  test("passes seven checks", async () => {
    const checks = await checksOf(null);
    expect(checks).toHaveLength(7);
    expect(await failing(checks)).toEqual([]);
  });

  test.each(BREAKS)("--break %s is found", async (how) => {
    expect(await failing(await checksOf(how))).toEqual(caughtBy[how]);
  });
});
