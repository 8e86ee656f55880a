/** Estimates the work of a kernel call, so that small calls stay on the calling thread. */
import { argumentsOf, type KernelName } from "../host/signatures.ts";

export interface Work {
  /** Multiply-adds, or numbers moved, per step, from the kernel's arguments and the parameter words they refer to. */
  readonly perStep: (args: readonly number[], parameterWords: Int32Array) => number;
  /** Every chunk except the last is a multiple of this number of steps. */
  readonly grain: number | ((parameterWords: Int32Array, steps: number, threads: number) => number);
}

/** A step is one number. Chunks are whole cache lines, so that no two threads write to the same line. */
const numbers: Work = { perStep: () => 1, grain: 1024 };

/** A step is a row (or a column, a line, a chunk) whose length is the product of the named arguments. */
function numbersIn(kernel: KernelName, ...names: readonly string[]): Work {
  const places = names.map((name) => argumentsOf(kernel).indexOf(name));
  return { perStep: (args) => places.reduce((product, place) => product * args[place], 1), grain: 1 };
}

const rows = (kernel: KernelName) => numbersIn(kernel, "columns");

/**
 * Weight of a multiply-add in a matrix product, the fastest of all kernels: a quarter of a million take four
 * microseconds, and one row times a matrix of a megabyte takes twelve.
 */
const productShare = 1 / 8;

/** Weight of a byte of a key. A row of 128 bytes against 256 keys takes two microseconds. */
const attentionShare = 1 / 4;

const exceptions: { readonly [Name in KernelName]?: Work } = {
  // Words 14, 15 and 7 are the rows, columns and inner length of one part: see ../host/gemm.ts.
  gemm: { perStep: (_, words) => productShare * words[14] * words[15] * words[7], grain: 1 },
  // Words 0, 1 and 2 are rows, columns and bytes per row: see ../host/attention.ts. A pair costs two products and an
  // exp.
  attention: {
    perStep: (_, words) => attentionShare * words[0] * words[1] * words[2],
    // Up to four single rows are computed together (see kernels/attention-forward.ts). For few steps, two at a time
    // on more threads finish sooner than four.
    grain: (words, steps, threads) => (words[0] !== 1 ? 1 : steps < 8 * threads ? 2 : 4),
  },
  attentionBackward: { perStep: (_, words) => 2 * attentionShare * words[0] * words[1] * words[2], grain: 1 },
  countNormals: numbersIn("countNormals", "points"),
  fillNormals: numbersIn("fillNormals", "points"),
  copyBlock: numbersIn("copyBlock", "shape1", "shape2", "shape3"),
  rotateRows: numbersIn("rotateRows", "groups", "half"),
  gatherRows: rows("gatherRows"),
  scatterRows: rows("scatterRows"),
  // A step is one participating thread. The list itself determines how the work is divided.
  replay: { perStep: () => Number.POSITIVE_INFINITY, grain: 1 },
  // The range is the columns; 16 of them are a cache line.
  scatterAddRows: { ...numbersIn("scatterAddRows", "rows"), grain: 16 },
  sumRows: rows("sumRows"),
  sumColumns: { ...numbersIn("sumColumns", "axis"), grain: 16 },
  maxRows: rows("maxRows"),
  maxColumns: { ...numbersIn("maxColumns", "axis"), grain: 16 },
  maxBackward: numbersIn("maxBackward", "axis"),
  sumsOfSquaresInChunks: { perStep: () => 4096, grain: 1 },
  softmaxRows: rows("softmaxRows"),
  softmaxRowsBackward: rows("softmaxRowsBackward"),
  logSoftmaxRows: rows("logSoftmaxRows"),
  logSoftmaxRowsBackward: rows("logSoftmaxRowsBackward"),
  crossEntropyRows: rows("crossEntropyRows"),
  crossEntropyRowsBackward: rows("crossEntropyRowsBackward"),
  normalizeRows: rows("normalizeRows"),
  normalizeRowsBackward: rows("normalizeRowsBackward"),
  normalizeRowsBackwardColumns: { ...numbersIn("normalizeRowsBackwardColumns", "rows"), grain: 16 },
};

/** Chunks per thread: more than one, so that the others do not wait for a thread that is delayed. */
const chunksPerThread = 3;
const whole: Share = { chunks: 1, grain: 1 };

/** The number of chunks of a call, and the number of steps that chunks are multiples of. */
export interface Share {
  readonly chunks: number;
  readonly grain: number;
}

/** The multiply-adds, or numbers moved, of a call. */
export function workOf(kernel: KernelName): (args: readonly number[], parameterWords: Int32Array) => number {
  const { perStep } = exceptions[kernel] ?? numbers;
  const begin = argumentsOf(kernel).indexOf("begin");
  return (args, parameterWords) => perStep(args, parameterWords) * (args[begin + 1] - args[begin]);
}

/**
 * Decides how calls of a kernel are divided among threads.
 *
 * @param minWork calls with fewer multiply-adds, or numbers moved, are not divided
 */
export function sharingOf(
  kernel: KernelName,
  threads: number,
  minWork: number,
): (args: readonly number[], parameterWords: Int32Array) => Share {
  const { grain } = exceptions[kernel] ?? numbers;
  const work = workOf(kernel);
  const begin = argumentsOf(kernel).indexOf("begin");
  return (args, parameterWords) => {
    if (threads === 1 || work(args, parameterWords) < minWork) return whole;
    const steps = args[begin + 1] - args[begin];
    const unit = typeof grain === "number" ? grain : grain(parameterWords, steps, threads);
    const chunks = Math.min(chunksPerThread * threads, Math.ceil(steps / unit));
    return chunks < 2 ? whole : { chunks, grain: unit };
  };
}
