/** Intact encoders and encoder–decoders pass their checks; each fault is caught by exactly the checks that should. */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { loadKernels } from "../../src/backend/open.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";
import type { NamedTensors } from "../../src/nn/parameters.ts";
import {
  brokenEncoder,
  brokenEncoderDecoder,
  type ENCODER_BREAKS,
} from "../../src/verify/broken-encoders.ts";
import { BREAKS, type Break } from "../../src/verify/broken-gpt.ts";
import { copyWeights } from "../../src/verify/copy.ts";
import { type Checks, checksOfEncoder, checksOfEncoderDecoder } from "../../src/verify/verify.ts";
import { doubleContext } from "../support/contexts.ts";
import { randomIds, TINY, tinyEncoder, tinySeq2Seq } from "../support/models.ts";
import { optionsFor } from "../support/verify.ts";

const CAUSALITY = "later tokens, earlier logits";
const GRADIENT_FLOW = "gradients from the future";
const BIDIRECTIONAL = "attends in both directions";
const CACHE = "cached vs. uncached";
const PADDING = "padded vs. unpadded";
const SOURCES = "padded and changed sources";

/** With rotary positions, the biases of the keys matter too. */
const choices = { contextLength: 13, positions: "rotary", heads: 1 } as const;
/** The ids include [MASK] or [end]. */
const rows = [0, 1, 2].map((row) => randomIds(13, TINY.vocabSize + 1, "broken family", row));

async function wasm(): Promise<Context> {
  return new Context(new WasmBackend(await loadKernels()));
}

/** Copies the intact model's weights into a copy. */
async function filled<Kind extends { parameters(): NamedTensors }>(
  copy: Kind,
  original: Kind,
): Promise<Kind> {
  await copyWeights(original.parameters(), copy.parameters());
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
    const original = tinyEncoder(await wasm(), changes);
    const twin = await filled(tinyEncoder(doubleContext(), changes), original);
    if (how === null) return checksOfEncoder({ model: original, twin, options: optionsFor(rows) });
    const model = await filled(brokenEncoder(how, original.context, original.config), original);
    return checksOfEncoder({ model, twin, options: optionsFor(rows) });
  }

  test("passes four checks", async () => {
    const checks = await checksOf(null);
    expect(checks).toHaveLength(4);
    expect(await failing(checks)).toEqual([]);
  });

  test.each([
    // GPT's mask matrix ignores padding as well.
    ["mask", [BIDIRECTIONAL, PADDING]],
    ["padding", [PADDING]],
  ] as const)("--break %s is caught", async (how, caughtBy) => {
    expect(await failing(await checksOf(how))).toEqual(caughtBy);
  });
});

describe.each(["textbook", "fused"] as const)("an encoder–decoder with %s attention", (attention) => {
  const changes = { ...choices, attention };
  /** The checks that fail for each fault, in order. */
  const caughtBy: Readonly<Record<Break, readonly string[]>> = {
    mask: [CAUSALITY, GRADIENT_FLOW, CACHE, PADDING],
    shift: [CAUSALITY, GRADIENT_FLOW, CACHE, PADDING],
    cache: [CACHE],
    padding: [PADDING, SOURCES],
  };

  async function checksOf(how: Break | null): Promise<Checks> {
    const original = tinySeq2Seq(await wasm(), changes);
    const twin = await filled(tinySeq2Seq(doubleContext(), changes), original);
    const options = optionsFor(rows.map((row) => [original.startId, ...row.slice(1)]));
    if (how === null) return checksOfEncoderDecoder({ model: original, twin, options });
    const model = await filled(brokenEncoderDecoder(how, original.context, original.config), original);
    return checksOfEncoderDecoder({ model, twin, options });
  }

  test("passes seven checks", async () => {
    const checks = await checksOf(null);
    expect(checks).toHaveLength(7);
    expect(await failing(checks)).toEqual([]);
  });

  test.each(BREAKS)("--break %s is caught", async (how) => {
    expect(await failing(await checksOf(how))).toEqual(caughtBy[how]);
  });
});
