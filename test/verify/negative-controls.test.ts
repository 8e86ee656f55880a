/**
 * The checks catch faults: with the mask removed, shifted or replaced by finite numbers, and with the rows of a batch
 * mixed up, they report a leak on every backend.
 */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Backend } from "../../src/backend/backend.ts";
import type { MaskMatrix } from "../../src/nn/layers/textbook-attention.ts";
import { checkBatch } from "../../src/verify/batch.ts";
import { checkCausality } from "../../src/verify/causality.ts";
import type { Rows } from "../../src/verify/check.ts";
import { checkGradientFlow } from "../../src/verify/gradient-flow.ts";
import { checkPadding } from "../../src/verify/padding.ts";
import { backends } from "../support/backends.ts";
import { withKernels } from "../support/contexts.ts";
import { randomIds, tinyModel } from "../support/models.ts";
import { complaints, optionsFor, withMaskMatrix } from "../support/verify.ts";

const rows: Rows = [randomIds(5, 11, "teeth", 0), randomIds(5, 11, "teeth", 1)];
/** Chunks of more than one position, because a position decoded alone has no later token that could leak. */
const chunks = [2, 3];
const options = optionsFor(rows);
/** Gradient checks use one text. */
const first = optionsFor(rows.slice(0, 1));

/** A mask that adds `hiding` to the scores of keys that the query at position `last` must not attend to. */
function maskOf(hiding: number, sees: (key: number, last: number) => boolean): MaskMatrix {
  return (queries, keys) =>
    Float64Array.from({ length: queries * keys }, (_, i) => {
      const last = keys - queries + Math.floor(i / keys);
      return sees(i % keys, last) ? 0 : hiding;
    });
}

const causal = (key: number, last: number) => key <= last;
const hidden = Number.NEGATIVE_INFINITY;

const brokenMasks: [string, MaskMatrix][] = [
  ["removed", maskOf(hidden, () => true)],
  ["shifted by one", maskOf(hidden, (key, last) => key <= last + 1)],
  ["made finite, −10", maskOf(-10, causal)],
];

/** Fused attention in which every query attends to every key. */
function withoutMask(backend: Backend): Backend {
  return withKernels(backend, {
    attention: (y, statistics, q, k, v, size) =>
      backend.attention(y, statistics, q, k, v, { ...size, mask: "full" }),
    attentionBackward: (dq, dk, dv, dy, y, statistics, q, k, v, size, accumulate) =>
      backend.attentionBackward(
        dq,
        dk,
        dv,
        dy,
        y,
        statistics,
        q,
        k,
        v,
        { ...size, mask: "full" },
        accumulate,
      ),
  });
}

/** Fused attention with a shifted mask: each query, computed by itself, attends to one more key. */
function withShiftedMask(backend: Backend): Backend {
  return withKernels(backend, {
    attention(y, statistics, q, k, v, size) {
      const matrices = statistics.max.length / size.rows;
      const ofRow = { max: backend.alloc(matrices), sum: backend.alloc(matrices) };
      for (let row = 0; row < size.rows; row++) {
        const columns = Math.min(size.columns, size.columns - size.rows + row + 2);
        const at = (matrices: typeof q) => ({
          ...matrices,
          offset: matrices.offset + row * matrices.rowStride,
        });
        backend.attention(at(y), ofRow, at(q), k, v, { ...size, rows: 1, columns, mask: "full" });
      }
      for (const buffer of [ofRow.max, ofRow.sum]) backend.free(buffer);
    },
  });
}

/** Fused attention in which every row of a batch reads the keys of the first row. */
function withMixedRows(backend: Backend): Backend {
  return withKernels(backend, {
    attention(y, statistics, q, k, v, size) {
      const ofFirst = { ...k, batchStrides: [0, k.batchStrides[1]] };
      backend.attention(y, statistics, q, ofFirst, v, size);
    },
  });
}

describe.each(backends)("on %s", (_, open) => {
  const textbook = async () => tinyModel(new Context(await open()), { attention: "textbook" });
  const fused = async (withFault: (backend: Backend) => Backend) =>
    tinyModel(new Context(withFault(await open())), { attention: "fused" });

  const dependsOn = (t: number, s: number) =>
    `the logits at position ${t} depend on the input at position ${s},`;
  const changed = (j: number, t: number) =>
    new RegExp(`^changing token ${j} to .* at position ${t} from`, "m");

  describe.each(brokenMasks)("textbook attention with its mask %s", (_, maskMatrix) => {
    test("leaks to every position except the last", async () => {
      const model = withMaskMatrix(await textbook(), maskMatrix);
      for (const way of [null, chunks]) {
        const leaks = complaints(await checkCausality(model, options, way));
        for (const t of way === null ? [0, 1, 2, 3] : [0, 2, 3]) expect(leaks).toMatch(changed(t + 1, t));
      }
    });

    test("leaks in the gradient", async () => {
      const model = withMaskMatrix(await textbook(), maskMatrix);
      const leaks = complaints(await checkGradientFlow(model, first));
      for (const t of [0, 1, 2, 3]) expect(leaks).toContain(dependsOn(t, t + 1));
    });
  });

  test("a mask of −30 leaks in the gradient, although rounding hides it in the logits", async () => {
    // e⁻³⁰ ≈ 10⁻¹³ of a later value is rounded away in the 24 bits of a logit, but not in a gradient near 0.
    const model = withMaskMatrix(await textbook(), maskOf(-30, causal));
    expect(complaints(await checkGradientFlow(model, first))).toContain(dependsOn(0, 1));
  });

  test("a mask that hides too much makes required gradients 0", async () => {
    const model = withMaskMatrix(
      await textbook(),
      maskOf(hidden, (key, last) => key === last),
    );
    const missing = "the logits at position 1 do not depend on the input at position 0 in any of the texts";
    expect(complaints(await checkGradientFlow(model, options))).toContain(missing);
  });

  test("fused attention without its mask leaks in the logits and in the gradient", async () => {
    const model = await fused(withoutMask);
    for (const way of [null, chunks]) {
      expect(complaints(await checkCausality(model, options, way))).toMatch(changed(1, 0));
    }
    expect(complaints(await checkGradientFlow(model, first))).toContain(dependsOn(0, 4));
  });

  test("fused attention with its mask shifted by one leaks", async () => {
    const model = await fused(withShiftedMask);
    for (const way of [null, chunks]) {
      expect(complaints(await checkCausality(model, options, way))).toMatch(changed(4, 3));
    }
  });

  test("rows of a batch that read each other's keys are caught", async () => {
    const model = await fused(withMixedRows);
    for (const way of [null, chunks]) {
      const leaks = complaints(await checkBatch(model, options, way));
      expect(leaks).toMatch(/row 1 of a batch, with the other rows changed: .* at position 4/);
      expect(leaks).toMatch(/row 1 of a batch, read alone: .* at position 4/);
    }
  });

  test("attention to padding is caught in the logits, the loss and the gradients", async () => {
    const model = withMaskMatrix(await textbook(), maskOf(hidden, causal));
    const leaks = complaints(await checkPadding(model, options));
    expect(leaks).toMatch(/padded on the left: the logit of ".*" at position 0 changed from/);
    expect(leaks).toMatch(/padded on the left: the loss changed from/);
    expect(leaks).toMatch(
      /padded on the left: the gradient of blocks\.0\.attention\.query\.weight\[\d+\] changed/,
    );
    expect(leaks, "causal attention never sees padding on the right").not.toContain("on the right");
  });

  /**
   * A mask of −10⁹ does not leak in an ordinary model: score − 10⁹ is so far below the visible scores that its exp is
   * exactly 0. But that depends on the scores. It leaks if a visible score is itself as low as −10⁹, and in a row
   * without visible keys, where −10⁹ everywhere makes the softmax uniform over all hidden keys. −∞ is safe in all three
   * cases.
   */
  describe("a mask of −10⁹", () => {
    const strictly = (key: number, last: number) => key < last;

    const verdict = async (scoreScale: number, sees: typeof causal, hiding: number) => {
      const model = await textbook();
      const { backend } = model.context;
      for (const { attention } of model.transformer.blocks) {
        const { buffer } = attention.query.weight;
        const values = await backend.read(buffer);
        backend.write(
          buffer,
          values.map((value) => scoreScale * value),
        );
      }
      const check = await checkCausality(withMaskMatrix(model, maskOf(hiding, sees)), options);
      return /^changing (token|all)/m.test(complaints(check)) ? "leaks" : "holds";
    };

    test.each<[string, number, typeof causal, string]>([
      ["ordinary scores, where it underflows to 0", 1, causal, "holds"],
      ["scores of 10¹⁰", 1e10, causal, "leaks"],
      ["a row without visible keys", 1, strictly, "leaks"],
    ])("over %s", async (_, scoreScale, sees, expected) => {
      expect(await verdict(scoreScale, sees, -1e9)).toBe(expected);
      expect(await verdict(scoreScale, sees, hidden)).toBe("holds");
    });
  });
});
