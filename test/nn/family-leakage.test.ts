/**
 * The mask's role, seen across the family: the decoder of an encoder–decoder passes every leakage test that GPT
 * passes, and the encoder, which is the same blocks without the mask, fails them.
 */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import { backends } from "../support/backends.ts";
import {
  leaksBetweenRows,
  leaksFromTheFuture,
  leaksInTheGradient,
  logitsOf,
  type Rows,
  sameBits,
} from "../support/leakage.ts";
import { randomIds, tinyEncoder, tinySeq2Seq } from "../support/models.ts";
import { asSubject, decoderAfter } from "../support/subjects.ts";

const rows: Rows = [randomIds(5, 11, "family", 0), randomIds(5, 11, "family", 1)];
const chunks = [1, 3, 1];

describe.each(backends)("on %s", (_, open) => {
  describe.each(["textbook", "fused"] as const)("with %s attention", (attention) => {
    test("the decoder does not peek, with and without its cache", async () => {
      for (const seed of [1, 2, 3]) {
        const model = tinySeq2Seq(new Context(await open()), { attention }, seed);
        const subject = decoderAfter(model, randomIds(2 + seed, 11, "source", seed));
        for (const way of [{}, { chunks }]) {
          expect(await leaksFromTheFuture(subject, rows, way)).toEqual([]);
          expect(await leaksBetweenRows(subject, rows, way)).toEqual([]);
        }
        expect(await leaksInTheGradient(subject, rows[0])).toEqual([]);
        const [whole, cached] = [await logitsOf(subject, rows), await logitsOf(subject, rows, { chunks })];
        whole.flat().forEach((logits, i) => {
          expect(sameBits(logits, cached.flat()[i]), `seed ${seed}, position ${i}`).toBe(true);
        });
      }
    });

    test("the encoder peeks, at every position that has a future, and in its gradient", async () => {
      const subject = asSubject(tinyEncoder(new Context(await open()), { attention }));
      const leaks = await leaksFromTheFuture(subject, rows);
      const gradients = await leaksInTheGradient(subject, rows[0]);
      for (const t of [0, 1, 2, 3]) {
        for (const row of [0, 1]) expect(leaks).toContain(`row ${row}, position ${t} sees beyond ${t}`);
        for (let s = t + 1; s < 5; s++) {
          expect(gradients).toContain(`the logits at ${t} depend on the input at ${s}`);
        }
      }
      // It is the mask that it lacks: rows of a batch it keeps apart like any other.
      expect(await leaksBetweenRows(subject, rows)).toEqual([]);
    });
  });
});
