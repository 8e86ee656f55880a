/**
 * The role of the mask: the decoder of an encoder–decoder passes every leakage check that a GPT passes. The encoder has
 * the same blocks without the mask and fails them.
 */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { adaptDecoder, adaptEncoder } from "../../src/verify/adapters.ts";
import { checkBatch } from "../../src/verify/batch.ts";
import { checkCache } from "../../src/verify/cache.ts";
import { checkCausality } from "../../src/verify/causality.ts";
import { checkGradientFlow } from "../../src/verify/gradient-flow.ts";
import { checkPadding } from "../../src/verify/padding.ts";
import { backends } from "../support/backends.ts";
import { randomIds, tinyEncoder, tinySeq2Seq } from "../support/models.ts";
import { complaints, optionsFor } from "../support/verify.ts";

const rows = [randomIds(5, 11, "family", 0), randomIds(5, 11, "family", 1)];
const chunks = [1, 3, 1];
const options = optionsFor(rows);
/** Gradient checks use one text. */
const first = optionsFor(rows.slice(0, 1));

describe.each(backends)("on %s", (_, open) => {
  describe.each(["textbook", "fused"] as const)("with %s attention", (attention) => {
    test("the decoder does not peek, with and without a KV cache", async () => {
      for (const seed of [1, 2, 3]) {
        const model = tinySeq2Seq(new Context(await open()), { attention }, seed);
        const subject = adaptDecoder(model, randomIds(2 + seed, 11, "source", seed));
        for (const way of [null, chunks]) {
          expect(complaints(await checkCausality(subject, options, way))).toBe("");
          expect(complaints(await checkBatch(subject, options, way))).toBe("");
        }
        expect(complaints(await checkGradientFlow(subject, first))).toBe("");
        expect(complaints(await checkCache(subject, options))).toBe("");
        expect(complaints(await checkPadding(subject, options))).toBe("");
      }
    });

    test("the encoder peeks at every position except the last, and in its gradient", async () => {
      const subject = adaptEncoder(tinyEncoder(new Context(await open()), { attention }));
      const leaks = await checkCausality(subject, options);
      // Every position before every cut, in both rows.
      expect(leaks.failures).toBe(2 * (1 + 2 + 3 + 4));
      const gradients = complaints(await checkGradientFlow(subject, first));
      for (const t of [0, 1, 2, 3]) {
        const changed = new RegExp(`^changing token ${t + 1} to .* at position ${t} from`, "gm");
        expect(complaints(leaks).match(changed)).toHaveLength(2);
        for (let s = t + 1; s < 5; s++) {
          const reached = `the logits at position ${t} depend on the input at position ${s},`;
          expect(gradients).toContain(reached);
        }
      }
      // Only the mask is missing: rows of a batch are still independent.
      expect(complaints(await checkBatch(subject, options))).toBe("");
    });
  });
});
