/** Checkpoint contents for tests: small, and different for every step. */
import type { StepToSave } from "../../src/run/directory.ts";
import type { StoredTensor } from "../../src/run/safetensors.ts";

export function someStep(step: number, best = false, variant = 0): StepToSave {
  const numbers = (shape: readonly number[], start: number): StoredTensor => ({
    shape,
    values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => start + i / 7),
  });
  return {
    step,
    model: new Map([
      ["tokenEmbedding", numbers([3, 2], step + variant)],
      ["head.weight", numbers([5], -step)],
    ]),
    optimizer: new Map([["tokenEmbedding.first", numbers([3, 2], 1000 * step)]]),
    state: { random: { c: 1, s0: 0.1, s1: 0.5e-9, s2: step }, variant, note: 'é "q"', list: [1, null, true] },
    best,
  };
}
