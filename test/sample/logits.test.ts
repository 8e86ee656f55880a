import { describe, expect, test } from "vitest";
import { SampleError, TokenError } from "../../src/errors.ts";
import { cachedLogits, fullLogits, nextLogits } from "../../src/sample/logits.ts";
import { CountingBackend, TINY, tinyModel } from "./tiny-model.ts";

const IDS = [3, 12, 0, 7, 7, 1, 11, 5, 2, 9, 4];
const { vocabSize, contextLength } = TINY;

describe.each(["single", "double"] as const)("in %s precision", (precision) => {
  describe.each(["fused", "textbook"] as const)("with %s attention", (attention) => {
    const modelOf = (tieHead: boolean) => tinyModel({ attention, tieHead }, new CountingBackend(precision));

    test.each([false, true])(
      "cached logits equal the full pass, bit for bit (tied head: %s)",
      async (tie) => {
        const model = modelOf(tie);
        const full = await fullLogits(model, IDS);
        expect(full.length).toBe(contextLength * vocabSize);
        expect(await cachedLogits(model, IDS)).toEqual(full);
      },
    );

    test("a prompt in one pass, and the tokens after it, have the logits of the full pass", async () => {
      const model = modelOf(false);
      const full = await fullLogits(model, IDS);
      const row = (t: number) => full.slice(t * vocabSize, (t + 1) * vocabSize);
      const cache = model.makeCache(1);
      expect(Float64Array.from(await nextLogits(model, cache, IDS.slice(0, 5)))).toEqual(row(4));
      expect(Float64Array.from(await nextLogits(model, cache, IDS.slice(5, 8)))).toEqual(row(7));
      expect(Float64Array.from(await nextLogits(model, cache, IDS.slice(8, 9)))).toEqual(row(8));
      expect(cache.length).toBe(9);
    });
  });
});

test("a position's logits depend on every token up to it, and on none after it", async () => {
  const model = tinyModel();
  const plain = await cachedLogits(model, IDS);
  for (const changed of IDS.keys()) {
    const other = await cachedLogits(model, IDS.with(changed, 6));
    for (const t of IDS.keys()) {
      const row = (logits: Float64Array) => logits.slice(t * vocabSize, (t + 1) * vocabSize);
      if (t < changed) expect(row(other)).toEqual(row(plain));
      else expect(row(other)).not.toEqual(row(plain));
    }
  }
});

test.each([fullLogits, cachedLogits])("%o frees its memory, also after a failure", async (logitsOf) => {
  const backend = new CountingBackend();
  const model = tinyModel({}, backend);
  const before = backend.buffers;
  await logitsOf(model, IDS);
  expect(backend.buffers).toBe(before);
  const scoped = model.context.scope("no-grad", () => logitsOf(model, IDS));
  await expect(scoped).rejects.toThrow(/another scope/);
  expect(backend.buffers).toBe(before);
});

test.each([fullLogits, cachedLogits])(
  "%o rejects sequences that the model cannot process",
  async (logitsOf) => {
    const model = tinyModel();
    await expect(logitsOf(model, [])).rejects.toThrow(SampleError);
    await expect(logitsOf(model, [...IDS, 0])).rejects.toThrow(/1 to 11 tokens .* got 12/);
    await expect(logitsOf(model, [0, vocabSize])).rejects.toThrow(TokenError);
    await expect(logitsOf(model, [0, vocabSize])).rejects.toThrow(/^logits: .* got 13 at 1$/);
  },
);
