/** Strided copies of blocks with four axes. ../host/copy.ts brings every copy into this form. */
import { at, put, putOne, putPart, putRun } from "./vector";

/**
 * dst[i, j, k, l] = src[i, j, k, l] for i in begin … end−1, every j < shape1, k < shape2, l < shape3. Strides count
 * numbers. Fast if the last axis of dst has stride 1 and the last axis of src has stride 1 (a run), stride 0 (a
 * repeated number), or any other stride while the axis before it has stride 1 (a transpose).
 */
export function copyBlock(
  dst: usize, src: usize, accumulate: bool, shape1: i32, shape2: i32, shape3: i32,
  dst0: i32, dst1: i32, dst2: i32, dst3: i32, src0: i32, src1: i32, src2: i32, src3: i32, begin: i32, end: i32,
): void {
  for (let i = begin; i < end; i++) {
    for (let j = 0; j < shape1; j++) {
      const to = at(dst, i * dst0 + j * dst1);
      const from = at(src, i * src0 + j * src1);
      if (dst3 == 1 && src3 != 0 && src3 != 1 && src2 == 1) {
        transpose(to, from, accumulate, shape2, shape3, dst2, src3);
        continue;
      }
      for (let k = 0; k < shape2; k++) {
        const row = at(to, k * dst2);
        if (dst3 == 1 && src3 == 1) putRun(row, at(from, k * src2), shape3, accumulate);
        else if (dst3 == 1 && src3 == 0) repeat(row, f32.load(at(from, k * src2)), accumulate, shape3);
        else copyStrided(row, at(from, k * src2), accumulate, shape3, dst3, src3);
      }
    }
  }
}

@inline
function repeat(dst: usize, value: f32, accumulate: bool, length: i32): void {
  const values = f32x4.splat(value);
  let i = 0;
  for (; i <= length - 4; i += 4) put(at(dst, i), values, accumulate);
  if (i < length) putPart(at(dst, i), values, length - i, accumulate);
}

@inline
function copyStrided(
  dst: usize, src: usize, accumulate: bool, length: i32, dstStride: i32, srcStride: i32,
): void {
  for (let i = 0; i < length; i++) {
    putOne(at(dst, i * dstStride), f32.load(at(src, i * srcStride)), accumulate);
  }
}

/** dst[k, l] = src[l, k], in blocks of 4 × 4. Rows of dst are `dstStride` apart, rows of src `srcStride`. */
@inline
function transpose(
  dst: usize, src: usize, accumulate: bool, rows: i32, columns: i32, dstStride: i32, srcStride: i32,
): void {
  let k = 0;
  for (; k <= rows - 4; k += 4) {
    let l = 0;
    for (; l <= columns - 4; l += 4) {
      transposeTile(at(dst, k * dstStride + l), at(src, l * srcStride + k), accumulate, dstStride, srcStride);
    }
    for (; l < columns; l++) {
      copyStrided(at(dst, k * dstStride + l), at(src, l * srcStride + k), accumulate, 4, dstStride, 1);
    }
  }
  for (; k < rows; k++) copyStrided(at(dst, k * dstStride), at(src, k), accumulate, columns, 1, srcStride);
}

@inline
function transposeTile(dst: usize, src: usize, accumulate: bool, dstStride: i32, srcStride: i32): void {
  const a = v128.load(src);
  const b = v128.load(at(src, srcStride));
  const c = v128.load(at(src, 2 * srcStride));
  const d = v128.load(at(src, 3 * srcStride));
  const ab01 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd01 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const ab23 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd23 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  put(dst, v128.shuffle<f32>(ab01, cd01, 0, 1, 4, 5), accumulate);
  put(at(dst, dstStride), v128.shuffle<f32>(ab01, cd01, 2, 3, 6, 7), accumulate);
  put(at(dst, 2 * dstStride), v128.shuffle<f32>(ab23, cd23, 0, 1, 4, 5), accumulate);
  put(at(dst, 3 * dstStride), v128.shuffle<f32>(ab23, cd23, 2, 3, 6, 7), accumulate);
}
