// @ts-check
/**
 * The kernel `gemm`, in C where that is faster.
 *
 * Plain JavaScript, because the threads of the pool load it too (see ../wasm/threads/worker.js).
 */
import { wordsOf } from "./memory-words.js";

/**
 * With fewer rows, packing B costs more than it saves: the WebAssembly kernel reads it in place. So does the one in C if
 * columns are contiguous, as in decoding, but only wide vectors make it faster.
 */
const FEW_ROWS = 8;
/** With fewer multiply-adds, the call through koffi takes longer than it saves. */
const MIN_WORK = 8192;

/** @typedef {import("../wasm/host/signatures.ts").KernelExports["gemm"]} Gemm */

/**
 * @param {import("./library.js").NativeKernel} native
 * @param {number} base the address where `memory` begins
 * @param {WebAssembly.Memory} memory
 * @param {Gemm} wasm the same kernel in WebAssembly
 * @param {import("../wasm/host/gemm.ts").ProductWords} at indices of the words of a product
 * @param {boolean} wide whether vectors are wider than those of WebAssembly
 * @param {boolean} always whether to compute every product in C, for tests
 * @returns {Gemm}
 */
export function makeGemm(native, base, memory, wasm, at, wide, always) {
  const wordsUpTo = wordsOf(memory);
  return (parameters, begin, end, scratch) => {
    const words = wordsUpTo(parameters + 4 * at.head);
    const first = parameters / 4;
    const rows = Math.min(words[first + at.partRows], words[first + at.rows]);
    const columns = Math.min(words[first + at.partColumns], words[first + at.columns]);
    const inner = words[first + at.inner];
    const isReadInPlace = words[first + at.bColumn] === 4 && words[first + at.cColumn] === 4;
    const isFaster =
      (rows >= FEW_ROWS || (wide && isReadInPlace)) && rows * columns * inner * (end - begin) >= MIN_WORK;
    if (inner === 0 || !(always || isFaster)) wasm(parameters, begin, end, scratch);
    else native(base, parameters, begin, end, scratch);
  };
}
