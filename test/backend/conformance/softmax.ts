/** Softmax, log-softmax and cross-entropy of rows. */
import type { Backend, Mask, MatrixSize } from "../../../src/backend/backend.ts";
import { type Case, type Side, sameBits, statisticsOn, type Trial, type Twin } from "./trial.ts";

/** Rows of scores: ordinary, large, all equal, some −∞, all −∞, with a NaN or ∞. */
function scores(trial: Trial, rows: number, columns: number): Twin {
  const values = Array.from({ length: rows }, () => {
    const row = trial.normals(columns, trial.pick([1, 1, 30]), trial.pick([0, 0, 100, -1000, 4e6]));
    const kind = trial.random.below(12);
    if (kind === 0) return row.fill(trial.pick([0, -7, 88, 3e38, Number.NEGATIVE_INFINITY]));
    if (kind === 1) return row.map((value) => (trial.flip() ? value : Number.NEGATIVE_INFINITY));
    if (kind === 2 && columns > 0) row[trial.random.below(columns)] = trial.pick([Number.NaN, Infinity]);
    return row;
  });
  return trial.buffer(values.flat());
}

/** A batch of matrices that a causal mask fits: rows ≤ columns. */
function matrices(trial: Trial): { size: MatrixSize; mask: Mask } {
  const columns = trial.length();
  const rows = Math.min(trial.length(), columns, 19);
  return { size: { count: trial.random.below(4), rows, columns }, mask: trial.pick(["full", "causal"]) };
}

/** The sum of a target's random initial contents and the change. */
function grown(dx: Twin, change: ArrayLike<number>): Float64Array {
  return Float64Array.from(dx.numbers, (old, i) => Math.abs(old) + Math.abs(change[i]));
}

/** One number per row, from that row of `values`. */
function byRow(
  values: ArrayLike<number>,
  columns: number,
  f: (row: number[]) => number,
): (i: number) => number {
  const numbers = Array.from(values);
  const results = new Map<number, number>();
  return (i) => {
    const row = Math.floor(i / columns);
    const known = results.get(row) ?? f(numbers.slice(row * columns, (row + 1) * columns));
    results.set(row, known);
    return known;
  };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const sumOfAbsolutes = (values: readonly number[]) => sum(values.map(Math.abs));

/** Rounding errors of a function of a sum over a row. */
function rowRoundings({ tolerance }: Trial, columns: number): number {
  return columns * tolerance.sums + 2 * tolerance.functions;
}

const softmax: Case = {
  name: "softmaxRows",
  async check(trial) {
    const { size, mask } = matrices(trial);
    const x = scores(trial, size.count * size.rows, size.columns);
    const y = trial.output(x.numbers.length);
    trial.run((backend, of) => backend.softmaxRows(of(y), of(x), size, mask));
    // x − max is rounded before exp, and an absolute error of an exponent is a relative one of its power.
    const scale = Array.from(await trial.truth(y), (value) =>
      value > 0 ? value * (1 - Math.log(value)) : 0,
    );
    await trial.near("y", y, { roundings: rowRoundings(trial, size.columns), scale });
  },
};

const softmaxHidden: Case = {
  name: "softmaxRows: hidden entries are exactly +0, and what they held does not matter",
  async check(trial) {
    const { size } = matrices(trial);
    const { rows, columns } = size;
    const isHidden = (i: number) => i % columns > columns - rows + (Math.floor(i / columns) % rows);
    const plain = trial.noise(size.count * rows * columns);
    const wild = trial.buffer(
      plain.numbers.map((value, i) => (isHidden(i) ? trial.pick([Number.NaN, 1e30]) : value)),
    );
    const [y, z] = [trial.output(plain.numbers.length), trial.output(plain.numbers.length)];
    trial.run((backend, of) => {
      backend.softmaxRows(of(y), of(plain), size, "causal");
      backend.softmaxRows(of(z), of(wild), size, "causal");
    });
    const values = await trial.tested(y);
    sameBits("y", await trial.tested(z), values);
    const hidden = values.filter((_, i) => isHidden(i));
    sameBits("hidden entries", hidden, new Float32Array(hidden.length));
  },
};

const softmaxBackward: Case = {
  name: "softmaxRowsBackward",
  async check(trial) {
    const { size, mask } = matrices(trial);
    const x = trial.noise(size.count * size.rows * size.columns);
    const probabilities = trial.output(x.numbers.length);
    trial.runTruth((backend, of) => backend.softmaxRows(of(probabilities), of(x), size, mask));
    const y = trial.buffer(await trial.truth(probabilities));
    const [dy, dx] = [trial.noise(x.numbers.length), trial.output(x.numbers.length)];
    const accumulate = trial.flip();
    trial.run((backend, of) =>
      backend.softmaxRowsBackward({ buffer: of(dx), accumulate }, of(dy), of(y), size),
    );
    const products = y.numbers.map((value, i) => value * dy.numbers[i]);
    const dot = byRow(products, size.columns, sumOfAbsolutes);
    const change = y.numbers.map((value, i) => value * (Math.abs(dy.numbers[i]) + dot(i)));
    await trial.near("dx", dx, {
      roundings: rowRoundings(trial, size.columns),
      scale: grown(dx, change),
    });
  },
};

const logSoftmax: Case = {
  name: "logSoftmaxRows",
  async check(trial) {
    const [rows, columns] = [trial.random.below(8), trial.length()];
    const x = scores(trial, rows, columns);
    const y = trial.output(x.numbers.length);
    trial.run((backend, of) => backend.logSoftmaxRows(of(y), of(x), rows, columns));
    // x − max and −log Σ exp(x − max) have the same sign.
    const scale = Array.from(await trial.truth(y), (value) => Math.abs(value) + 1);
    await trial.near("y", y, { roundings: rowRoundings(trial, columns), scale });
  },
};

const logSoftmaxBackward: Case = {
  name: "logSoftmaxRowsBackward",
  async check(trial) {
    const [rows, columns] = [trial.random.below(8), trial.length()];
    const x = trial.buffer(trial.normals(rows * columns, 3));
    const logs = trial.output(rows * columns);
    trial.runTruth((backend, of) => backend.logSoftmaxRows(of(logs), of(x), rows, columns));
    const y = trial.buffer(await trial.truth(logs));
    const [dy, dx] = [trial.noise(rows * columns), trial.output(rows * columns)];
    const accumulate = trial.flip();
    trial.run((backend, of) => {
      backend.logSoftmaxRowsBackward({ buffer: of(dx), accumulate }, of(dy), of(y), rows, columns);
    });
    const total = byRow(dy.numbers, columns, sumOfAbsolutes);
    const change = dy.numbers.map(
      (derivative, i) => Math.abs(derivative) + Math.exp(y.numbers[i]) * total(i),
    );
    await trial.near("dx", dx, { roundings: rowRoundings(trial, columns), scale: grown(dx, change) });
  },
};

/** Target columns, some below 0. */
function targets(trial: Trial, rows: number, columns: number): readonly number[] {
  return trial.integers(
    Array.from({ length: rows }, () => (trial.random.below(5) === 0 ? -1 : trial.random.below(columns))),
  );
}

const crossEntropy: Case = {
  name: "crossEntropyRows",
  async check(trial) {
    const [rows, columns] = [trial.random.below(20), trial.length(1)];
    const x = scores(trial, rows, columns);
    const at = targets(trial, rows, columns);
    const [loss, statistics] = [trial.output(rows), trial.statistics(rows)];
    trial.run((backend, of) => {
      backend.crossEntropyRows(of(loss), statisticsOn(of, statistics), of(x), at, rows, columns);
    });
    await trial.same("max", statistics.max);
    const roundings = rowRoundings(trial, columns);
    const sums = await trial.truth(statistics.sum);
    // The rounding of x − max, an exponent, is a relative error of its power: at most max |t|·e^t below 0, which is 1/e.
    await trial.near("sum", statistics.sum, { roundings, scale: sums.map((sum) => sum + columns) });
    const maxima = await trial.truth(statistics.max);
    const scale = sums.map((sum, i) => {
      return at[i] < 0 ? 0 : Math.log(sum) + maxima[i] - x.numbers[i * columns + at[i]] + 1;
    });
    await trial.near("loss", loss, { roundings, scale });
  },
};

const crossEntropyBackward: Case = {
  name: "crossEntropyRowsBackward",
  async check(trial) {
    const [rows, columns] = [trial.random.below(20), trial.length(1)];
    const x = trial.buffer(trial.normals(rows * columns, trial.pick([1, 20]), trial.pick([0, 500, 4e6])));
    const at = targets(trial, rows, columns);
    const [loss, outputs] = [trial.output(rows), trial.statistics(rows)];
    trial.runTruth((backend, of) => {
      backend.crossEntropyRows(of(loss), statisticsOn(of, outputs), of(x), at, rows, columns);
    });
    const statistics = await trial.trueStatistics(outputs);
    const dLoss = trial.noise(rows);
    const accumulate = trial.flip();
    const inPlace = !accumulate && trial.flip();
    const dx = inPlace ? x : trial.output(rows * columns);
    trial.run((backend, of) => {
      const target = { buffer: of(dx), accumulate };
      const saved = statisticsOn(of, statistics);
      backend.crossEntropyRowsBackward(target, of(dLoss), of(x), saved, at, rows, columns);
    });
    const change = x.numbers.map((value, i) => {
      const row = Math.floor(i / columns);
      const exponent = value - statistics.max.numbers[row];
      const probability = Math.exp(exponent) / statistics.sum.numbers[row];
      return dLoss.numbers[row] * (1 + probability * (1 + Math.abs(exponent)));
    });
    await trial.near("dx", dx, { roundings: 2 * trial.tolerance.functions, scale: grown(dx, change) });
  },
};

/** Kernels that process rows of scores one by one. */
const rowKernels: readonly {
  run(backend: Backend, of: Side, y: Twin, x: Twin, rows: number, columns: number): void;
}[] = [
  {
    run: (backend, of, y, x, rows, columns) => {
      backend.softmaxRows(of(y), of(x), { count: 1, rows, columns }, "full");
    },
  },
  {
    run: (backend, of, y, x, rows, columns) => backend.logSoftmaxRows(of(y), of(x), rows, columns),
  },
];

const alone: Case = {
  name: "softmaxRows, logSoftmaxRows: a row has the same bits whatever stands beside it",
  async check(trial) {
    const [rows, columns] = [1 + trial.random.below(6), trial.length(1)];
    const row = trial.random.below(rows);
    const { run } = trial.pick(rowKernels);
    const x = scores(trial, rows, columns);
    const y = trial.output(rows * columns);
    const [start, end] = [row * columns, (row + 1) * columns];
    const x1 = trial.buffer(x.numbers.subarray(start, end));
    const y1 = trial.output(columns);
    trial.run((backend, of) => {
      run(backend, of, y, x, rows, columns);
      run(backend, of, y1, x1, 1, columns);
    });
    sameBits("row", await trial.tested(y1), (await trial.tested(y)).subarray(start, end));
  },
};

export const softmaxCases: readonly Case[] = [
  softmax,
  softmaxHidden,
  softmaxBackward,
  logSoftmax,
  logSoftmaxBackward,
  crossEntropy,
  crossEntropyBackward,
  alone,
];
