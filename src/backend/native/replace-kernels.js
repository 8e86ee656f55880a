// @ts-check
/**
 * Replaces the kernels of one thread that are faster in C. Both have the same bits, so this is a choice of speed alone.
 *
 * Plain JavaScript, because the threads of the pool load it too (see ../wasm/threads/worker.js).
 */
import { makeAttention } from "./attention.js";
import { makeGemm } from "./gemm.js";

/**
 * @typedef {object} Choices
 * @property {import("../wasm/host/gemm.ts").ProductWords} at indices of the words of a product
 * @property {boolean} wide whether vectors are wider than those of WebAssembly
 * @property {readonly string[]} rows the kernels of rows and elements to compute in C
 * @property {boolean} always whether to compute even those calls in C that are faster in WebAssembly, for tests
 */

/**
 * @param {import("./library.js").NativeLibrary} library
 * @param {WebAssembly.Memory} memory
 * @param {import("../wasm/host/signatures.ts").KernelExports} wasm
 * @param {Choices} choices
 * @returns {import("../wasm/host/signatures.ts").KernelExports}
 */
export function replaceKernels(library, memory, wasm, { at, wide, rows, always }) {
  const { gemm, attention, attentionBackward } = library.kernels;
  const base = library.address(memory);
  /** @type {Record<string, (...args: number[]) => void>} */
  const ofRows = {};
  for (const name of rows) {
    const kernel = library.kernels[name];
    ofRows[name] = (...args) => kernel(base, ...args);
  }
  return {
    ...wasm,
    ...ofRows,
    gemm: makeGemm(gemm, base, memory, wasm.gemm, at, wide, always),
    attention: makeAttention(attention, base, memory, wasm.attention, always),
    attentionBackward: makeAttention(attentionBackward, base, memory, wasm.attentionBackward, always),
  };
}
