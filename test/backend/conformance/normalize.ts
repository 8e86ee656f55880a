/** The norm kernels, rotation of points, and lookups of table rows. */
import { type Case, sameBits, type Trial, type Twin } from "./trial.ts";

interface Norm {
  readonly rows: number;
  readonly columns: number;
  readonly x: Twin;
  readonly weight: Twin | null;
  readonly bias: Twin | null;
  readonly epsilon: number;
  /** Whether the mean is subtracted: LayerNorm or RMS norm. */
  readonly centered: boolean;
}

/** Rows with different means, some of them constant. */
function norm(trial: Trial): Norm {
  const [rows, columns] = [trial.random.below(20), trial.length(1)];
  const x = Array.from({ length: rows }, () => {
    const mean = 3 * trial.random.normal();
    return trial.normals(columns, trial.pick([0, 1, 1, 5]), mean);
  });
  const [weight, bias] = [trial.noise(columns), trial.noise(columns)];
  return {
    ...{ rows, columns, epsilon: trial.pick([1e-5, 1e-3]), x: trial.buffer(x.flat()) },
    ...{ weight: trial.pick([weight, null]), bias: trial.pick([bias, null]), centered: trial.flip() },
  };
}

/** The mean of each row's absolute values. */
function meanAbsolutes(values: ArrayLike<number>, rows: number, columns: number): number[] {
  return Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += Math.abs(values[row * columns + j]) / columns;
    return sum;
  });
}

const forward: Case = {
  name: "normalizeRows",
  async check(trial) {
    const { rows, columns, x, weight, bias, epsilon, centered } = norm(trial);
    const [y, mean, inverse] = [trial.output(rows * columns), trial.output(rows), trial.output(rows)];
    trial.run((backend, of) => {
      const [weights, biases] = [weight && of(weight), bias && of(bias)];
      const statistics = [centered ? of(mean) : null, of(inverse)] as const;
      backend.normalizeRows(of(y), ...statistics, of(x), weights, biases, rows, columns, epsilon);
    });
    const roundings = columns * trial.tolerance.sums + 2 * trial.tolerance.functions;
    const sizes = meanAbsolutes(x.numbers, rows, columns);
    const inverses = await trial.truth(inverse);
    await trial.near("mean", mean, { roundings, scale: sizes });
    await trial.near("rstd", inverse, { roundings });
    const values = await trial.truth(y);
    const scale = x.numbers.map((value, i) => {
      const [row, j] = [Math.floor(i / columns), i % columns];
      const spread = inverses[row] * (Math.abs(value) + sizes[row]) * Math.abs(weight?.numbers[j] ?? 1);
      return spread + Math.abs(values[i]) + Math.abs(bias?.numbers[j] ?? 0);
    });
    await trial.near("y", y, { roundings, scale });
  },
};

const backward: Case = {
  name: "normalizeRowsBackward",
  async check(trial) {
    const { rows, columns, x, weight, epsilon, centered } = norm(trial);
    const y = trial.output(rows * columns);
    const [means, inverses] = [trial.output(rows), trial.output(rows)];
    trial.runTruth((backend, of) => {
      const statistics = [of(means), of(inverses)] as const;
      if (centered) backend.normalizeRows(of(y), ...statistics, of(x), null, null, rows, columns, epsilon);
      else backend.normalizeRows(of(y), null, of(inverses), of(x), null, null, rows, columns, epsilon);
    });
    const mean = trial.buffer(centered ? await trial.truth(means) : new Float32Array(rows));
    const inverse = trial.buffer(await trial.truth(inverses));
    const dy = trial.noise(rows * columns);
    const dx = trial.output(rows * columns);
    const [dWeight, dBias] = [trial.output(columns), trial.output(columns)];
    const [wantX, wantWeight, wantBias] = [trial.flip(), trial.flip(), trial.flip()];
    const [addX, addWeight, addBias] = [trial.flip(), trial.flip(), trial.flip()];
    trial.run((backend, of) => {
      backend.normalizeRowsBackward(
        wantX ? { buffer: of(dx), accumulate: addX } : null,
        wantWeight ? { buffer: of(dWeight), accumulate: addWeight } : null,
        wantBias ? { buffer: of(dBias), accumulate: addBias } : null,
        of(dy),
        of(x),
        weight && of(weight),
        centered ? of(mean) : null,
        of(inverse),
        rows,
        columns,
      );
    });
    const normalized = x.numbers.map((value, i) => {
      const row = Math.floor(i / columns);
      return Math.abs(value - mean.numbers[row]) * inverse.numbers[row];
    });
    const derivatives = dy.numbers.map((derivative, i) =>
      Math.abs(derivative * (weight?.numbers[i % columns] ?? 1)),
    );
    const dots = meanAbsolutes(
      derivatives.map((derivative, i) => derivative * normalized[i]),
      rows,
      columns,
    );
    const means1 = meanAbsolutes(derivatives, rows, columns);
    const scaleX = derivatives.map((derivative, i) => {
      const row = Math.floor(i / columns);
      const change = inverse.numbers[row] * (derivative + means1[row] + normalized[i] * dots[row]);
      return change + Math.abs(dx.numbers[i]);
    });
    const { sums, functions } = trial.tolerance;
    await trial.near("dx", dx, { roundings: columns * sums + 2 * functions, scale: scaleX });
    const overRows = (twin: Twin, change: (i: number) => number) =>
      twin.numbers.map((old, j) => {
        let sum = Math.abs(old);
        for (let row = 0; row < rows; row++) sum += change(row * columns + j);
        return sum;
      });
    const scaleWeight = overRows(dWeight, (i) => Math.abs(dy.numbers[i]) * normalized[i]);
    await trial.near("dWeight", dWeight, { roundings: rows * sums + 4, scale: scaleWeight });
    const scaleBias = overRows(dBias, (i) => Math.abs(dy.numbers[i]));
    await trial.near("dBias", dBias, { roundings: rows * sums + 1, scale: scaleBias });
  },
};

const alone: Case = {
  name: "normalizeRows: a row has the same bits whatever stands beside it",
  async check(trial) {
    const { rows, columns, x, weight, bias, epsilon, centered } = norm(trial);
    if (rows === 0) return;
    const row = trial.random.below(rows);
    const [start, end] = [row * columns, (row + 1) * columns];
    const x1 = trial.buffer(x.numbers.subarray(start, end));
    const [y, y1] = [trial.output(rows * columns), trial.output(columns)];
    const [mean, inverse] = [trial.output(rows), trial.output(rows)];
    trial.run((backend, of) => {
      const [weights, biases] = [weight && of(weight), bias && of(bias)];
      const statistics = [centered ? of(mean) : null, of(inverse)] as const;
      backend.normalizeRows(of(y), ...statistics, of(x), weights, biases, rows, columns, epsilon);
      backend.normalizeRows(of(y1), ...statistics, of(x1), weights, biases, 1, columns, epsilon);
    });
    sameBits("row", await trial.tested(y1), (await trial.tested(y)).subarray(start, end));
  },
};

/** A batch of rows to rotate. */
function rotation(trial: Trial) {
  const size = {
    rows: trial.random.below(9),
    groups: 1 + trial.random.below(3),
    half: trial.length(),
    backwards: trial.flip(),
  };
  const count = 1 + trial.random.below(7);
  const n = size.rows * size.groups * 2 * size.half;
  return {
    size,
    x: trial.noise(n),
    y: trial.output(n),
    table: trial.noise(count * 2 * size.half),
    positions: trial.integers(Array.from({ length: size.rows }, () => trial.random.below(count))),
  };
}

const rotate: Case = {
  name: "rotateRows",
  async check(trial) {
    const { size, x, y, table, positions } = rotation(trial);
    const accumulate = trial.flip();
    trial.run((backend, of) => {
      backend.rotateRows({ buffer: of(y), accumulate }, of(x), of(table), positions, size);
    });
    // The error of a rotated coordinate is relative to the sum of the magnitudes of its terms.
    const { half, groups } = size;
    const scale = y.numbers.map((old, i) => {
      const [start, j] = [i - (i % (2 * half)), i % half];
      const turn = positions[Math.floor(i / (2 * half * groups))] * 2 * half;
      const [cosine, sine] = [table.numbers[turn + j], table.numbers[turn + half + j]];
      const [a, b] = [x.numbers[start + j], x.numbers[start + half + j]];
      const [along, across] = i % (2 * half) < half ? [a, b] : [b, a];
      return Math.abs(old) + Math.abs(along * cosine) + Math.abs(across * sine);
    });
    await trial.near("y", y, { roundings: 4, scale });
  },
};

const rotateAlone: Case = {
  name: "rotateRows: a row has the same bits whatever stands beside it",
  async check(trial) {
    const { size, x, y, table, positions } = rotation(trial);
    if (size.rows === 0) return;
    const row = trial.random.below(size.rows);
    const width = size.groups * 2 * size.half;
    const x1 = trial.buffer(x.numbers.subarray(row * width, (row + 1) * width));
    const position = trial.integers([positions[row]]);
    const y1 = trial.output(width);
    trial.run((backend, of) => {
      const to = (buffer: typeof y) => ({ buffer: of(buffer), accumulate: false });
      backend.rotateRows(to(y), of(x), of(table), positions, size);
      backend.rotateRows(to(y1), of(x1), of(table), position, { ...size, rows: 1 });
    });
    const whole = await trial.tested(y);
    sameBits("row", await trial.tested(y1), whole.subarray(row * width, (row + 1) * width));
  },
};

/** A table, and indices of its rows, many of them twice. */
function table(trial: Trial): { rows: number; columns: number; count: number; indices: readonly number[] } {
  const [rows, columns, count] = [trial.length(), trial.length(), 1 + trial.random.below(13)];
  const indices = trial.integers(Array.from({ length: rows }, () => trial.random.below(count)));
  return { rows, columns, count, indices };
}

const gather: Case = {
  name: "gatherRows",
  async check(trial) {
    const { rows, columns, count, indices } = table(trial);
    const numbers = trial.buffer(trial.wild(count * columns, [Number.NaN, Number.POSITIVE_INFINITY, -0]));
    const y = trial.output(rows * columns);
    trial.run((backend, of) => backend.gatherRows(of(y), of(numbers), indices, rows, columns));
    await trial.same("y", y);
  },
};

const scatterRows: Case = {
  name: "scatterRows",
  async check(trial) {
    const [columns, count] = [trial.length(), 1 + trial.random.below(13)];
    const written = trial.random.below(count + 1);
    // Each row at most once, in random order.
    const order = Array.from({ length: count }, (_, i) => i);
    const places = Array.from(
      { length: written },
      () => order.splice(trial.random.below(order.length), 1)[0],
    );
    const x = trial.buffer(trial.wild(written * columns, [Number.NaN, -0]));
    const rowsOfTable = trial.output(count * columns);
    const indices = trial.integers(places.map((row) => trial.pick([row, row, -1])));
    trial.run((backend, of) => backend.scatterRows(of(rowsOfTable), of(x), indices, written, columns));
    await trial.same("table", rowsOfTable);
    const table = await trial.tested(rowsOfTable);
    const isLeft = (_: number, i: number) => !indices.includes(Math.floor(i / columns));
    sameBits("rows that no index names", table.filter(isLeft), rowsOfTable.numbers.filter(isLeft));
  },
};

const scatter: Case = {
  name: "scatterAddRows",
  async check(trial) {
    const { rows, columns, count, indices } = table(trial);
    const dy = trial.noise(rows * columns);
    const dTable = trial.output(count * columns);
    const absolute = { dTable: trial.absolute(dTable), dy: trial.absolute(dy) };
    trial.run((backend, of) => backend.scatterAddRows(of(dTable), of(dy), indices, rows, columns));
    trial.runTruth((backend, of) => {
      backend.scatterAddRows(of(absolute.dTable), of(absolute.dy), indices, rows, columns);
    });
    const scale = await trial.truth(absolute.dTable);
    await trial.near("dTable", dTable, { roundings: rows * trial.tolerance.sums, scale });
  },
};

export const normalizeCases: readonly Case[] = [
  forward,
  backward,
  alone,
  rotate,
  rotateAlone,
  gather,
  scatterRows,
  scatter,
];
