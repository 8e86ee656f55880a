/** Kernels of whole rows: checks indices, translates buffers to addresses and calls the kernel. */
import { BackendError } from "../../../errors.ts";
import type {
  Buffer,
  HostIntegers,
  Mask,
  MatrixSize,
  RotationSize,
  SoftmaxStatistics,
  WriteTarget,
} from "../../backend.ts";
import { WasmElements } from "./wasm-elements.ts";
import { adds } from "./wasm-memory.ts";

export class WasmRows extends WasmElements {
  softmaxRows(y: Buffer, x: Buffer, { count, rows, columns }: MatrixSize, mask: Mask): void {
    const all = count * rows;
    const to = this.at(y, all * columns);
    const from = this.at(x, all * columns);
    this.kernels.softmaxRows(to, from, rows, columns, Number(mask === "causal"), 0, all);
  }

  softmaxRowsBackward(dx: WriteTarget, dy: Buffer, y: Buffer, { count, rows, columns }: MatrixSize): void {
    const n = count * rows * columns;
    const to = this.at(dx.buffer, n);
    const from = this.at(y, n);
    this.kernels.softmaxRowsBackward(to, this.at(dy, n), from, columns, adds(dx), 0, count * rows);
  }

  logSoftmaxRows(y: Buffer, x: Buffer, rows: number, columns: number): void {
    const n = rows * columns;
    this.kernels.logSoftmaxRows(this.at(y, n), this.at(x, n), columns, 0, rows);
  }

  logSoftmaxRowsBackward(dx: WriteTarget, dy: Buffer, y: Buffer, rows: number, columns: number): void {
    const n = rows * columns;
    const to = this.at(dx.buffer, n);
    this.kernels.logSoftmaxRowsBackward(to, this.at(dy, n), this.at(y, n), columns, adds(dx), 0, rows);
  }

  normalizeRows(
    y: Buffer,
    mean: Buffer | null,
    rstd: Buffer,
    x: Buffer,
    weight: Buffer | null,
    bias: Buffer | null,
    rows: number,
    columns: number,
    epsilon: number,
  ): void {
    // biome-ignore format: as in the kernel's signature.
    this.kernels.normalizeRows(
      this.at(y, rows * columns), this.at(mean, rows), this.at(rstd, rows),
      this.at(x, rows * columns), this.at(weight, columns), this.at(bias, columns), columns, epsilon, 0, rows,
    );
  }

  normalizeRowsBackward(
    dx: WriteTarget | null,
    dWeight: WriteTarget | null,
    dBias: WriteTarget | null,
    dy: Buffer,
    x: Buffer,
    weight: Buffer | null,
    mean: Buffer | null,
    rstd: Buffer,
    rows: number,
    columns: number,
  ): void {
    const derivatives = this.at(dy, rows * columns);
    const from = this.at(x, rows * columns);
    const weights = this.at(weight, columns);
    const means = this.at(mean, rows);
    const inverses = this.at(rstd, rows);
    if (dx !== null) {
      const to = this.at(dx.buffer, rows * columns);
      // biome-ignore format: as in the kernel's signature.
      this.kernels.normalizeRowsBackward(
        to, derivatives, from, weights, means, inverses, columns, adds(dx), 0, rows,
      );
    }
    if (dWeight !== null || dBias !== null) {
      const toWeight = this.at(dWeight?.buffer ?? null, columns);
      const toBias = this.at(dBias?.buffer ?? null, columns);
      // biome-ignore format: as in the kernel's signature.
      this.kernels.normalizeRowsBackwardColumns(
        toWeight, toBias, derivatives, from, means, inverses, rows, columns, adds(dWeight), adds(dBias), 0, columns,
      );
    }
  }

  crossEntropyRows(
    loss: Buffer,
    statistics: SoftmaxStatistics,
    x: Buffer,
    targets: HostIntegers,
    rows: number,
    columns: number,
  ): void {
    checkTargets(targets, rows, columns);
    this.withIntegers(targets, rows, (at) => {
      // biome-ignore format: as in the kernel's signature.
      this.kernels.crossEntropyRows(
        this.at(loss, rows), this.at(statistics.max, rows), this.at(statistics.sum, rows),
        this.at(x, rows * columns), at, columns, 0, rows,
      );
    });
  }

  crossEntropyRowsBackward(
    dx: WriteTarget,
    dLoss: Buffer,
    x: Buffer,
    statistics: SoftmaxStatistics,
    targets: HostIntegers,
    rows: number,
    columns: number,
  ): void {
    checkTargets(targets, rows, columns);
    this.withIntegers(targets, rows, (at) => {
      // biome-ignore format: as in the kernel's signature.
      this.kernels.crossEntropyRowsBackward(
        this.at(dx.buffer, rows * columns), this.at(dLoss, rows), this.at(x, rows * columns),
        this.at(statistics.max, rows), this.at(statistics.sum, rows), at, columns, adds(dx), 0, rows,
      );
    });
  }

  rotateRows(y: WriteTarget, x: Buffer, table: Buffer, positions: HostIntegers, size: RotationSize): void {
    const { rows, groups, half, backwards } = size;
    checkIndices("rotateRows", positions, rows, 0, table.length / (2 * half));
    const n = rows * groups * 2 * half;
    this.withIntegers(positions, rows, (at) => {
      // biome-ignore format: as in the kernel's signature.
      this.kernels.rotateRows(
        this.at(y.buffer, n), this.at(x, n), this.at(table, 0), at, groups, half, Number(backwards), adds(y), 0, rows,
      );
    });
  }

  gatherRows(y: Buffer, table: Buffer, indices: HostIntegers, rows: number, columns: number): void {
    checkIndices("gatherRows", indices, rows, 0, table.length / columns);
    const to = this.at(y, rows * columns);
    this.withIntegers(indices, rows, (at) => {
      this.kernels.gatherRows(to, this.at(table, 0), at, columns, 0, rows);
    });
  }

  scatterRows(table: Buffer, x: Buffer, indices: HostIntegers, rows: number, columns: number): void {
    checkIndices("scatterRows", indices, rows, Number.NEGATIVE_INFINITY, table.length / columns);
    const from = this.at(x, rows * columns);
    this.withIntegers(indices, rows, (at) => {
      this.kernels.scatterRows(this.at(table, 0), from, at, columns, 0, rows);
    });
  }

  scatterAddRows(dTable: Buffer, dy: Buffer, indices: HostIntegers, rows: number, columns: number): void {
    checkIndices("scatterAddRows", indices, rows, 0, dTable.length / columns);
    const from = this.at(dy, rows * columns);
    this.withIntegers(indices, rows, (at) => {
      this.kernels.scatterAddRows(this.at(dTable, 0), from, at, rows, columns, 0, columns);
    });
  }
}

/** Keeps kernels from accessing memory outside their table. */
function checkIndices(
  kernel: string,
  indices: HostIntegers,
  rows: number,
  least: number,
  limit: number,
): void {
  if (indices.length < rows) {
    throw new BackendError(`wasm: ${kernel}: needs an index for each of ${rows} rows: got ${indices.length}`);
  }
  for (let i = 0; i < rows; i++) {
    // A table without columns has any number of rows: its limit is 0/0.
    if (Number.isInteger(indices[i]) && indices[i] >= least && !(indices[i] >= limit)) continue;
    throw new BackendError(
      `wasm: ${kernel}: index ${indices[i]} at ${i} is outside the ${limit} rows of the table`,
    );
  }
}

function checkTargets(targets: HostIntegers, rows: number, columns: number): void {
  if (targets.length < rows) {
    throw new BackendError(`wasm: crossEntropyRows: needs ${rows} targets: got ${targets.length}`);
  }
  for (let i = 0; i < rows; i++) {
    if (targets[i] < columns) continue;
    throw new BackendError(
      `wasm: crossEntropyRows: target ${targets[i]} of row ${i} is outside the ${columns} columns`,
    );
  }
}
