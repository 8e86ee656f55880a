/**
 * The arguments of every kernel that the modules in kernels/ export, in order.
 *
 * All are numbers: pointers in bytes (0 for none), lengths and strides in numbers, flags 0 or 1. `begin … end` is the
 * part of the work to do: elements, rows, columns, lines, chunks or indices of the first axis, depending on the kernel.
 * The bits of the result do not depend on how the work is divided.
 */

const unary = ["y", "x", "begin", "end"] as const;
const unaryBackward = ["dx", "dy", "x", "y", "accumulate", "begin", "end"] as const;
const binary = ["y", "a", "b", "period", "accumulate", "begin", "end"] as const;

export const signatures = {
  gemm: ["parameters", "begin", "end", "scratch"],
  attention: ["parameters", "begin", "end", "scratch"],
  attentionBackward: ["parameters", "begin", "end", "scratch"],
  replay: ["program", "begin", "end", "scratch"],

  unaryExp: unary,
  unaryLog: unary,
  unarySqrt: unary,
  unaryTanh: unary,
  unaryRelu: unary,
  unaryRelu2: unary,
  unarySilu: unary,
  unaryGelu: unary,
  unaryGeluTanh: unary,
  unaryExpBackward: unaryBackward,
  unaryLogBackward: unaryBackward,
  unarySqrtBackward: unaryBackward,
  unaryTanhBackward: unaryBackward,
  unaryReluBackward: unaryBackward,
  unaryRelu2Backward: unaryBackward,
  unarySiluBackward: unaryBackward,
  unaryGeluBackward: unaryBackward,
  unaryGeluTanhBackward: unaryBackward,
  geluWithDerivative: ["y", "derivative", "x", "begin", "end"],
  geluTanhWithDerivative: ["y", "derivative", "x", "begin", "end"],
  binaryAdd: binary,
  binarySubtract: binary,
  binaryMultiply: binary,
  binaryDivide: binary,
  scale: ["y", "x", "factor", "accumulate", "begin", "end"],
  dropout: ["y", "x", "key0", "key1", "threshold", "factor", "accumulate", "begin", "end"],
  countNormals: ["stretches", "points", "begin", "end", "scratch"],
  fillNormals: ["y", "length", "deviation", "stretches", "points", "begin", "end", "scratch"],
  // biome-ignore format: one argument per line would be hard to read.
  adamw: [
    "targets", "gradientScale", "beta1", "rest1", "beta2", "rest2", "stepSize", "rootCorrection2", "epsilon",
    "begin", "end",
  ],

  // biome-ignore format: one argument per line would be hard to read.
  copyBlock: [
    "dst", "src", "accumulate", "shape1", "shape2", "shape3", "dst0", "dst1", "dst2", "dst3",
    "src0", "src1", "src2", "src3", "begin", "end",
  ],
  // biome-ignore format: one argument per line would be hard to read.
  rotateRows: [
    "y", "x", "table", "positions", "groups", "half", "backwards", "accumulate", "begin", "end",
  ],
  gatherRows: ["y", "table", "indices", "columns", "begin", "end"],
  scatterRows: ["table", "x", "indices", "columns", "begin", "end"],
  scatterAddRows: ["dTable", "dy", "indices", "rows", "columns", "begin", "end"],

  sumRows: ["y", "x", "columns", "factor", "accumulate", "begin", "end"],
  sumColumns: ["y", "x", "axis", "inner", "factor", "accumulate", "begin", "end"],
  maxRows: ["y", "x", "columns", "begin", "end"],
  maxColumns: ["y", "x", "axis", "inner", "begin", "end"],
  maxBackward: ["dx", "dy", "x", "y", "axis", "inner", "accumulate", "begin", "end"],
  sumsOfSquaresInChunks: ["chunks", "buffers", "begin", "end"],
  sumsOfChunks: ["y", "chunks", "buffers", "count"],

  softmaxRows: ["y", "x", "rows", "columns", "causal", "begin", "end"],
  softmaxRowsBackward: ["dx", "dy", "y", "columns", "accumulate", "begin", "end"],
  logSoftmaxRows: ["y", "x", "columns", "begin", "end"],
  logSoftmaxRowsBackward: ["dx", "dy", "y", "columns", "accumulate", "begin", "end"],
  crossEntropyRows: ["loss", "max", "sum", "x", "targets", "columns", "begin", "end"],
  // biome-ignore format: one argument per line would be hard to read.
  crossEntropyRowsBackward: [
    "dx", "dLoss", "x", "max", "sum", "targets", "columns", "accumulate", "begin", "end",
  ],

  // biome-ignore format: one argument per line would be hard to read.
  normalizeRows: [
    "y", "mean", "rstd", "x", "weight", "bias", "columns", "epsilon", "begin", "end",
  ],
  // biome-ignore format: one argument per line would be hard to read.
  normalizeRowsBackward: [
    "dx", "dy", "x", "weight", "mean", "rstd", "columns", "accumulate", "begin", "end",
  ],
  // biome-ignore format: one argument per line would be hard to read.
  normalizeRowsBackwardColumns: [
    "dWeight", "dBias", "dy", "x", "mean", "rstd", "rows", "columns", "accumulateWeight",
    "accumulateBias", "begin", "end",
  ],
} as const;

type Numbers<Names extends readonly string[]> = { [Index in keyof Names]: number };

export type KernelName = keyof typeof signatures;

export const kernelNames: readonly KernelName[] = Object.keys(signatures).filter(isKernelName);

function isKernelName(name: string): name is KernelName {
  return Object.hasOwn(signatures, name);
}

/** The names of a kernel's arguments, in order. */
export function argumentsOf(kernel: KernelName): readonly string[] {
  return signatures[kernel];
}

/** The functions that the modules in kernels/ export. */
export type KernelExports = {
  readonly [Name in KernelName]: (...args: Numbers<(typeof signatures)[Name]>) => void;
};
