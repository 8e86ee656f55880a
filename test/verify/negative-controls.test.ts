/**
 * The checks have teeth: with the mask removed, shifted, or replaced by finite numbers, and with rows of a
 * batch mixed up, they report a leak, on every backend.
 */
import { describe, expect, test } from "vitest";
import { Context } from "../../src/autograd/context.ts";
import type { Backend } from "../../src/backend/backend.ts";
import type { MaskMatrix } from "../../src/nn/layers/textbook-attention.ts";
import { checkBatch } from "../../src/verify/batch.ts";
import { checkFuture } from "../../src/verify/causality.ts";
import type { Rows } from "../../src/verify/check.ts";
import { checkReach } from "../../src/verify/gradient-flow.ts";
import { checkPadding } from "../../src/verify/padding.ts";
import { backends } from "../support/backends.ts";
import { withKernels } from "../support/contexts.ts";
import { randomIds, tinyModel } from "../support/models.ts";
import { complaints, optionsFor, withMaskMatrix } from "../support/verify.ts";

const rows: Rows = [randomIds(5, 11, "teeth", 0), randomIds(5, 11, "teeth", 1)];
/** Chunks of more than one position: a position decoded alone has no future that could leak. */
const chunks = [2, 3];
const options = optionsFor(rows);
/** Gradients are looked at one text at a time. */
const first = optionsFor(rows.slice(0, 1));

/** A mask that adds `hiding` to the scores of keys that the query at position `last` does not see. */
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

/** Fused attention that shows every key to every query. */
function withoutMask(backend: Backend): Backend {
  return withKernels(backend, {
    attention: (y, logSumExp, q, k, v, size) =>
      backend.attention(y, logSumExp, q, k, v, { ...size, mask: "full" }),
    attentionBackward: (dq, dk, dv, dy, y, logSumExp, q, k, v, size, accumulate) =>
      backend.attentionBackward(dq, dk, dv, dy, y, logSumExp, q, k, v, { ...size, mask: "full" }, accumulate),
  });
}

/** Fused attention whose causal mask is shifted: each query, computed by itself, sees one key more. */
function withShiftedMask(backend: Backend): Backend {
  return withKernels(backend, {
    attention(y, logSumExp, q, k, v, size) {
      const ofRow = backend.alloc(logSumExp.length / size.rows);
      for (let row = 0; row < size.rows; row++) {
        const columns = Math.min(size.columns, size.columns - size.rows + row + 2);
        const at = (matrices: typeof q) => ({
          ...matrices,
          offset: matrices.offset + row * matrices.rowStride,
        });
        backend.attention(at(y), ofRow, at(q), k, v, { ...size, rows: 1, columns, mask: "full" });
      }
      backend.free(ofRow);
    },
  });
}

/** Fused attention in which every row of the batch reads the keys of the first. */
function withMixedRows(backend: Backend): Backend {
  return withKernels(backend, {
    attention(y, logSumExp, q, k, v, size) {
      const ofFirst = { ...k, batchStrides: [0, k.batchStrides[1]] };
      backend.attention(y, logSumExp, q, ofFirst, v, size);
    },
  });
}

describe.each(backends)("on %s", (_, open) => {
  const textbook = async () => tinyModel(new Context(await open()), { attention: "textbook" });
  const fused = async (sabotage: (backend: Backend) => Backend) =>
    tinyModel(new Context(sabotage(await open())), { attention: "fused" });

  const dependsOn = (t: number, s: number) =>
    `the logits at position ${t} depend on the input at position ${s},`;
  const changed = (j: number, t: number) =>
    new RegExp(`^changing token ${j} to .* at position ${t} from`, "m");

  describe.each(brokenMasks)("textbook attention with its mask %s", (_, maskMatrix) => {
    test("leaks to every position that has a future", async () => {
      const model = withMaskMatrix(await textbook(), maskMatrix);
      for (const way of [null, chunks]) {
        const leaks = complaints(await checkFuture(model, options, way));
        for (const t of way === null ? [0, 1, 2, 3] : [0, 2, 3]) expect(leaks).toMatch(changed(t + 1, t));
      }
    });

    test("leaks in the gradient", async () => {
      const model = withMaskMatrix(await textbook(), maskMatrix);
      const leaks = complaints(await checkReach(model, first));
      for (const t of [0, 1, 2, 3]) expect(leaks).toContain(dependsOn(t, t + 1));
    });
  });

  test("a mask of −30 leaks in the gradient, where single precision hides it in the logits", async () => {
    // e⁻³⁰ ≈ 10⁻¹³ of a later value is lost in the 24 bits of a logit, but not in a gradient of 0.
    const model = withMaskMatrix(await textbook(), maskOf(-30, causal));
    expect(complaints(await checkReach(model, first))).toContain(dependsOn(0, 1));
  });

  test("a mask that hides too much makes the gradient 0 where it must not be", async () => {
    const model = withMaskMatrix(
      await textbook(),
      maskOf(hidden, (key, last) => key === last),
    );
    const missing = "the logits at position 1 do not depend on the input at position 0, in any of the texts";
    expect(complaints(await checkReach(model, options))).toContain(missing);
  });

  test("fused attention without its mask leaks, in the gradient too", async () => {
    const model = await fused(withoutMask);
    for (const way of [null, chunks]) {
      expect(complaints(await checkFuture(model, options, way))).toMatch(changed(1, 0));
    }
    expect(complaints(await checkReach(model, first))).toContain(dependsOn(0, 4));
  });

  test("fused attention with its mask shifted by one leaks", async () => {
    const model = await fused(withShiftedMask);
    for (const way of [null, chunks]) {
      expect(complaints(await checkFuture(model, options, way))).toMatch(changed(4, 3));
    }
  });

  test("rows of a batch that read each other's keys are noticed", async () => {
    const model = await fused(withMixedRows);
    for (const way of [null, chunks]) {
      const leaks = complaints(await checkBatch(model, options, way));
      expect(leaks).toMatch(/row 1 of a batch, had the other rows changed: .* at position 4/);
      expect(leaks).toMatch(/row 1 of a batch, was read alone: .* at position 4/);
    }
  });

  test("padding that is attended to is noticed in the logits, the loss and the gradients", async () => {
    const model = withMaskMatrix(await textbook(), maskOf(hidden, causal));
    const leaks = complaints(await checkPadding(model, options));
    expect(leaks).toMatch(/padded on the left: the logit of ".*" at position 0 went from/);
    expect(leaks).toMatch(/padded on the left: its loss went from/);
    expect(leaks).toMatch(
      /padded on the left: the gradient of blocks\.0\.attention\.query\.weight\[\d+\] went/,
    );
    expect(leaks, "causal attention does not see what is padded on the right").not.toContain("on the right");
  });

  /**
   * −10⁹ is finite, and yet in an ordinary model it leaks nothing: score − 10⁹ lies so far below the visible scores
   * that its exp is exactly 0. The promise then hangs on the scores. It breaks where a visible score is itself as
   * low as −10⁹, and in a row that sees nothing: −10⁹ throughout is a uniform softmax over all that is hidden.
   * With −∞ it holds in all three.
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
      const check = await checkFuture(withMaskMatrix(model, maskOf(hiding, sees)), options);
      return /^changing (token|all)/m.test(complaints(check)) ? "leaks" : "holds";
    };

    test.each<[string, number, typeof causal, string]>([
      ["ordinary scores, where it underflows to 0", 1, causal, "holds"],
      ["scores of 10¹⁰", 1e10, causal, "leaks"],
      ["a row that sees nothing", 1, strictly, "leaks"],
    ])("over %s", async (_, scoreScale, sees, expected) => {
      expect(await verdict(scoreScale, sees, -1e9)).toBe(expected);
      expect(await verdict(scoreScale, sees, hidden)).toBe("holds");
    });
  });
});
