import type { Tensor } from "../../autograd/tensor.ts";
import type { AttentionMask, KeyRange } from "../../backend/backend.ts";
import { ShapeError } from "../../errors.ts";
import { formatShape, sameShape } from "../../shape.ts";
import { checkChoice } from "../../util/check-types.ts";

/** @throws ShapeError unless the operands, heads, key count and mask of `attention` fit together */
export function checkAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  {
    heads,
    keyCount,
    mask,
  }: { readonly heads: number; readonly keyCount: number; readonly mask: AttentionMask },
): void {
  const [batchSize, queries, channels] = query.shape;
  const fits = ({ shape }: Tensor) => shape.length === 3 && shape[0] === batchSize;
  if (!fits(query) || !fits(key) || !sameShape(key.shape, value.shape)) {
    const found = [query, key, value].map(({ shape }) => formatShape(shape)).join(", ");
    throw new ShapeError(`attention: needs query (B, T, C), key (B, S, C) and value (B, S, C): got ${found}`);
  }
  if (!Number.isInteger(heads) || heads < 1 || channels % heads !== 0) {
    throw new ShapeError(`attention: ${channels} channels do not divide into ${heads} heads`);
  }
  const width = channels / heads;
  const kvHeads = key.shape[2] / width;
  if (key.shape[2] !== channels && (!Number.isInteger(kvHeads) || heads % kvHeads !== 0)) {
    throw new ShapeError(
      `attention: keys and values need H_kv heads of ${width} channels, where H_kv divides the ${heads} heads of the query: got ${key.shape[2]} channels`,
    );
  }
  if (!Number.isInteger(keyCount) || keyCount < 0 || keyCount > key.shape[1]) {
    throw new ShapeError(`attention: keyCount must be in 0 … ${key.shape[1]}: got ${keyCount}`);
  }
  if (!Array.isArray(mask)) checkChoice("mask", mask, ["full", "causal"]);
  if (mask === "causal" && queries > keyCount) {
    throw new ShapeError(
      `attention: causal needs keys ≥ queries: got ${queries} queries over ${keyCount} keys`,
    );
  }
  if (typeof mask !== "string") checkRanges(mask, batchSize, keyCount);
}

function checkRanges(ranges: readonly KeyRange[], batchSize: number, keys: number): void {
  if (ranges.length !== batchSize) {
    throw new ShapeError(
      `attention: needs a key range for each of the ${batchSize} sequences of the batch: got ${ranges.length}`,
    );
  }
  ranges.forEach(({ start, end, diagonal }, sequence) => {
    for (const [name, key] of Object.entries({ start, end })) {
      if (Number.isInteger(key) && key >= 0 && key <= keys) continue;
      throw new ShapeError(
        `attention: ${name} of key range ${sequence} must be a whole number in 0 … ${keys}, the number of keys: got ${key}`,
      );
    }
    if (!Number.isInteger(diagonal) || Math.abs(diagonal) > 2 ** 24) {
      throw new ShapeError(
        `attention: diagonal of key range ${sequence} must be a whole number in −2²⁴ … 2²⁴: got ${diagonal}`,
      );
    }
  });
}
