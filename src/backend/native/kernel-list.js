// @ts-check
/**
 * The kernels in C, with the types of their arguments after the first, which is the address where memory begins. The
 * arguments are those of the kernel in WebAssembly: ../wasm/host/signatures.ts.
 *
 * Plain JavaScript, because the threads of the pool load it too (see ../wasm/threads/worker.js).
 */

/** The parameters' address, begin, end, and the address of scratch memory. */
const call = /** @type {const} */ (["uint32_t", "uint32_t", "uint32_t", "uint32_t"]);

export const KERNELS = /** @type {const} */ ({
  gemm: call,
  attention: call,
  attentionBackward: call,
});

/** @typedef {keyof typeof KERNELS} NativeKernelName */
