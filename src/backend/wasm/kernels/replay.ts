/**
 * Replays a captured list of kernel calls, without returning to the host between calls. ../capture/captured-calls.ts
 * writes the list.
 *
 * Several threads may work on one list. A free thread takes the next chunk of the current step, and the thread that
 * finishes the last chunk of a step starts the next one. No thread leads, and the others do not wait for a thread
 * that is late or absent.
 */
import { attention } from "./attention-forward";
import { copyBlock } from "./copy";
import { gatherRows, scatterRows } from "./gather";
import { gemm } from "./gemm";
import { Product } from "./gemm-product";
import { unaryExp, unaryGelu, unaryGeluTanh, unaryLog, unaryRelu, unaryRelu2, unarySilu, unarySqrt, unaryTanh } from "./unary";
import { normalizeRows } from "./normalize";
import { maxColumns, maxRows, sumColumns, sumRows } from "./reduce";
import { rotateRows } from "./rotate";
import { logSoftmaxRows, softmaxRows } from "./softmax";
import { scale, binaryAdd, binaryDivide, binaryMultiply, binarySubtract } from "./binary";

/**
 * The kernels `gemm` and `attention` of the host, for backends that compute them elsewhere (../../native, ../../blas).
 */
// @ts-ignore: decorator
@external("env", "hostGemm")
declare function hostGemm(parameters: usize, begin: i32, end: i32, scratch: usize): void;
// @ts-ignore: decorator
@external("env", "hostAttention")
declare function hostAttention(parameters: usize, begin: i32, end: i32, scratch: usize): void;

/** 32-bit words, as the host lays them out. The steps follow. */
@unmanaged
class Program {
  /** The current step, times `CHUNKS`, plus the number of its next chunk. */
  ticket: i32;
  /** The number of finished chunks of that step. */
  done: i32;
  steps: i32;
  threads: i32;
}

@unmanaged
class Step {
  /** Index of the kernel in `capturable` of ../capture/captured-calls.ts, or ~index if the host computes it. */
  kernel: i32;
  chunks: i32;
  /** Chunks begin at multiples of this number of elements of the range. */
  grain: i32;
  begin: i32;
  end: i32;
}

/** Word offset of the arguments (without range and scratch), and room for the longest list of them. */
const ARGUMENTS: usize = 5;
const STEP_BYTES: usize = 4 * 20;
/** An upper bound on the chunks of a step. */
const CHUNKS: i32 = 256;
/** Polls for the next step before a thread returns to the host: a few hundred microseconds. */
const SPINS: i32 = 100_000;

/** Works on the list until it ends, or until there has been nothing to do for a while. The range is ignored. */
export function replay(program: usize, begin: i32, end: i32, scratch: usize): void {
  const list = changetype<Program>(program);
  if (list.threads == 1) {
    for (let step = 0; step < list.steps; step++) runChunk(stepOf(program, step), 0, scratch);
    list.ticket = list.steps * CHUNKS;
    return;
  }
  for (let spins = 0; spins < SPINS; spins++) {
    let ticket = atomic.load<i32>(program);
    if (ticket / CHUNKS == list.steps) return;
    if (ticket % CHUNKS >= stepOf(program, ticket / CHUNKS).chunks) continue;
    // The other threads may have advanced since the load; only the value returned by the add counts.
    ticket = atomic.add<i32>(program, 1);
    let step = ticket / CHUNKS;
    if (step == list.steps) return;
    const chunks = stepOf(program, step).chunks;
    if (ticket % CHUNKS >= chunks) continue;
    runChunk(stepOf(program, step), ticket % CHUNKS, scratch);
    spins = 0;
    if (atomic.add<i32>(program, 1, offsetof<Program>("done")) + 1 < chunks) continue;
    // Steps that cannot be divided run immediately on this thread.
    for (step++; step < list.steps && stepOf(program, step).chunks == 1; step++) runChunk(stepOf(program, step), 0, scratch);
    atomic.store<i32>(program, 0, offsetof<Program>("done"));
    atomic.store<i32>(program, step * CHUNKS);
  }
}

@inline
function stepOf(program: usize, step: i32): Step {
  return changetype<Step>(program + offsetof<Program>() + STEP_BYTES * <usize>step);
}

/** Argument `i`, if it is an integer or an address. */
@inline
function int(step: Step, i: usize): i32 {
  return load<i32>(changetype<usize>(step) + 4 * (ARGUMENTS + i));
}

/** Argument `i`, if it is a float. */
@inline
function fraction(step: Step, i: usize): f32 {
  return load<f32>(changetype<usize>(step) + 4 * (ARGUMENTS + i));
}

/** Runs one chunk of a call. For the bounds of a chunk, see #takePart in ../threads/pool.ts. */
function runChunk(s: Step, chunk: i32, scratch: usize): void {
  let begin = s.begin;
  let end = s.end;
  if (s.chunks > 1) {
    const units = (end - begin + s.grain - 1) / s.grain;
    end = min(end, begin + s.grain * ((units * (chunk + 1)) / s.chunks));
    begin += s.grain * ((units * chunk) / s.chunks);
  }
  switch (s.kernel) {
    case ~0: return hostGemm(int(s, 0), begin, end, scratch);
    case ~1: return hostAttention(int(s, 0), begin, end, scratch);
    case 0: return gemm(changetype<Product>(int(s, 0)), begin, end, scratch);
    case 1: return attention(int(s, 0), begin, end, scratch);
    case 2: return unaryExp(int(s, 0), int(s, 1), begin, end);
    case 3: return unaryLog(int(s, 0), int(s, 1), begin, end);
    case 4: return unarySqrt(int(s, 0), int(s, 1), begin, end);
    case 5: return unaryTanh(int(s, 0), int(s, 1), begin, end);
    case 6: return unaryRelu(int(s, 0), int(s, 1), begin, end);
    case 7: return unaryRelu2(int(s, 0), int(s, 1), begin, end);
    case 8: return unarySilu(int(s, 0), int(s, 1), begin, end);
    case 9: return unaryGelu(int(s, 0), int(s, 1), begin, end);
    case 10: return unaryGeluTanh(int(s, 0), int(s, 1), begin, end);
    case 11: return binaryAdd(int(s, 0), int(s, 1), int(s, 2), int(s, 3), int(s, 4) != 0, begin, end);
    case 12: return binarySubtract(int(s, 0), int(s, 1), int(s, 2), int(s, 3), int(s, 4) != 0, begin, end);
    case 13: return binaryMultiply(int(s, 0), int(s, 1), int(s, 2), int(s, 3), int(s, 4) != 0, begin, end);
    case 14: return binaryDivide(int(s, 0), int(s, 1), int(s, 2), int(s, 3), int(s, 4) != 0, begin, end);
    case 15: return scale(int(s, 0), int(s, 1), fraction(s, 2), int(s, 3) != 0, begin, end);
    case 16: return copyBlock(
      int(s, 0), int(s, 1), int(s, 2) != 0, int(s, 3), int(s, 4), int(s, 5), int(s, 6), int(s, 7), int(s, 8),
      int(s, 9), int(s, 10), int(s, 11), int(s, 12), int(s, 13), begin, end,
    );
    case 17: return rotateRows(
      int(s, 0), int(s, 1), int(s, 2), int(s, 3), int(s, 4), int(s, 5), int(s, 6) != 0, int(s, 7) != 0, begin, end,
    );
    case 18: return gatherRows(int(s, 0), int(s, 1), int(s, 2), int(s, 3), begin, end);
    case 19: return scatterRows(int(s, 0), int(s, 1), int(s, 2), int(s, 3), begin, end);
    case 20: return sumRows(int(s, 0), int(s, 1), int(s, 2), fraction(s, 3), int(s, 4) != 0, begin, end);
    case 21: return sumColumns(int(s, 0), int(s, 1), int(s, 2), int(s, 3), fraction(s, 4), int(s, 5) != 0, begin, end);
    case 22: return maxRows(int(s, 0), int(s, 1), int(s, 2), begin, end);
    case 23: return maxColumns(int(s, 0), int(s, 1), int(s, 2), int(s, 3), begin, end);
    case 24: return softmaxRows(int(s, 0), int(s, 1), int(s, 2), int(s, 3), int(s, 4) != 0, begin, end);
    case 25: return logSoftmaxRows(int(s, 0), int(s, 1), int(s, 2), begin, end);
    default: return normalizeRows(
      int(s, 0), int(s, 1), int(s, 2), int(s, 3), int(s, 4), int(s, 5), int(s, 6), fraction(s, 7), begin, end,
    );
  }
}
