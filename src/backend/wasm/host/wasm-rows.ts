/** Kernels that take whole rows: buffers become addresses, indices are checked, and the kernel is called. */
import { BackendError } from "../../../errors.ts";
import type { Buffer, MatrixSize, RotationSize, Visibility, WriteTarget } from "../../backend.ts";
import { WasmElements } from "./wasm-elements.ts";
import { adds } from "./wasm-memory.ts";

export class WasmRows extends WasmElements {
  softmaxRows(y: Buffer, x: Buffer, { count, rows, columns }: MatrixSize, visible: Visibility): void {
    const all = count * rows;
    const to = this.at(y, all * columns);
    const from = this.at(x, all * columns);
    this.kernels.softmaxRows(to, from, rows, columns, Number(visible === "staircase"), 0, all);
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
    // biome-ignore format: as the kernel has them.
    this.kernels.normalizeRows(
      this.at(y, rows * columns), this.at(mean, rows), this.at(rstd, rows),
      this.at(x, rows * columns), this.at(weight, columns), this.at(bias, columns), columns, epsilon, 0, rows,
    );
  }

  addAndNormalizeRows(
    sum: Buffer,
    y: Buffer,
    mean: Buffer | null,
    rstd: Buffer,
    a: Buffer,
    b: Buffer,
    weight: Buffer | null,
    bias: Buffer | null,
    rows: number,
    columns: number,
    epsilon: number,
  ): void {
    const n = rows * columns;
    // biome-ignore format: as the kernel has them.
    this.kernels.addAndNormalizeRows(
      this.at(sum, n), this.at(y, n), this.at(mean, rows), this.at(rstd, rows), this.at(a, n),
      this.at(b, n), this.at(weight, columns), this.at(bias, columns), columns, epsilon, 0, rows,
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
      // biome-ignore format: as the kernel has them.
      this.kernels.normalizeRowsBackward(
        to, derivatives, from, weights, means, inverses, columns, adds(dx), 0, rows,
      );
    }
    if (dWeight !== null || dBias !== null) {
      const toWeight = this.at(dWeight?.buffer ?? null, columns);
      const toBias = this.at(dBias?.buffer ?? null, columns);
      // biome-ignore format: as the kernel has them.
      this.kernels.normalizeRowsBackwardColumns(
        toWeight, toBias, derivatives, from, means, inverses, rows, columns, adds(dWeight), adds(dBias), 0, columns,
      );
    }
  }

  crossEntropyRows(
    loss: Buffer,
    logSumExp: Buffer,
    x: Buffer,
    targets: Buffer,
    rows: number,
    columns: number,
  ): void {
    this.#checkTargets(targets, rows, columns);
    // biome-ignore format: as the kernel has them.
    this.kernels.crossEntropyRows(
      this.at(loss, rows), this.at(logSumExp, rows), this.at(x, rows * columns), this.at(targets, rows),
      columns, 0, rows,
    );
  }

  crossEntropyRowsBackward(
    dx: WriteTarget,
    dLoss: Buffer,
    x: Buffer,
    logSumExp: Buffer,
    targets: Buffer,
    rows: number,
    columns: number,
  ): void {
    this.#checkTargets(targets, rows, columns);
    // biome-ignore format: as the kernel has them.
    this.kernels.crossEntropyRowsBackward(
      this.at(dx.buffer, rows * columns), this.at(dLoss, rows), this.at(x, rows * columns),
      this.at(logSumExp, rows), this.at(targets, rows), columns, adds(dx), 0, rows,
    );
  }

  rotateRows(y: WriteTarget, x: Buffer, table: Buffer, places: Buffer, size: RotationSize): void {
    const { rows, groups, half, backwards } = size;
    this.#checkIndices("rotateRows", places, rows, table.length / (2 * half));
    const n = rows * groups * 2 * half;
    // biome-ignore format: as the kernel has them.
    this.kernels.rotateRows(
      this.at(y.buffer, n), this.at(x, n), this.at(table, 0), this.at(places, rows), groups, half,
      Number(backwards), adds(y), 0, rows,
    );
  }

  gatherRows(y: Buffer, table: Buffer, indices: Buffer, rows: number, columns: number): void {
    this.#checkIndices("gatherRows", indices, rows, table.length / columns);
    const to = this.at(y, rows * columns);
    this.kernels.gatherRows(to, this.at(table, 0), this.at(indices, rows), columns, 0, rows);
  }

  scatterRows(table: Buffer, x: Buffer, indices: Buffer, rows: number, columns: number): void {
    this.#checkIndices("scatterRows", indices, rows, table.length / columns);
    const from = this.at(x, rows * columns);
    this.kernels.scatterRows(this.at(table, 0), from, this.at(indices, rows), columns, 0, rows);
  }

  scatterAddRows(dTable: Buffer, dy: Buffer, indices: Buffer, rows: number, columns: number): void {
    this.#checkIndices("scatterAddRows", indices, rows, dTable.length / columns);
    const from = this.at(dy, rows * columns);
    this.kernels.scatterAddRows(this.at(dTable, 0), from, this.at(indices, rows), rows, columns, 0, columns);
  }

  #checkIndices(kernel: string, indices: Buffer, rows: number, limit: number): void {
    this.at(indices, rows);
    const { floats } = this.heap;
    const first = this.placeOf(indices);
    for (let i = 0; i < rows; i++) {
      const index = floats[first + i];
      // A table of rows without columns has any number of them: 0/0.
      if (index >= 0 && !(index >= limit)) continue;
      throw new BackendError(`wasm: ${kernel}: index ${index} at place ${i} is not one of ${limit} rows`);
    }
  }

  #checkTargets(targets: Buffer, rows: number, columns: number): void {
    this.at(targets, rows);
    const { floats } = this.heap;
    const first = this.placeOf(targets);
    for (let i = 0; i < rows; i++) {
      const target = floats[first + i];
      if (target < columns) continue;
      throw new BackendError(
        `wasm: crossEntropyRows: target ${target} of row ${i} is not one of ${columns} columns`,
      );
    }
  }
}
