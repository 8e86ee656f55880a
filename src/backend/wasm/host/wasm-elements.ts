/** Elementwise kernels, and reductions along an axis: translates buffers to addresses and calls the kernel. */
import type { RandomState } from "../../../random.ts";
import { sizeOf } from "../../../shape.ts";
import type {
  BinaryName,
  Buffer,
  Dropping,
  GeluName,
  ReductionSize,
  Strided,
  UnaryName,
  WriteTarget,
} from "../../backend.ts";
import { blocksOf, isShortRun } from "./copy.ts";
import type { Heap } from "./heap.ts";
import { bytesPerNumber } from "./heap.ts";
import { fillNormal } from "./normal.ts";
import type { KernelExports } from "./signatures.ts";
import { adds, WasmMemory } from "./wasm-memory.ts";

/** The kernels of each function. */
const unaryKernels = {
  exp: { value: "unaryExp", derivative: "unaryExpBackward" },
  log: { value: "unaryLog", derivative: "unaryLogBackward" },
  sqrt: { value: "unarySqrt", derivative: "unarySqrtBackward" },
  tanh: { value: "unaryTanh", derivative: "unaryTanhBackward" },
  relu: { value: "unaryRelu", derivative: "unaryReluBackward" },
  relu2: { value: "unaryRelu2", derivative: "unaryRelu2Backward" },
  silu: { value: "unarySilu", derivative: "unarySiluBackward" },
  gelu: { value: "unaryGelu", derivative: "unaryGeluBackward" },
  "gelu-tanh": { value: "unaryGeluTanh", derivative: "unaryGeluTanhBackward" },
} as const satisfies Record<UnaryName, unknown>;
const binaryKernels = {
  add: "binaryAdd",
  subtract: "binarySubtract",
  multiply: "binaryMultiply",
  divide: "binaryDivide",
} as const satisfies Record<BinaryName, unknown>;

export class WasmElements extends WasmMemory {
  /** Replaced while calls are captured. */
  protected kernels: KernelExports;

  constructor(heap: Heap, kernels: KernelExports) {
    super(heap);
    this.kernels = kernels;
  }

  unary(name: UnaryName, y: Buffer, x: Buffer): void {
    const n = x.length;
    this.kernels[unaryKernels[name].value](this.at(y, n), this.at(x, n), 0, n);
  }

  unaryBackward(name: UnaryName, dx: WriteTarget, dy: Buffer, x: Buffer, y: Buffer): void {
    const n = dy.length;
    const to = this.at(dx.buffer, n);
    this.kernels[unaryKernels[name].derivative](
      to,
      this.at(dy, n),
      this.at(x, n),
      this.at(y, n),
      adds(dx),
      0,
      n,
    );
  }

  geluWithDerivative(name: GeluName, y: Buffer, derivative: Buffer, x: Buffer): void {
    const n = x.length;
    const kernel = name === "gelu" ? "geluWithDerivative" : "geluTanhWithDerivative";
    this.kernels[kernel](this.at(y, n), this.at(derivative, n), this.at(x, n), 0, n);
  }

  binary(name: BinaryName, y: WriteTarget, a: Buffer, b: Buffer): void {
    const n = a.length;
    const period = b.length;
    const to = this.at(y.buffer, n);
    this.kernels[binaryKernels[name]](to, this.at(a, n), this.at(b, period), period, adds(y), 0, n);
  }

  scale(y: WriteTarget, x: Buffer, factor: number): void {
    const n = x.length;
    this.kernels.scale(this.at(y.buffer, n), this.at(x, n), factor, adds(y), 0, n);
  }

  dropout(y: WriteTarget, x: Buffer, { probability, key }: Dropping): void {
    const n = x.length;
    const threshold = Math.floor(probability * 2 ** 32);
    const factor = 1 / (1 - probability);
    const to = this.at(y.buffer, n);
    this.kernels.dropout(to, this.at(x, n), key[0], key[1], threshold, factor, adds(y), 0, n);
  }

  fillNormal(y: Buffer, deviation: number, state: RandomState): RandomState {
    return fillNormal(this.heap, this.kernels, y, deviation, state);
  }

  copy(dst: Strided, src: Strided, shape: readonly number[], accumulate: boolean): void {
    if (isShortRun(dst, src, shape)) {
      const n = sizeOf(shape);
      const to = this.at(dst.buffer, dst.offset + n) + bytesPerNumber * dst.offset;
      const from = this.at(src.buffer, src.offset + n) + bytesPerNumber * src.offset;
      this.kernels.copyBlock(to, from, Number(accumulate), 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1);
      return;
    }
    const to = this.atBlock(dst, shape);
    const from = this.atBlock(src, shape);
    for (const block of blocksOf(dst, src, shape)) {
      const [a, b, c, d] = block.axes;
      // biome-ignore format: as in the kernel's signature.
      this.kernels.copyBlock(
        to + bytesPerNumber * block.dst, from + bytesPerNumber * block.src, Number(accumulate),
        b.length, c.length, d.length, a.dst, b.dst, c.dst, d.dst, a.src, b.src, c.src, d.src, 0, a.length,
      );
    }
  }

  sumAxis(y: WriteTarget, x: Buffer, { outer, axis, inner }: ReductionSize, factor: number): void {
    const lines = outer * inner;
    const to = this.at(y.buffer, lines);
    const from = this.at(x, lines * axis);
    if (inner === 1) this.kernels.sumRows(to, from, axis, factor, adds(y), 0, lines);
    else this.kernels.sumColumns(to, from, axis, inner, factor, adds(y), 0, lines);
  }

  maxAxis(y: Buffer, x: Buffer, { outer, axis, inner }: ReductionSize): void {
    const lines = outer * inner;
    const to = this.at(y, lines);
    const from = this.at(x, lines * axis);
    if (inner === 1) this.kernels.maxRows(to, from, axis, 0, lines);
    else this.kernels.maxColumns(to, from, axis, inner, 0, lines);
  }

  maxAxisBackward(
    dx: WriteTarget,
    dy: Buffer,
    x: Buffer,
    y: Buffer,
    { outer, axis, inner }: ReductionSize,
  ): void {
    const lines = outer * inner;
    const to = this.at(dx.buffer, lines * axis);
    const from = this.at(x, lines * axis);
    const derivative = this.at(dy, lines);
    this.kernels.maxBackward(to, derivative, from, this.at(y, lines), axis, inner, adds(dx), 0, lines);
  }
}
