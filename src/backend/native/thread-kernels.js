// @ts-check
/** The native kernels of one thread of the pool. Each thread opens the library and calls it separately. */
import { openNativeLibrary } from "./library.js";
import * as native from "./replace-kernels.js";

/**
 * @typedef {object} NativeStart
 * @property {string} file the library that the calling thread opened
 * @property {import("./library.js").Vectors} vectors
 * @property {import("./kernel-table.ts").ArgumentTypes} types
 * @property {native.Choices} choices
 */

/** @type {import("../wasm/threads/pool.ts").ReplaceKernels<NativeStart>} */
export async function replaceKernels(kernels, memory, { file, vectors, types, choices }) {
  const library = await openNativeLibrary(file, vectors, types);
  return native.replaceKernels(library, memory, kernels, choices);
}
