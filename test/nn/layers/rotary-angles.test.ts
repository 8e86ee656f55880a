import { describe, expect, test } from "vitest";
import type { GPTConfig } from "../../../src/nn/config.ts";
import { rotaryAngles } from "../../../src/nn/layers/rotary-angles.ts";
import { logitsOf } from "../../../src/verify/logits.ts";
import { expectClose } from "../../support/check-op.ts";
import { doubleContext } from "../../support/contexts.ts";
import { randomIds, TINY, tinyModel } from "../../support/models.ts";
import { withMaskMatrix } from "../../support/verify.ts";

const VOCAB = TINY.vocabSize;

describe("rotaryAngles", () => {
  test.each([10_000, 500_000, 7.5])("are cos and sin of position·base^(−2i/D), base %d", async (base) => {
    const found = await rotaryAngles(doubleContext(), 700, 6, base).read();
    for (const place of [0, 1, 2, 13, 699]) {
      const turns = [0, 1, 2].map((i) => place * base ** ((-2 * i) / 6));
      const expected = [...turns.map(Math.cos), ...turns.map(Math.sin)];
      expectClose(found.slice(place * 6, place * 6 + 6), expected, 1e-12, `place ${place}, number`);
    }
  });
});

describe("a model without position embeddings", () => {
  const ids = randomIds(4, 11, "shifted");
  const last = async (changes: Partial<GPTConfig>, before: readonly number[]) => {
    const model = tinyModel(doubleContext(), { layers: 1, ...changes });
    const { values } = await logitsOf(model, [[...before, ...ids]]);
    return values.slice(-VOCAB);
  };

  test("depends on order if it is rotary, and does not without positions", async () => {
    const swapped = [ids[1], ids[0], ids[2], ids[3]];
    for (const positions of ["rotary", "none"] as const) {
      const model = tinyModel(doubleContext(), { layers: 1, positions });
      const [a, b] = [await logitsOf(model, [ids]), await logitsOf(model, [swapped])];
      const [last, other] = [a, b].map(({ values }) => Array.from(values.slice(-VOCAB)));
      const difference = Math.max(...last.map((logit, i) => Math.abs(logit - other[i])));
      if (positions === "none") expect(difference).toBeLessThan(1e-12);
      else expect(difference).toBeGreaterThan(1e-3);
    }
  });

  test("depends only on distances if it is rotary: a shifted sequence has the same logits", async () => {
    // Earlier tokens are masked, so that both positions see the same four tokens.
    for (const positions of [
      [0, 1, 2, 3],
      [3, 4, 5, 6],
    ]) {
      const model = tinyModel(doubleContext(), { layers: 1, positions: "rotary", attention: "textbook" });
      const shift = positions[0];
      const maskMatrix = (queries: number, keys: number) =>
        Float64Array.from({ length: queries * keys }, (_, i) => {
          const [query, key] = [Math.floor(i / keys), i % keys];
          return key <= query && key >= shift ? 0 : Number.NEGATIVE_INFINITY;
        });
      const rows = [[...randomIds(shift, 11, "before"), ...ids]];
      const { values } = await logitsOf(withMaskMatrix(model, maskMatrix), rows);
      expectClose(values.slice(-VOCAB), await last({ positions: "rotary" }, []), 1e-10, "logit");
    }
  });
});
