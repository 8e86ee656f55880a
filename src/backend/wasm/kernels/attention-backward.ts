/**
 * Fused attention, backward. With f the dropout factors:
 *
 *   p = exp(scale·q·kᵀ − max)/sum                recomputed, over visible pairs only
 *   dp = f ⊙ (dy·vᵀ)
 *   ds = scale·p ⊙ (dp − ⟨dy, y⟩)
 *   dq = ds·k,  dk = dsᵀ·q,  dv = (f ⊙ p)ᵀ·dy
 *
 * Processes four rows at a time. p and ds are in scratch, 8·columns numbers (see attention-products.ts). Sums over
 * columns and sums over rows run in ascending order.
 *
 * Source: Dao 2023, FlashAttention-2, algorithm 2.
 */
import {
  Call, Strip, findMatrices, findWindow, indicesOf, keptLanes, matrixOf, moveToWindow, numbersOf, paddedColumns,
  seenByLast, takeStrip,
} from "./attention-call";
import { addOuterProducts, addSumsOverColumns, clearRows, dotProducts, dotsOfRows } from "./attention-products";
import { expOfNegative } from "./math";

const DQ: usize = 0, DK: usize = 1, DV: usize = 2, DY: usize = 3;
const Y: usize = 4, Q: usize = 5, K: usize = 6, V: usize = 7;

/** Matrices begin … end−1 of the batch. */
export function attentionBackward(parameters: usize, begin: i32, end: i32, scratch: usize): void {
  const call = changetype<Call>(parameters);
  const width = call.widthBytes;
  for (let matrix = begin; matrix < end; matrix++) {
    findMatrices(scratch, call, 8, matrix);
    if (!call.accumulateDq) clearRows(matrixOf(scratch, DQ), 0, call.rows, width);
    if (!call.accumulateDk) clearRows(matrixOf(scratch, DK), 0, call.columns, width);
    if (!call.accumulateDv) clearRows(matrixOf(scratch, DV), 0, call.columns, width);
    findWindow(scratch, call, matrix);
    moveToWindow(scratch, DK);
    moveToWindow(scratch, DV);
    moveToWindow(scratch, K);
    moveToWindow(scratch, V);
    for (let row: usize = 0; row < call.rows; ) {
      const strip = takeStrip(scratch, call, row);
      const at = 4 * (<usize>matrix * call.rows + row);
      const max = loadRows(call.max + at, strip), sum = loadRows(call.sum + at, strip);
      // A row that sees nothing, or only −∞, has weights of 0. It is skipped, because 0·∞ would be NaN.
      const blind = f32x4.eq(sum, f32x4.splat(0));
      if (v128.any_true(blind)) strip.rows = 1;
      if (i32x4.extract_lane(blind, 0) == 0) differentiate(scratch, strip, call, matrix, max, sum);
      row += strip.rows;
    }
  }
}

/** One number for each row of the strip. A single row fills all four lanes. */
@inline
function loadRows(at: usize, strip: Strip): v128 {
  return strip.rows == 4 ? v128.load(at) : v128.load32_splat(at);
}

/** Adds the contribution of the strip's rows to the gradients. */
function differentiate(scratch: usize, strip: Strip, call: Call, matrix: i32, max: v128, sum: v128): void {
  const dy = matrixOf(scratch, DY), q = matrixOf(scratch, Q), k = matrixOf(scratch, K);
  const p = numbersOf(scratch);
  const ds = p + 16 * paddedColumns(call.columns);
  dotProducts(p, strip, q, k, call.scale);
  dotProducts(ds, strip, dy, matrixOf(scratch, V), call.keepFactor);
  const dots = dotsOfRows(strip, dy, matrixOf(scratch, Y));
  const indices = indicesOf(scratch, strip, call, matrix);
  const share = f32x4.div(f32x4.splat(1), sum);
  softmaxBackward(p, ds, paddedColumns(seenByLast(strip)), max, share, dots, call, indices);
  addSumsOverColumns(matrixOf(scratch, DQ), ds, strip, k);
  addOuterProducts(matrixOf(scratch, DK), ds, strip, q);
  addOuterProducts(matrixOf(scratch, DV), p, strip, dy);
}

/** In `p`, replaces s by f ⊙ p; in `ds`, replaces dp (before dropout) by ds. */
function softmaxBackward(
  p: usize, ds: usize, columns: usize, max: v128, share: v128, dots: v128, call: Call, indices: v128,
): void {
  // Four columns at a time, so that an engine sets up the constants of exp once for all four.
  for (const end = p + 16 * columns; p < end; p += 64) {
    indices = differentiateColumn(p, ds, max, share, dots, call, indices);
    indices = differentiateColumn(p + 16, ds + 16, max, share, dots, call, indices);
    indices = differentiateColumn(p + 32, ds + 32, max, share, dots, call, indices);
    indices = differentiateColumn(p + 48, ds + 48, max, share, dots, call, indices);
    ds += 64;
  }
}

@inline
function differentiateColumn(
  p: usize, ds: usize, max: v128, share: v128, dots: v128, call: Call, indices: v128,
): v128 {
  const weight = f32x4.mul(share, expOfNegative(f32x4.sub(v128.load(p), max)));
  let dWeight = v128.load(ds);
  let dropped = weight;
  if (call.dropping) {
    const kept = keptLanes(call, indices);
    dWeight = v128.and(dWeight, kept);
    dropped = v128.and(f32x4.mul(weight, f32x4.splat(call.keepFactor)), kept);
  }
  v128.store(p, dropped);
  v128.store(ds, f32x4.mul(f32x4.splat(call.scale), f32x4.mul(weight, f32x4.sub(dWeight, dots))));
  return i32x4.add(indices, i32x4.splat(1));
}
