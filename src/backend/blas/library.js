// @ts-check
/**
 * Opens a BLAS library of the system through koffi, which calls C functions by name. Plain JavaScript, because the
 * threads of the pool load it too (see ../wasm/threads/worker.js).
 */

/**
 * @typedef {object} Library
 * @property {string} file  the name or path by which it was found
 * @property {string} title the name and version it reports, and `file`
 * @property {import("./gemm.js").Sgemm} sgemm runs on the calling thread only
 * @property {(memory: WebAssembly.Memory) => number} address where a memory begins: it grows, but never moves
 */

/**
 * Vendors whose libraries are fast: a function that only their libraries have, how to restrict the library to the
 * calling thread, and how to read its version. Functions missing from an old version are skipped.
 */
const vendors = [
  {
    ...{ name: "OpenBLAS", mark: "openblas_set_num_threads", version: "openblas_get_config" },
    ...{ threads: "openblas_set_num_threads", integer: "int" },
  },
  {
    ...{ name: "BLIS", mark: "bli_thread_set_num_threads", version: "bli_info_get_version_str" },
    ...{ threads: "bli_thread_set_num_threads", integer: "int64_t" },
  },
  {
    ...{ name: "MKL", mark: "MKL_Set_Num_Threads", version: "" },
    ...{ threads: "MKL_Set_Num_Threads", integer: "int" },
  },
  {
    // 1 is BLAS_THREADING_SINGLE_THREADED, set for the calling thread; macOS 15 and newer.
    ...{ name: "Accelerate", mark: "vDSP_vadd", version: "" },
    ...{ threads: "BLASSetThreading", integer: "int" },
  },
];

/**
 * What libraries put before and after the names of their functions, and their integer type. A suffix marks 64-bit
 * integers. A prefix keeps the OpenBLAS of NumPy, SciPy and scipy-openblas32 apart from the system's.
 */
const namings = ["", "scipy_"].flatMap((prefix) => [
  { prefix, suffix: "", integer: "int" },
  { prefix, suffix: "64_", integer: "int64_t" },
]);

/**
 * Opens the first library among `files` that has cblas_sgemm, under any of the names above.
 *
 * @param {readonly string[]} files names that the system's loader knows, or paths
 * @returns {Promise<Library | null>} null if there is none
 * @throws Error if koffi is not installed
 */
export async function openLibrary(files) {
  const { default: koffi } = await import("koffi");
  for (const file of files) {
    const library = tryTo(() => koffi.load(file));
    if (library === null) continue;
    for (const { prefix, suffix, integer } of namings) {
      const find = (/** @type {string} */ name, /** @type {string} */ result, /** @type {string[]} */ args) =>
        tryTo(() => library.func(prefix + name + suffix, result, args));
      const matrix = ["uintptr_t", integer];
      // biome-ignore format: order, transposes, sizes; alpha, A, B; beta, C.
      const sgemm = find("cblas_sgemm", "void", [
        "int", "int", "int", integer, integer, integer, "float", ...matrix, ...matrix, "float", ...matrix,
      ]);
      if (sgemm === null) continue;
      const vendor = vendors.find(({ mark }) => find(mark, "void", []) !== null);
      if (vendor !== undefined) find(vendor.threads, "void", [vendor.integer])?.(1);
      const version = vendor && find(vendor.version, "str", [])?.();
      const title = typeof version === "string" ? titleOf(vendor?.name ?? "", version) : vendor?.name;
      return {
        file,
        title: title === undefined ? file : `${title} in ${file}`,
        sgemm,
        address: ({ buffer }) => Number(koffi.address(new Uint8Array(buffer))),
      };
    }
  }
  return null;
}

/**
 * Extracts "OpenBLAS 0.3.21" from "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …".
 *
 * @param {string} name
 * @param {string} version
 */
function titleOf(name, version) {
  const number = /\d+(\.\d+)+/.exec(version);
  return number === null ? name : `${name} ${number[0]}`;
}

/**
 * @template T
 * @param {() => T} action
 * @returns {T | null} null if it throws
 */
function tryTo(action) {
  try {
    return action();
  } catch {
    return null;
  }
}
