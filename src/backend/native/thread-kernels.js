// @ts-check
/** The native kernels of one thread of the pool. Each thread opens the library and calls it separately. */
import { makeNativeGemm } from "./gemm.js";
import { openNativeLibrary } from "./library.js";

/**
 * @typedef {object} NativeStart
 * @property {string} file the library that the calling thread opened
 * @property {import("./library.js").Vectors} vectors
 * @property {import("../wasm/host/gemm.ts").ProductWords} at
 * @property {boolean} always
 */

/** @type {import("../wasm/threads/pool.ts").ReplaceKernels<NativeStart>} */
export async function replaceKernels(kernels, memory, { file, vectors, at, always }) {
  const library = await openNativeLibrary(file, vectors);
  return { gemm: makeNativeGemm(library, memory, kernels.gemm, at, always) };
}
