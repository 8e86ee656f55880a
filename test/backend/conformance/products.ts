/** Matrix products and attention. */
import type { AttentionSize, Matrices, Span } from "../../../src/backend/backend.ts";
import { layOut } from "./layout.ts";
import { type Case, sameBits, type Trial, type Twin } from "./trial.ts";

/** A batch of matrices, laid out at random over a twin. */
interface Operand {
  readonly twin: Twin;
  readonly layout: Omit<Matrices, "span">;
}

const over = ({ layout }: Operand, span: Span): Matrices => ({ ...layout, span });

function operand(
  trial: Trial,
  batch: readonly number[],
  rows: number,
  columns: number,
  { output = false, specials = false } = {},
): Operand {
  const { offset, strides, length } = layOut(trial, [...batch, rows, columns], { repeats: !output });
  const [rowStride, columnStride] = strides.slice(batch.length);
  const layout = { offset, rowStride, columnStride, batchStrides: strides.slice(0, batch.length) };
  if (output) return { twin: trial.output(length), layout };
  const numbers = specials
    ? trial.wild(length, [Number.NaN, Number.POSITIVE_INFINITY, 0])
    : trial.normals(length);
  return { twin: trial.span(numbers), layout };
}

/** Where element (i, j) of each matrix of a batch stands. */
function places({ layout }: Operand, batch: readonly number[]): ((i: number, j: number) => number)[] {
  const starts = batch.reduce(
    (all, length, axis) =>
      all.flatMap((start) => Array.from({ length }, (_, i) => start + i * layout.batchStrides[axis])),
    [layout.offset],
  );
  return starts.map((start) => (i, j) => start + i * layout.rowStride + j * layout.columnStride);
}

const gemm: Case = {
  name: "gemm",
  async check(trial) {
    const batch = Array.from({ length: trial.random.below(3) }, () => trial.pick([0, 1, 2, 3, 5]));
    const [rows, columns, inner] = [trial.length(), trial.length(), trial.length()];
    const specials = trial.random.below(6) === 0;
    const a = operand(trial, batch, rows, inner, { specials });
    const b = operand(trial, batch, inner, columns, { specials });
    const c = operand(trial, batch, rows, columns, { output: true });
    const accumulate = trial.flip();
    const bias = accumulate || trial.flip() ? null : trial.noise(columns);
    const size = { batch, rows, columns, inner, accumulate };
    trial.run((backend, of) => {
      const [cs, as, bs] = [over(c, of(c.twin)), over(a, of(a.twin)), over(b, of(b.twin))];
      backend.gemm(cs, as, bs, { ...size, bias: bias && of(bias) });
    });
    const absolute = [c, a, b].map(({ twin }) => trial.absolute(twin));
    const absoluteBias = bias && trial.absolute(bias);
    trial.runTruth((backend, of) => {
      const [cs, as, bs] = [c, a, b].map((matrices, i) => over(matrices, of(absolute[i])));
      backend.gemm(cs, as, bs, { ...size, bias: absoluteBias && of(absoluteBias) });
    });
    const scale = await trial.truth(absolute[0]);
    await trial.near("c", c.twin, { roundings: (inner + 1) * trial.tolerance.sums, scale });
    if (!trial.tolerance.ordered) return;
    // ((start + a₀b₀) + a₁b₁) + …, each step rounded.
    const expected = c.twin.numbers.slice();
    const [placeA, placeB] = [places(a, batch), places(b, batch)];
    for (const [matrix, placeC] of places(c, batch).entries()) {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          let sum = accumulate ? expected[placeC(i, j)] : (bias?.numbers[j] ?? 0);
          for (let p = 0; p < inner; p++) {
            const product = a.twin.numbers[placeA[matrix](i, p)] * b.twin.numbers[placeB[matrix](p, j)];
            sum = Math.fround(sum + Math.fround(product));
          }
          expected[placeC(i, j)] = sum;
        }
      }
    }
    sameBits("c in the order of the contract", await trial.tested(c.twin), expected);
  },
};

function attentionSize(trial: Trial): AttentionSize {
  const columns = trial.pick([1, 2, 3, 4, 5, 8, 13, 17, 31, 33]);
  const rows = trial.pick([columns, 1, 1 + trial.random.below(columns)]);
  const dropping = { probability: 0.4, key: [trial.random.uint32(), trial.random.uint32()] as const };
  return {
    ...{
      batch: Array.from({ length: trial.random.below(3) }, () => 1 + trial.random.below(3)),
      rows,
      columns,
    },
    ...{ width: trial.pick([1, 3, 4, 8, 16, 24, 32]), scale: trial.pick([1, 0.25, 0.1]) },
    ...{ visible: trial.pick(["all", "staircase"] as const), dropping: trial.pick([null, dropping]) },
  };
}

interface AttentionOperands {
  readonly q: Operand;
  readonly k: Operand;
  readonly v: Operand;
  readonly y: Operand;
  readonly logSumExp: Twin;
}

function attentionOperands(trial: Trial, size: AttentionSize): AttentionOperands {
  const { batch, rows, columns, width } = size;
  const count = batch.reduce((product, length) => product * length, 1);
  return {
    q: operand(trial, batch, rows, width),
    k: operand(trial, batch, columns, width),
    v: operand(trial, batch, columns, width),
    y: operand(trial, batch, rows, width, { output: true }),
    logSumExp: trial.output(count * rows),
  };
}

/** The largest absolute value in a twin, or `least`. */
const largest = ({ numbers }: Twin, least = 0) =>
  numbers.reduce((most, value) => Math.max(most, Math.abs(value)), least);

/**
 * An error of a score is a relative error of its weight: so a weight is off by the roundings of the largest
 * score (`width` products), of exp, and of the sum over columns.
 */
function weightRoundings({ tolerance }: Trial, size: AttentionSize, { q, k }: AttentionOperands): number {
  const score = size.scale * size.width * largest(q.twin) * largest(k.twin);
  return 2 * tolerance.functions + tolerance.sums * (size.columns + size.width * score);
}

const attention: Case = {
  name: "attention",
  async check(trial) {
    const size = attentionSize(trial);
    const operands = attentionOperands(trial, size);
    const { q, k, v, y, logSumExp } = operands;
    trial.run((backend, of) => {
      const [ys, qs, ks, vs] = [y, q, k, v].map((matrices) => over(matrices, of(matrices.twin)));
      backend.attention(ys, of(logSumExp), qs, ks, vs, size);
    });
    const roundings = weightRoundings(trial, size, operands);
    const largestWeight = size.dropping === null ? 1 : 1 / (1 - size.dropping.probability);
    const scale = y.twin.numbers.map(() => largestWeight * largest(v.twin));
    await trial.near("y", y.twin, { roundings, scale });
    await trial.near("logSumExp", logSumExp, { roundings, scale: logSumExp.numbers.map(() => 1) });
  },
};

const attentionBackward: Case = {
  name: "attentionBackward",
  async check(trial) {
    const size = attentionSize(trial);
    const { batch, rows, columns, width } = size;
    const operands = attentionOperands(trial, size);
    const { q, k, v, y, logSumExp } = operands;
    trial.runTruth((backend, of) => {
      const [ys, qs, ks, vs] = [y, q, k, v].map((matrices) => over(matrices, of(matrices.twin)));
      backend.attention(ys, of(logSumExp), qs, ks, vs, size);
    });
    const outcome: Operand = { ...y, twin: trial.span(await trial.truth(y.twin)) };
    const totals = trial.span(await trial.truth(logSumExp));
    const dy = operand(trial, batch, rows, width);
    const dq = operand(trial, batch, rows, width, { output: true });
    const dk = operand(trial, batch, columns, width, { output: true });
    const dv = operand(trial, batch, columns, width, { output: true });
    const accumulate = { dq: trial.flip(), dk: trial.flip(), dv: trial.flip() };
    trial.run((backend, of) => {
      const at = (matrices: Operand) => over(matrices, of(matrices.twin));
      const inputs = [at(dy), at(outcome), of(totals), at(q), at(k), at(v)] as const;
      backend.attentionBackward(at(dq), at(dk), at(dv), ...inputs, size, accumulate);
    });
    // A weight is at most 1 (and those of a row add up to 1), a dropped one this; its gradient is ⟨dy, v⟩ − ⟨dy, y⟩.
    const factor = size.dropping === null ? 1 : 1 / (1 - size.dropping.probability);
    const dScore = 2 * size.scale * factor * width * largest(dy.twin) * largest(v.twin);
    const roundings = 2 * (weightRoundings(trial, size, operands) + width + rows * trial.tolerance.sums);
    const bound = (name: string, { twin }: Operand, size: number) =>
      trial.near(name, twin, { roundings, scale: twin.numbers.map((old) => Math.abs(old) + size) });
    await bound("dq", dq, dScore * largest(k.twin));
    await bound("dk", dk, dScore * largest(q.twin) * rows);
    await bound("dv", dv, factor * largest(dy.twin) * rows);
  },
};

const attentionAlone: Case = {
  name: "attention: the bits of a row depend on that row of q and on the columns it sees",
  async check(trial) {
    const size: AttentionSize = { ...attentionSize(trial), visible: "staircase", dropping: null };
    const { batch, rows, columns } = size;
    const { q, k, v, y, logSumExp } = attentionOperands(trial, size);
    const row = trial.random.below(rows);
    const [y1, total1] = [
      { ...y, twin: trial.output(y.twin.numbers.length) },
      trial.output(logSumExp.numbers.length),
    ];
    const rowOf = (matrices: Operand, span: Span): Matrices => {
      const { offset, rowStride } = matrices.layout;
      return { ...over(matrices, span), offset: offset + row * rowStride };
    };
    trial.run((backend, of) => {
      const [qs, ks, vs] = [q, k, v].map((matrices) => over(matrices, of(matrices.twin)));
      backend.attention(over(y, of(y.twin)), of(logSumExp), qs, ks, vs, size);
      const seen = { ...size, rows: 1, columns: columns - rows + row + 1 };
      backend.attention(rowOf(y1, of(y1.twin)), of(total1), rowOf(q, of(q.twin)), ks, vs, seen);
    });
    const [whole, alone] = [await trial.tested(y.twin), await trial.tested(y1.twin)];
    const elements = places(y, batch).flatMap((at) =>
      Array.from({ length: size.width }, (_, j) => at(row, j)),
    );
    sameBits(
      "row",
      elements.map((at) => alone[at]),
      elements.map((at) => whole[at]),
    );
  },
};

export const productCases: readonly Case[] = [gemm, attention, attentionBackward, attentionAlone];
