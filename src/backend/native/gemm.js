// @ts-check
/**
 * The kernel `gemm`, in C where that is faster.
 *
 * Plain JavaScript, because the threads of the pool load it too (see ../wasm/threads/worker.js).
 */

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
  return (parameters, begin, end, scratch) => {
    const words = new Int32Array(memory.buffer, parameters, at.head);
    const rows = Math.min(words[at.partRows], words[at.rows]);
    const work = rows * Math.min(words[at.partColumns], words[at.columns]) * words[at.inner] * (end - begin);
    const isReadInPlace = words[at.bColumn] === 4 && words[at.cColumn] === 4;
    const isFaster = (rows >= FEW_ROWS || (wide && isReadInPlace)) && work >= MIN_WORK;
    if (words[at.inner] === 0 || !(always || isFaster)) wasm(parameters, begin, end, scratch);
    else native(base, parameters, begin, end, scratch);
  };
}
