/** Kernels that take elements one by one, or reduce along an axis: spans become addresses, and the kernel is called. */
import { sizeOf } from "../../../shape.ts";
import type {
  Dropping,
  GeluName,
  MapName,
  ReductionSize,
  Sink,
  Span,
  Strided,
  ZipName,
} from "../../backend.ts";
import { blocksOf, isShortRun } from "./copy.ts";
import type { Heap } from "./heap.ts";
import type { KernelExports } from "./signatures.ts";
import { adds, bytesPerNumber, WasmMemory } from "./wasm-memory.ts";

/** The kernels of each function. */
const maps = {
  exp: { value: "mapExp", slope: "mapExpBackward" },
  log: { value: "mapLog", slope: "mapLogBackward" },
  sqrt: { value: "mapSqrt", slope: "mapSqrtBackward" },
  tanh: { value: "mapTanh", slope: "mapTanhBackward" },
  relu: { value: "mapRelu", slope: "mapReluBackward" },
  relu2: { value: "mapRelu2", slope: "mapRelu2Backward" },
  silu: { value: "mapSilu", slope: "mapSiluBackward" },
  gelu: { value: "mapGelu", slope: "mapGeluBackward" },
  "gelu-tanh": { value: "mapGeluTanh", slope: "mapGeluTanhBackward" },
} as const satisfies Record<MapName, unknown>;
const zips = {
  add: "zipAdd",
  subtract: "zipSubtract",
  multiply: "zipMultiply",
  divide: "zipDivide",
} as const satisfies Record<ZipName, unknown>;

export class WasmElements extends WasmMemory {
  /** Others while calls are noted. */
  protected kernels: KernelExports;

  constructor(heap: Heap, kernels: KernelExports) {
    super(heap);
    this.kernels = kernels;
  }

  map(name: MapName, y: Span, x: Span): void {
    const n = x.length;
    this.kernels[maps[name].value](this.at(y, n), this.at(x, n), 0, n);
  }

  mapBackward(name: MapName, dx: Sink, dy: Span, x: Span, y: Span): void {
    const n = dy.length;
    const to = this.at(dx.span, n);
    this.kernels[maps[name].slope](to, this.at(dy, n), this.at(x, n), this.at(y, n), adds(dx), 0, n);
  }

  mapWithSlope(name: GeluName, y: Span, slope: Span, x: Span): void {
    const n = x.length;
    const kernel = name === "gelu" ? "mapGeluWithSlope" : "mapGeluTanhWithSlope";
    this.kernels[kernel](this.at(y, n), this.at(slope, n), this.at(x, n), 0, n);
  }

  zip(name: ZipName, y: Sink, a: Span, b: Span): void {
    const n = a.length;
    const period = b.length;
    const to = this.at(y.span, n);
    this.kernels[zips[name]](to, this.at(a, n), this.at(b, period), period, adds(y), 0, n);
  }

  scale(y: Sink, x: Span, factor: number): void {
    const n = x.length;
    this.kernels.scale(this.at(y.span, n), this.at(x, n), factor, adds(y), 0, n);
  }

  dropout(y: Sink, x: Span, { probability, key }: Dropping): void {
    const n = x.length;
    const threshold = Math.floor(probability * 2 ** 32);
    const factor = 1 / (1 - probability);
    const to = this.at(y.span, n);
    this.kernels.dropout(to, this.at(x, n), key[0], key[1], threshold, factor, adds(y), 0, n);
  }

  copy(dst: Strided, src: Strided, shape: readonly number[], accumulate: boolean): void {
    if (isShortRun(dst, src, shape)) {
      const n = sizeOf(shape);
      const to = this.at(dst.span, dst.offset + n) + bytesPerNumber * dst.offset;
      const from = this.at(src.span, src.offset + n) + bytesPerNumber * src.offset;
      this.kernels.copyBlock(to, from, Number(accumulate), 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1);
      return;
    }
    const to = this.atBlock(dst, shape);
    const from = this.atBlock(src, shape);
    for (const block of blocksOf(dst, src, shape)) {
      const [a, b, c, d] = block.axes;
      // biome-ignore format: as the kernel has them.
      this.kernels.copyBlock(
        to + bytesPerNumber * block.dst, from + bytesPerNumber * block.src, Number(accumulate),
        b.length, c.length, d.length, a.dst, b.dst, c.dst, d.dst, a.src, b.src, c.src, d.src, 0, a.length,
      );
    }
  }

  sumAxis(y: Sink, x: Span, { outer, axis, inner }: ReductionSize, factor: number): void {
    const lines = outer * inner;
    const to = this.at(y.span, lines);
    const from = this.at(x, lines * axis);
    if (inner === 1) this.kernels.sumRows(to, from, axis, factor, adds(y), 0, lines);
    else this.kernels.sumColumns(to, from, axis, inner, factor, adds(y), 0, lines);
  }

  maxAxis(y: Span, x: Span, { outer, axis, inner }: ReductionSize): void {
    const lines = outer * inner;
    const to = this.at(y, lines);
    const from = this.at(x, lines * axis);
    if (inner === 1) this.kernels.maxRows(to, from, axis, 0, lines);
    else this.kernels.maxColumns(to, from, axis, inner, 0, lines);
  }

  maxAxisBackward(dx: Sink, dy: Span, x: Span, y: Span, { outer, axis, inner }: ReductionSize): void {
    const lines = outer * inner;
    const to = this.at(dx.span, lines * axis);
    const from = this.at(x, lines * axis);
    const slope = this.at(dy, lines);
    this.kernels.maxBackward(to, slope, from, this.at(y, lines), axis, inner, adds(dx), 0, lines);
  }
}
