/**
 * Blocks of numbers for oracles: textbook formulas by index, independent of the code under test.
 */
import { Random } from "../../src/random.ts";

export class Block {
  readonly shape: readonly number[];
  readonly values: Float64Array;

  constructor(shape: readonly number[], values: ArrayLike<number>) {
    this.shape = shape;
    this.values = Float64Array.from(values);
  }

  /** A block with each element computed from its index. */
  static build(shape: readonly number[], formula: (...index: number[]) => number): Block {
    return new Block(
      shape,
      indicesOf(shape).map((index) => formula(...index)),
    );
  }

  /** Seeded numbers from `draw`. Default: standard normal. */
  static random(shape: readonly number[], name: string, draw = (random: Random) => random.normal()): Block {
    const random = Random.of(7, "block", name);
    return Block.build(shape, () => draw(random));
  }

  /** One element, with broadcasting: indices are aligned at the last axis, and 0 along axes of size 1. */
  at(...index: number[]): number {
    let place = 0;
    this.shape.forEach((length, axis) => {
      const i = index[axis + index.length - this.shape.length];
      place = place * length + (length === 1 ? 0 : i);
    });
    return this.values[place];
  }
}

/** All indices of a shape, last axis fastest. */
export function indicesOf(shape: readonly number[]): number[][] {
  let indices: number[][] = [[]];
  for (const length of shape) {
    indices = indices.flatMap((index) => Array.from({ length }, (_, i) => [...index, i]));
  }
  return indices;
}

/** Σ formula(i) for i in 0 … count−1. */
export function sumOver(count: number, formula: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += formula(i);
  return sum;
}
