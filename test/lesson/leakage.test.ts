/** The lesson in a second or two: without the mask, the loss is too good to be true. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadKernels } from "../../src/backend/open.ts";
import { WasmBackend } from "../../src/backend/wasm/host/wasm-backend.ts";
import { splitCorpus } from "../../src/data/split.ts";
import { teachLeakage, type Which } from "../../src/lesson/leakage.ts";
import { CharTokenizer } from "../../src/text/char-tokenizer.ts";

const tales = new URL("../../data/tales.txt", import.meta.url);
/** Below the entropy of the tales. */
const FLOOR = 0.5;

test("a peeking model gets below the entropy floor, but fails when it cannot peek", async () => {
  const text = readFileSync(tales, "utf8").slice(0, 40_000);
  const tokenizer = CharTokenizer.fromText(text);
  const ids = tokenizer.encode(text);
  const backend = new WasmBackend(await loadKernels());
  const seen: Record<Which, number[]> = { "with mask": [], "without mask": [] };
  const lesson = () =>
    teachLeakage({
      backend,
      tokenizer,
      ids,
      split: splitCorpus(ids),
      steps: 220,
      seed: 3,
      prompt: "The ",
      sampleTokens: 30,
      changes: { dModel: 32, heads: 2, contextLength: 16 },
      onStep: async (which, step, lossNats) => {
        seen[which].push(lossNats);
        expect(step).toBe(seen[which].length);
      },
    });
  const { settings, withMask, withoutMask } = await lesson();
  expect(settings).toMatchObject({ steps: 220, dModel: 32, attention: "textbook" });
  expect(seen).toEqual({ "with mask": withMask.curve, "without mask": withoutMask.curve });
  expect(withMask.curve).toHaveLength(220);

  // With the same weights and windows, the first losses differ only by the effect of the mask.
  expect(Math.abs(withMask.curve[0] - withoutMask.curve[0])).toBeLessThan(0.2);
  expect(withMask.curve[0]).not.toBe(withoutMask.curve[0]);

  expect(withoutMask.lossNats).toBeLessThan(FLOOR);
  expect(withMask.lossNats).toBeGreaterThan(2 * FLOOR);
  expect(withMask.leftOnlyNats).toBe(withMask.lossNats);
  expect(withoutMask.leftOnlyNats).toBeGreaterThan(2 * withMask.leftOnlyNats);
  for (const { sample } of [withMask, withoutMask]) expect(sample).toHaveLength(30);
  await backend.close();
});
