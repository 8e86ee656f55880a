// @ts-check
/** The BLAS kernels of one thread of the pool. Each thread opens the library and calls it separately. */
import { makeGemm } from "./gemm.js";
import { openLibrary } from "./library.js";

/**
 * @typedef {object} BlasStart
 * @property {string} file the library found by the calling thread
 * @property {import("../wasm/host/gemm.ts").ProductWords} at
 * @property {number} minWork
 */

/** @type {import("../wasm/threads/pool.ts").ReplaceKernels<BlasStart>} */
export async function replaceKernels(kernels, memory, { file, at, minWork }) {
  const library = await openLibrary([file]);
  if (library === null) throw new Error(`cannot open ${file} in a thread`);
  return { gemm: makeGemm(library.sgemm, library.address(memory), memory, kernels, at, minWork) };
}
