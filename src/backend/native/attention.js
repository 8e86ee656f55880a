// @ts-check
/**
 * The kernels `attention` and `attentionBackward`, in C where that is faster.
 *
 * Plain JavaScript, because the threads of the pool load it too (see ../wasm/threads/worker.js).
 */
import { wordsOf } from "./memory-words.js";

/** With fewer rows, most lanes have no row. A single row, as in decoding, has its own kernel. */
const FEW_ROWS = 4;
/** With fewer multiply-adds, the call through koffi takes longer than it saves. */
const MIN_WORK = 8192;

/** @typedef {import("../wasm/host/signatures.ts").KernelExports["attention"]} Attention */

/**
 * @param {import("./library.js").NativeKernel} native
 * @param {number} base the address where `memory` begins
 * @param {WebAssembly.Memory} memory
 * @param {Attention} wasm the same kernel in WebAssembly
 * @param {boolean} always whether to compute every call in C, for tests
 * @returns {Attention}
 */
export function makeAttention(native, base, memory, wasm, always) {
  const wordsUpTo = wordsOf(memory);
  return (parameters, begin, end, scratch) => {
    // Words 0, 1 and 2 are rows, columns and bytes per row: see ../wasm/host/attention.ts.
    const words = wordsUpTo(parameters + 12);
    const first = parameters / 4;
    const [rows, columns, widthBytes] = [words[first], words[first + 1], words[first + 2]];
    const isFaster =
      (rows === 1 || rows >= FEW_ROWS) && (rows * columns * widthBytes * (end - begin)) / 4 >= MIN_WORK;
    if (always || isFaster) native(base, parameters, begin, end, scratch);
    else wasm(parameters, begin, end, scratch);
  };
}
