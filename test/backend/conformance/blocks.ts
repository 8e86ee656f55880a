/** Strided copies, and reductions along an axis. */
import type { ReductionSize } from "../../../src/backend/backend.ts";
import { layOut } from "./layout.ts";
import type { Case, Trial, Twin } from "./trial.ts";

const copy: Case = {
  name: "copy",
  async check(trial) {
    const lengths = [0, 1, 1, 2, 3, 4, 5, 7, 8, 11];
    const shape = Array.from({ length: trial.random.below(7) }, (_, axis) => {
      return axis < 4 ? trial.pick(lengths) : 1 + trial.random.below(3);
    });
    const from = layOut(trial, shape, { repeats: true });
    const to = layOut(trial, shape, { repeats: false });
    const src = trial.buffer(trial.wild(from.length, [Number.NaN, Number.NEGATIVE_INFINITY, -0]));
    const dst = trial.output(to.length);
    const accumulate = trial.flip();
    trial.run((backend, of) => {
      backend.copy({ buffer: of(dst), ...to }, { buffer: of(src), ...from }, shape, accumulate);
    });
    await trial.near("dst", dst, { roundings: accumulate ? 1 : 0 });
  },
};

const transpose: Case = {
  name: "copy of a transpose",
  async check(trial) {
    const [rows, columns] = [trial.length(), trial.length()];
    const src = trial.noise(rows * columns);
    const dst = trial.output(rows * columns);
    trial.run((backend, of) => {
      const from = { buffer: of(src), offset: 0, strides: [1, columns] };
      backend.copy({ buffer: of(dst), offset: 0, strides: [rows, 1] }, from, [columns, rows], false);
    });
    await trial.same("dst", dst);
  },
};

function reduction(
  trial: Trial,
  values: (length: number) => Twin,
): { size: ReductionSize; x: Twin; lines: number } {
  const [outer, axis, inner] = [trial.random.below(5), trial.length(), trial.pick([1, trial.length()])];
  return { size: { outer, axis, inner }, x: values(outer * axis * inner), lines: outer * inner };
}

const sumAxis: Case = {
  name: "sumAxis",
  async check(trial) {
    const { size, x, lines } = reduction(trial, (length) => trial.noise(length));
    const y = trial.output(lines);
    const accumulate = trial.flip();
    const factor = Math.fround(trial.pick([1, -1, 1 / 3]));
    const [absolute, bound] = [trial.absolute(x), trial.output(lines)];
    trial.run((backend, of) => backend.sumAxis({ buffer: of(y), accumulate }, of(x), size, factor));
    trial.runTruth((backend, of) =>
      backend.sumAxis({ buffer: of(bound), accumulate: false }, of(absolute), size, 1),
    );
    const sums = await trial.truth(bound);
    const scale = y.numbers.map((old, i) => Math.abs(old) + sums[i]);
    await trial.near("y", y, { roundings: size.axis * trial.tolerance.sums + 2, scale });
  },
};

/** Few distinct numbers, so that the maximum often occurs twice; occasionally NaN or −∞. */
const ties = (trial: Trial) => (length: number) =>
  trial.buffer(
    Array.from({ length }, () => {
      return trial.random.below(300) === 0 ? trial.pick([Number.NaN, -Infinity]) : trial.random.below(7) - 3;
    }),
  );

const maxAxis: Case = {
  name: "maxAxis",
  async check(trial) {
    const { size, x, lines } = reduction(trial, ties(trial));
    const y = trial.output(lines);
    trial.run((backend, of) => backend.maxAxis(of(y), of(x), size));
    await trial.same("y", y);
  },
};

const maxAxisBackward: Case = {
  name: "maxAxisBackward",
  async check(trial) {
    const { size, x, lines } = reduction(trial, ties(trial));
    const max = trial.output(lines);
    trial.runTruth((backend, of) => backend.maxAxis(of(max), of(x), size));
    const y = trial.buffer(await trial.truth(max));
    const [dy, dx] = [trial.noise(lines), trial.output(x.numbers.length)];
    const accumulate = trial.flip();
    trial.run((backend, of) => {
      backend.maxAxisBackward({ buffer: of(dx), accumulate }, of(dy), of(x), of(y), size);
    });
    await trial.near("dx", dx, { roundings: accumulate ? 1 : 0 });
  },
};

const sumsOfSquares: Case = {
  name: "sumsOfSquares",
  async check(trial) {
    // Includes more buffers than fit into a backend's table.
    const lengths = Array.from({ length: trial.pick([0, 1, 2, 5, 97]) }, () => trial.length());
    if (lengths.length > 0 && lengths.length < 9) {
      lengths[trial.random.below(lengths.length)] = trial.pick([0, 4096, 4097, 12289]);
    }
    const xs = lengths.map((length) => trial.noise(length));
    const y = trial.output(lengths.length + 1);
    trial.run((backend, of) => backend.sumsOfSquares(of(y), xs.map(of)));
    await trial.near("y", y, { roundings: Math.max(0, ...lengths) * trial.tolerance.sums + 1 });
  },
};

export const blockCases: readonly Case[] = [
  copy,
  transpose,
  sumAxis,
  maxAxis,
  maxAxisBackward,
  sumsOfSquares,
];
