// @ts-check
/** What each thread of the pool computes by BLAS: it opens the library for itself and calls it on its own. */
import { makeGemm } from "./gemm.js";
import { openLibrary } from "./library.js";

/**
 * @typedef {object} BlasStart
 * @property {string} file the library that the calling thread has found
 * @property {import("../wasm/host/gemm.ts").ProductWords} at
 * @property {number} leastWork
 */

/** @type {import("../wasm/threads/pool.ts").ReplaceKernels<BlasStart>} */
export async function replaceKernels(kernels, memory, { file, at, leastWork }) {
  const library = await openLibrary([file]);
  if (library === null) throw new Error(`${file} does not open in a thread`);
  return { gemm: makeGemm(library.sgemm, library.address(memory), memory, kernels, at, leastWork) };
}
