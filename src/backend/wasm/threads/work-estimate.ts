/** How much work one step of each kernel's range is, so that small jobs stay on the calling thread. */
import { argumentsOf, type KernelName } from "../host/signatures.ts";

export interface Work {
  /** Multiply-adds, or numbers moved, of one step: from the kernel's arguments, and the words it reads them from. */
  readonly perStep: (args: readonly number[], parameterWords: Int32Array) => number;
  /** Chunks are multiples of so many steps, but for the last. */
  readonly grain: number | ((parameterWords: Int32Array, steps: number, threads: number) => number);
}

/** A step is one number: chunks of whole cache lines, so that no two threads write to one. */
const numbers: Work = { perStep: () => 1, grain: 1024 };

/** A step is a row (or a column, a line, a chunk) of as many numbers as an argument says. */
function numbersIn(kernel: KernelName, ...names: readonly string[]): Work {
  const places = names.map((name) => argumentsOf(kernel).indexOf(name));
  return { perStep: (args) => places.reduce((product, place) => product * args[place], 1), grain: 1 };
}

const rows = (kernel: KernelName) => numbersIn(kernel, "columns");

/**
 * What a multiply-add of a product counts: no other kernel does as many in a microsecond. A quarter of a million take
 * four; one row times a matrix of a megabyte takes twelve.
 */
const productShare = 1 / 8;

/** What a byte of a key counts, likewise. A row of 128 bytes against 256 keys takes two microseconds. */
const attentionShare = 1 / 4;

const exceptions: { readonly [Name in KernelName]?: Work } = {
  // Words 14, 15 and 7 are the rows, columns and inner length of one part: see gemm.ts.
  gemm: { perStep: (_, words) => productShare * words[14] * words[15] * words[7], grain: 1 },
  // Words 0, 1 and 2 are rows, columns and bytes of a row: see attention.ts. A pair costs two products and an exp.
  attention: {
    perStep: (_, words) => attentionShare * words[0] * words[1] * words[2],
    // Up to four single rows are taken together: see kernels/attention-forward.ts. Two that wait for nobody are sooner
    // done than four.
    grain: (words, steps, threads) => (words[0] !== 1 ? 1 : steps < 8 * threads ? 2 : 4),
  },
  attentionBackward: { perStep: (_, words) => 2 * attentionShare * words[0] * words[1] * words[2], grain: 1 },
  copyBlock: numbersIn("copyBlock", "shape1", "shape2", "shape3"),
  rotateRows: numbersIn("rotateRows", "groups", "half"),
  gatherRows: rows("gatherRows"),
  scatterRows: rows("scatterRows"),
  // A step is a thread that takes part; how the work is shared out, the list itself says.
  replay: { perStep: () => Number.POSITIVE_INFINITY, grain: 1 },
  // Its range is the columns; 16 of them are a cache line.
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

/** Chunks for each thread: more than one, so that a thread that is held up elsewhere is not waited for. */
const chunksPerThread = 3;
const whole: Share = { chunks: 1, grain: 1 };

/** Into how many chunks a call is cut, and the steps that chunks are multiples of. */
export interface Share {
  readonly chunks: number;
  readonly grain: number;
}

/**
 * How calls of a kernel are shared out.
 *
 * @param leastWork below this many multiply-adds, or as many numbers moved, a call stays whole
 */
export function sharingOf(
  kernel: KernelName,
  threads: number,
  leastWork: number,
): (args: readonly number[], parameterWords: Int32Array) => Share {
  const { perStep, grain } = exceptions[kernel] ?? numbers;
  const begin = argumentsOf(kernel).indexOf("begin");
  return (args, parameterWords) => {
    const steps = args[begin + 1] - args[begin];
    if (threads === 1 || perStep(args, parameterWords) * steps < leastWork) return whole;
    const unit = typeof grain === "number" ? grain : grain(parameterWords, steps, threads);
    const chunks = Math.min(chunksPerThread * threads, Math.ceil(steps / unit));
    return chunks < 2 ? whole : { chunks, grain: unit };
  };
}
