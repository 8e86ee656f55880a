/**
 * Muon: momentum with orthogonalized updates, for the matrices inside the blocks.
 *
 * A few large directions dominate a gradient. Replacing the update U = A·Σ·Bᵀ (its singular value decomposition) with
 * A·Bᵀ gives all directions the same weight. Five Newton–Schulz iterations approximate A·Bᵀ with matrix products alone.
 *
 *   m ← μ·m + (1 − μ)·g
 *   u = (1 − μ)·g + μ·m                                      (Nesterov)
 *   W ← W·(1 − rate·decay) − rate·√max(1, out/in)·orthogonal(u)
 *
 * Source: K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
 */
import type { Tensor } from "../autograd/tensor.ts";
import type { Backend, Buffer, Matrices } from "../backend/backend.ts";
import type { NamedTensors } from "../nn/parameters.ts";

export interface MuonSettings {
  readonly momentum: number;
  readonly weightDecay: number;
}

/**
 * Coefficients of one step X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ: on each singular value the quintic
 * a·σ + b·σ³ + c·σ⁵. These coefficients maximize the slope at 0 and bring every σ to between about 0.7 and 1.2.
 */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const ITERATIONS = 5;

/** Matrices of the same shape, orthogonalized together as a batch. */
interface Group {
  readonly names: readonly string[];
  readonly rows: number;
  readonly columns: number;
}

/** The Muon optimizer. See the top of this file. */
export class Muon {
  readonly #parameters: NamedTensors;
  readonly #settings: MuonSettings;
  readonly #momentum: NamedTensors;
  readonly #groups: readonly Group[];

  /** @param parameters matrices (in, out) */
  constructor(parameters: NamedTensors, settings: MuonSettings) {
    this.#parameters = parameters;
    this.#settings = settings;
    this.#momentum = Object.fromEntries(
      Object.entries(parameters).map(([name, { shape, context }]) => {
        const momentum = context.persistent(shape);
        context.backend.fill(momentum.buffer, 0);
        return [name, momentum];
      }),
    );
    this.#groups = groupByShape(parameters);
  }

  /** Updates every parameter that has a gradient, and clears the gradient. The arguments are those of `AdamW.step`. */
  async step(learningRate: number, gradientScale: number): Promise<void> {
    for (const { names, rows, columns } of this.#groups) {
      const moving = names.filter((name) => this.#parameters[name].gradient !== null);
      if (moving.length === 0) continue;
      const { backend } = this.#parameters[moving[0]].context;
      const updates = backend.alloc(moving.length * rows * columns);
      const directions = moving.map((name) => this.#direction(name, gradientScale));
      const norms = await normsOf(backend, directions);
      directions.forEach((direction, i) => {
        backend.scale({ buffer: direction, accumulate: false }, direction, 1 / (norms[i] + 1e-7));
        copyRange(backend, updates, i * rows * columns, direction, 0, rows * columns);
        backend.free(direction);
      });
      orthogonalize(backend, updates, moving.length, rows, columns);
      moving.forEach((name, i) => {
        this.#move(this.#parameters[name], updates, i * rows * columns, learningRate);
      });
      backend.free(updates);
    }
  }

  /** The momenta by name, for a checkpoint. */
  state(): NamedTensors {
    return Object.fromEntries(
      Object.entries(this.#momentum).map(([name, tensor]) => [Muon.stateName(name), tensor]),
    );
  }

  /** The name of a parameter's momentum. */
  static stateName(parameter: string): string {
    return `${parameter}.momentum`;
  }

  /** Adds the gradient to the momentum, and returns Nesterov's direction in a new buffer. */
  #direction(name: string, gradientScale: number): Buffer {
    const { momentum: mu } = this.#settings;
    const { gradient, context } = this.#parameters[name];
    const momentum = this.#momentum[name];
    const { backend } = context;
    const direction = backend.alloc(momentum.size);
    if (gradient === null) return direction;
    backend.scale({ buffer: momentum.buffer, accumulate: false }, momentum.buffer, mu);
    backend.scale({ buffer: momentum.buffer, accumulate: true }, gradient, (1 - mu) * gradientScale);
    backend.scale({ buffer: direction, accumulate: false }, gradient, (1 - mu) * gradientScale);
    backend.scale({ buffer: direction, accumulate: true }, momentum.buffer, mu);
    return direction;
  }

  #move(parameter: Tensor, updates: Buffer, at: number, learningRate: number): void {
    const { backend } = parameter.context;
    const [inputs, outputs] = parameter.shape;
    const stepScale = Math.sqrt(Math.max(1, outputs / inputs));
    const update = backend.alloc(parameter.size);
    copyRange(backend, update, 0, updates, at, parameter.size);
    const itself = { buffer: parameter.buffer, accumulate: false };
    backend.scale(itself, parameter.buffer, 1 - learningRate * this.#settings.weightDecay);
    backend.scale({ buffer: parameter.buffer, accumulate: true }, update, -learningRate * stepScale);
    backend.free(update);
    parameter.storage.clearGradient();
  }
}

/**
 * Replaces each of `count` matrices (rows, columns) with an approximation of its nearest orthogonal matrix: all
 * singular values become about 1. The norms must be at most 1.
 */
export function orthogonalize(
  backend: Backend,
  x: Buffer,
  count: number,
  rows: number,
  columns: number,
): void {
  const side = Math.min(rows, columns);
  const length = Math.max(rows, columns);
  // A tall matrix is read as its transpose, so that X·Xᵀ has the size of the shorter side.
  const wide = (buffer: Buffer): Matrices => ({
    buffer,
    offset: 0,
    rowStride: rows <= columns ? columns : 1,
    columnStride: rows <= columns ? 1 : columns,
    batchStrides: [rows * columns],
  });
  const square = (buffer: Buffer): Matrices => ({
    buffer,
    offset: 0,
    rowStride: side,
    columnStride: 1,
    batchStrides: [side * side],
  });
  const transposed = (m: Matrices): Matrices => ({
    ...m,
    rowStride: m.columnStride,
    columnStride: m.rowStride,
  });
  const [gram, scaled, polynomial] = [0, 1, 2].map(() => backend.alloc(count * side * side));
  const next = backend.alloc(count * rows * columns);
  const replace = (buffer: Buffer) => ({ buffer, accumulate: false });
  const size = (n: number, inner: number, accumulate: boolean) => {
    return { batch: [count], rows: side, columns: n, inner, accumulate, bias: null };
  };
  for (let i = 0; i < ITERATIONS; i++) {
    backend.gemm(square(gram), wide(x), transposed(wide(x)), size(side, length, false)); // A = X·Xᵀ
    backend.scale(replace(polynomial), gram, B);
    backend.scale(replace(scaled), gram, C);
    backend.gemm(square(polynomial), square(scaled), square(gram), size(side, side, true)); // b·A + c·A²
    backend.scale(replace(next), x, A);
    backend.gemm(wide(next), square(polynomial), wide(x), size(length, side, true)); // a·X + (b·A + c·A²)·X
    backend.scale(replace(x), next, 1);
  }
  for (const buffer of [gram, scaled, polynomial, next]) backend.free(buffer);
}

function groupByShape(parameters: NamedTensors): Group[] {
  const groups = new Map<string, Group>();
  for (const [name, { shape }] of Object.entries(parameters)) {
    const [rows, columns] = shape;
    const key = `${rows}×${columns}`;
    groups.set(key, { names: [...(groups.get(key)?.names ?? []), name], rows, columns });
  }
  return [...groups.values()];
}

async function normsOf(backend: Backend, buffers: readonly Buffer[]): Promise<number[]> {
  const squares = backend.alloc(buffers.length);
  backend.sumsOfSquares(squares, buffers);
  const sums = await backend.read(squares);
  backend.free(squares);
  return Array.from(sums, Math.sqrt);
}

/** Copies `length` numbers between buffers. */
function copyRange(
  backend: Backend,
  dst: Buffer,
  dstAt: number,
  src: Buffer,
  srcAt: number,
  length: number,
): void {
  const to = { buffer: dst, offset: dstAt, strides: [1] };
  backend.copy(to, { buffer: src, offset: srcAt, strides: [1] }, [length], false);
}
