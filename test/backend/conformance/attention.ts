/** Fused attention: whatever its rows see. */
import type { AttentionSize, Buffer, KeyRange, Matrices } from "../../../src/backend/backend.ts";
import { type Operand, operand, over, places } from "./operand.ts";
import { type Case, sameBits, statisticsOn, type Trial, type Twin, type TwinStatistics } from "./trial.ts";

/** The first column that a row sees, and the number of columns it sees. */
interface Seen {
  readonly start: number;
  readonly count: number;
}

interface RandomSize {
  readonly size: AttentionSize;
  seen(matrix: number, row: number): Seen;
}

function randomSize(trial: Trial, { dropping = true } = {}): RandomSize {
  const kind = trial.pick(["full", "causal", "ranges", "ranges"] as const);
  const columns = trial.pick([1, 2, 3, 4, 5, 8, 13, 17, 31, 33]);
  const fewer = 1 + trial.random.below(columns);
  const rows = trial.pick(kind === "ranges" ? [columns, 1, fewer, columns + 6] : [columns, 1, fewer]);
  const axes = kind === "ranges" ? 1 + trial.random.below(3) : trial.random.below(4);
  const batch = Array.from({ length: axes }, () => 1 + trial.random.below(3));
  const drops = { probability: 0.4, key: [trial.random.uint32(), trial.random.uint32()] as const };
  const size = {
    ...{ batch, rows, columns },
    ...{ width: trial.pick([1, 3, 4, 8, 16, 24, 32]), scale: trial.pick([1, 0.25, 0.1]) },
    dropping: dropping ? trial.pick([null, drops]) : null,
  };
  if (kind !== "ranges") {
    const count = (row: number) => (kind === "full" ? columns : columns - rows + row + 1);
    return { size: { ...size, mask: kind }, seen: (_, row) => ({ start: 0, count: count(row) }) };
  }
  // Some ranges end before they start, and some rows lie above the diagonal's first column.
  const ranges = Array.from({ length: batch[0] }, () => ({
    start: trial.pick([0, trial.random.below(columns + 1)]),
    end: trial.pick([columns, trial.random.below(columns + 1)]),
    diagonal: trial.pick([columns - rows, columns, trial.random.below(rows + columns + 2) - rows - 1]),
  }));
  const sharing = batch.slice(1).reduce((product, length) => product * length, 1);
  return {
    size: { ...size, mask: unchanging(ranges) },
    seen(matrix, row) {
      const { start, end, diagonal } = ranges[Math.floor(matrix / sharing)];
      let count = 0;
      for (let column = start; column < end; column++) if (column <= diagonal + row) count++;
      return { start, count };
    },
  };
}

/** A backend that writes to its key ranges throws. */
function unchanging(ranges: readonly KeyRange[]): readonly KeyRange[] {
  return Object.freeze(ranges.map((range) => Object.freeze(range)));
}

interface AttentionOperands {
  readonly q: Operand;
  readonly k: Operand;
  readonly v: Operand;
  readonly y: Operand;
  readonly statistics: TwinStatistics;
}

function attentionOperands(trial: Trial, size: AttentionSize): AttentionOperands {
  const { batch, rows, columns, width } = size;
  const count = batch.reduce((product, length) => product * length, 1);
  return {
    q: operand(trial, batch, rows, width),
    k: operand(trial, batch, columns, width),
    v: operand(trial, batch, columns, width),
    y: operand(trial, batch, rows, width, { output: true }),
    statistics: trial.statistics(count * rows),
  };
}

/** The maximum absolute value in a twin, or `least`. */
const largest = ({ numbers }: Twin, least = 0) =>
  numbers.reduce((most, value) => Math.max(most, Math.abs(value)), least);

/**
 * An absolute error of a score is a relative error of its weight. So a weight has the rounding errors of the largest
 * score (`width` products), of exp, and of the sum over columns.
 */
function weightRoundings({ tolerance }: Trial, size: AttentionSize, { q, k }: AttentionOperands): number {
  const score = size.scale * size.width * largest(q.twin) * largest(k.twin);
  return 2 * tolerance.functions + tolerance.sums * (size.columns + size.width * score);
}

const attention: Case = {
  name: "attention",
  async check(trial) {
    const { size } = randomSize(trial);
    const operands = attentionOperands(trial, size);
    const { q, k, v, y, statistics } = operands;
    trial.run((backend, of) => {
      const [ys, qs, ks, vs] = [y, q, k, v].map((matrices) => over(matrices, of(matrices.twin)));
      backend.attention(ys, statisticsOn(of, statistics), qs, ks, vs, size);
    });
    const roundings = weightRoundings(trial, size, operands);
    const largestWeight = size.dropping === null ? 1 : 1 / (1 - size.dropping.probability);
    const scale = y.twin.numbers.slice().fill(largestWeight * largest(v.twin));
    await trial.near("y", y.twin, { roundings, scale });
    await trial.near("max", statistics.max, { roundings, scale: statistics.max.numbers.map(() => 1) });
    await trial.near("sum", statistics.sum, { roundings });
  },
};

const attentionBackward: Case = {
  name: "attentionBackward",
  async check(trial) {
    const { size } = randomSize(trial);
    const { batch, rows, columns, width } = size;
    const operands = attentionOperands(trial, size);
    const { q, k, v, y, statistics } = operands;
    trial.runTruth((backend, of) => {
      const [ys, qs, ks, vs] = [y, q, k, v].map((matrices) => over(matrices, of(matrices.twin)));
      backend.attention(ys, statisticsOn(of, statistics), qs, ks, vs, size);
    });
    const outcome: Operand = { ...y, twin: trial.buffer(await trial.truth(y.twin)) };
    const saved = await trial.trueStatistics(statistics);
    const dy = operand(trial, batch, rows, width);
    const dq = operand(trial, batch, rows, width, { output: true });
    const dk = operand(trial, batch, columns, width, { output: true });
    const dv = operand(trial, batch, columns, width, { output: true });
    const accumulate = { dq: trial.flip(), dk: trial.flip(), dv: trial.flip() };
    trial.run((backend, of) => {
      const at = (matrices: Operand) => over(matrices, of(matrices.twin));
      const inputs = [at(dy), at(outcome), statisticsOn(of, saved), at(q), at(k), at(v)] as const;
      backend.attentionBackward(at(dq), at(dk), at(dv), ...inputs, size, accumulate);
    });
    // Kept weights are at most this (all weights of a row add up to 1); their gradient is ⟨dy, v⟩ − ⟨dy, y⟩.
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

const largeScores: Case = {
  name: "attention, attentionBackward: weights keep their digits at large scores",
  async check(trial) {
    const [rows, columns, width] = [trial.length(1), trial.length(1), trial.pick([2, 4, 8, 32])];
    /** The scores are level + x·t, exact in single precision. */
    const level = trial.pick([1e2, 1e4, 1e6, 4e6, -4e6]);
    const padding = Array.from({ length: width - 2 }, () => 0);
    const halves = (count: number, limit: number) =>
      Array.from({ length: count }, () => (trial.random.below(4 * limit + 1) - 2 * limit) / 2);
    const q = trial.buffer(halves(rows, 3).flatMap((x) => [level, x, ...padding]));
    const k = trial.buffer(halves(columns, 2).flatMap((t) => [1, t, ...padding]));
    const [v, dy] = [columns, rows].map((count) => trial.noise(count * width));
    const [y, dq, dk, dv] = [rows, rows, columns, columns].map((count) => trial.output(count * width));
    const statistics = trial.statistics(rows);
    const mask = rows <= columns ? trial.pick(["full", "causal"] as const) : "full";
    const size = { batch: [], rows, columns, width, scale: 1, mask, dropping: null };
    trial.run((backend, of) => {
      const at = (twin: Twin) => {
        return { buffer: of(twin), offset: 0, rowStride: width, columnStride: 1, batchStrides: [] };
      };
      const saved = statisticsOn(of, statistics);
      backend.attention(at(y), saved, at(q), at(k), at(v), size);
      const inputs = [at(dy), at(y), saved, at(q), at(k), at(v)] as const;
      const accumulate = { dq: false, dk: false, dv: false };
      backend.attentionBackward(at(dq), at(dk), at(dv), ...inputs, size, accumulate);
    });
    await trial.same("max", statistics.max);
    const roundings = 2 * trial.tolerance.functions + trial.tolerance.sums * (columns + 6);
    await trial.near("sum", statistics.sum, { roundings });
    const bound = (name: string, twin: Twin, count: number, scale: (d: number) => number) =>
      trial.near(name, twin, {
        roundings: 2 * roundings + width + count * trial.tolerance.sums,
        scale: twin.numbers.map((_, i) => scale(i % width)),
      });
    const [largestV, largestDy] = [largest(v), largest(dy)];
    const dScore = 2 * width * largestDy * largestV;
    await bound("y", y, 0, () => largestV);
    await bound("dq", dq, columns, () => 2 * dScore);
    await bound("dk", dk, rows, (d) => rows * dScore * (d === 0 ? Math.abs(level) : 3));
    await bound("dv", dv, rows, () => rows * largestDy);
  },
};

const hidden: Case = {
  name: "attention, attentionBackward: what is hidden does not matter, and receives nothing",
  async check(trial) {
    const { size, seen } = randomSize(trial);
    const { batch, rows, columns, width } = size;
    const byRow = (output = false) => operand(trial, batch, rows, width, { output, repeats: false });
    const byColumn = (output = false) => operand(trial, batch, columns, width, { output, repeats: false });
    const [q, dy, k, v] = [byRow(), byRow(), byColumn(), byColumn()];
    const outputs = [byRow(true), byRow(true), byColumn(true), byColumn(true)];
    const count = batch.reduce((product, length) => product * length, 1);
    const statistics = trial.statistics(count * rows);
    const accumulate = { dq: trial.flip(), dk: trial.flip(), dv: trial.flip() };

    const indices = (length: number) => Array.from({ length }, (_, i) => i);
    const blindRow = (matrix: number, row: number) => seen(matrix, row).count === 0;
    const unseenColumn = (matrix: number, column: number) =>
      indices(rows).every((row) => {
        const { start, count } = seen(matrix, row);
        return column < start || column >= start + count;
      });
    const elements = (matrices: Operand, length: number, where: (matrix: number, i: number) => boolean) =>
      places(matrices, batch).flatMap((at, matrix) =>
        indices(length).flatMap((i) => (where(matrix, i) ? indices(width).map((d) => at(i, d)) : [])),
      );
    const poisoned = (matrices: Operand, length: number, where: (matrix: number, i: number) => boolean) => {
      const numbers = matrices.twin.numbers.slice();
      for (const at of elements(matrices, length, where))
        numbers[at] = trial.pick([Number.NaN, Infinity, 3e38]);
      return { ...matrices, twin: trial.buffer(numbers) };
    };
    const wild = {
      ...{ q: poisoned(q, rows, blindRow), dy: poisoned(dy, rows, blindRow) },
      ...{ k: poisoned(k, columns, unseenColumn), v: poisoned(v, columns, unseenColumn) },
    };
    const wildOutputs = outputs.map((output) => ({ ...output, twin: trial.again(output.twin) }));
    const wildStatistics = { max: trial.again(statistics.max), sum: trial.again(statistics.sum) };
    const both = [
      { inputs: { q, dy, k, v }, outputs, statistics },
      { inputs: wild, outputs: wildOutputs, statistics: wildStatistics },
    ];
    trial.run((backend, of) => {
      for (const { inputs, outputs, statistics } of both) {
        const at = (matrices: Operand) => over(matrices, of(matrices.twin));
        const [y, dq, dk, dv] = outputs.map(at);
        const [qs, ks, vs] = [inputs.q, inputs.k, inputs.v].map(at);
        const saved = statisticsOn(of, statistics);
        backend.attention(y, saved, qs, ks, vs, size);
        backend.attentionBackward(dq, dk, dv, at(inputs.dy), y, saved, qs, ks, vs, size, accumulate);
      }
    });

    for (const name of ["max", "sum"] as const) {
      sameBits(name, await trial.tested(wildStatistics[name]), await trial.tested(statistics[name]));
    }
    const received = [
      { name: "y", length: rows, where: blindRow, kept: false },
      { name: "dq", length: rows, where: blindRow, kept: accumulate.dq },
      { name: "dk", length: columns, where: unseenColumn, kept: accumulate.dk },
      { name: "dv", length: columns, where: unseenColumn, kept: accumulate.dv },
    ];
    for (const [i, { name, length, where, kept }] of received.entries()) {
      const numbers = await trial.tested(outputs[i].twin);
      sameBits(name, await trial.tested(wildOutputs[i].twin), numbers);
      const nothing = elements(outputs[i], length, where);
      sameBits(
        `${name} of hidden columns`,
        nothing.map((at) => numbers[at]),
        nothing.map((at) => (kept ? outputs[i].twin.numbers[at] : 0)),
      );
    }
  },
};

const alone: Case = {
  name: "attention: the bits of a row depend on that row of q and on the columns it sees",
  async check(trial) {
    const { size, seen } = randomSize(trial, { dropping: false });
    const { batch, rows, width } = size;
    const { q, k, v, y, statistics } = attentionOperands(trial, size);
    const row = trial.random.below(rows);
    const [y1, statistics1] = [trial.output(width), trial.statistics(1)];
    trial.run((backend, of) => {
      const [qs, ks, vs] = [q, k, v].map((matrices) => over(matrices, of(matrices.twin)));
      backend.attention(over(y, of(y.twin)), statisticsOn(of, statistics), qs, ks, vs, size);
    });
    const [whole, maxima, sums] = [
      await trial.tested(y.twin),
      await trial.tested(statistics.max),
      await trial.tested(statistics.sum),
    ];
    for (const [matrix, at] of places(y, batch).entries()) {
      const { start, count } = seen(matrix, row);
      /** One matrix, from one row on. */
      const part = (matrices: Operand, buffer: Buffer, first: number): Matrices => {
        return {
          ...over(matrices, buffer),
          offset: places(matrices, batch)[matrix](first, 0),
          batchStrides: [],
        };
      };
      trial.run((backend, of) => {
        const to = { buffer: of(y1), offset: 0, rowStride: width, columnStride: 1, batchStrides: [] };
        const [qs, ks, vs] = [
          part(q, of(q.twin), row),
          part(k, of(k.twin), start),
          part(v, of(v.twin), start),
        ];
        const one = { ...size, batch: [], rows: 1, columns: count, mask: "full" } as const;
        backend.attention(to, statisticsOn(of, statistics1), qs, ks, vs, one);
      });
      sameBits(
        "row",
        await trial.tested(y1),
        Array.from({ length: width }, (_, j) => whole[at(row, j)]),
      );
      sameBits("max", await trial.tested(statistics1.max), [maxima[matrix * rows + row]]);
      sameBits("sum", await trial.tested(statistics1.sum), [sums[matrix * rows + row]]);
    }
  },
};

export const attentionCases: readonly Case[] = [attention, attentionBackward, largeScores, hidden, alone];
