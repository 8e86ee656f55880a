/** What a KV cache holds, as the page draws it. */
import { type GPTConfig, headSizeOf, kvHeadsOf } from "../../nn/config.ts";
import type { KVCache } from "../../nn/inference/kv-cache.ts";
import type { MaskSwitchGPT } from "../../nn/mask-switch.ts";

export interface CacheView {
  readonly layers: readonly CachedLayer[];
  /** The number of cached positions, and the most that fit. */
  readonly positions: number;
  readonly capacity: number;
}

/** For each head of keys and values, the Euclidean norm of its vector at each cached position. */
export interface CachedLayer {
  readonly keys: readonly (readonly number[])[];
  readonly values: readonly (readonly number[])[];
}

/** Reads the cache of one sequence. */
export async function viewCache({ config }: MaskSwitchGPT, cache: KVCache): Promise<CacheView> {
  const layers: CachedLayer[] = [];
  for (let layer = 0; layer < config.layers; layer++) {
    const [{ keys, values }] = await cache.keysAndValues(layer);
    layers.push({ keys: headNorms(keys, config), values: headNorms(values, config) });
  }
  return { layers, positions: cache.length, capacity: cache.capacity };
}

/** @param vectors (T, H_kv·D), row by row */
function headNorms(vectors: Float32Array | Float64Array, config: GPTConfig): number[][] {
  const [heads, size] = [kvHeadsOf(config), headSizeOf(config)];
  return Array.from({ length: heads }, (_, head) =>
    Array.from({ length: vectors.length / (heads * size) }, (_, position) => {
      const start = (position * heads + head) * size;
      return Math.sqrt(sumOfSquares(vectors, start, start + size));
    }),
  );
}

function sumOfSquares(numbers: ArrayLike<number>, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += numbers[i] * numbers[i];
  return sum;
}
