// @ts-check
/**
 * Opens the library of native kernels through koffi, which calls C functions by name. Plain JavaScript, because the
 * threads of the pool load it too (see ../wasm/threads/worker.js).
 */

/**
 * The variants of the kernels, by the vectors they need: from 0, which every CPU can run, to the widest. The numbers
 * are those of kernels/cpu.c.
 */
export const VECTORS = /** @type {const} */ (["plain", "avx2", "avx512"]);

/** @typedef {(typeof VECTORS)[number]} Vectors */

/**
 * @typedef {(memory: number, ...args: number[]) => void} NativeKernel a kernel in C; `memory` is an address of the
 * process, the rest are the arguments of the kernel in WebAssembly
 */

/**
 * @typedef {object} NativeLibrary
 * @property {Vectors} vectors the variant that was opened
 * @property {Readonly<Record<string, NativeKernel>>} kernels by name
 * @property {(memory: WebAssembly.Memory) => number} address where a memory begins: it grows, but never moves
 */

/**
 * @param {string} file the path of the library
 * @param {Vectors | null} widest the widest variant to open; null for no limit
 * @param {import("./kernel-table.ts").ArgumentTypes} types the kernels to open
 * @returns {Promise<NativeLibrary>} the widest variant that this CPU can run
 * @throws Error if koffi is not installed, or the file is no library of these kernels
 */
export async function openNativeLibrary(file, widest, types) {
  const { default: koffi } = await import("koffi");
  const library = koffi.load(file);
  const supported = Number(library.func("widest_vectors", "int32_t", [])());
  const limit = widest === null ? supported : Math.min(supported, VECTORS.indexOf(widest));
  const vectors = VECTORS[limit];
  /** @type {Record<string, NativeKernel>} */
  const kernels = {};
  for (const [name, ofArguments] of Object.entries(types))
    kernels[name] = library.func(`${name}_${vectors}`, "void", ["uintptr_t", ...ofArguments]);
  return {
    vectors,
    kernels,
    address: ({ buffer }) => Number(koffi.address(new Uint8Array(buffer))),
  };
}
