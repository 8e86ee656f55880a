// @ts-check
/**
 * Opens a BLAS library of the system through koffi, which calls C functions by name. Plain JavaScript, because the
 * threads of the pool load it too (see ../wasm/thread-worker.js).
 */

/**
 * @typedef {object} Library
 * @property {string} file  the name or path by which it was found
 * @property {string} title what it calls itself, and `file`
 * @property {boolean} known whether its maker is known: its products are quick
 * @property {import("./gemm.js").Sgemm} sgemm on the calling thread alone
 * @property {(memory: WebAssembly.Memory) => number} address where a memory begins: it grows, but never moves
 */

/**
 * The makers whose libraries are quick, by a function that only theirs have; how to keep one to the calling thread;
 * how it tells its version. A function that an old version lacks is done without.
 */
const makers = [
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
    // 1 is BLAS_THREADING_SINGLE_THREADED, for the thread that says so; macOS 15 and newer.
    ...{ name: "Accelerate", mark: "vDSP_vadd", version: "" },
    ...{ threads: "BLASSetThreading", integer: "int" },
  },
];

/** What the functions of a library end in, and its integers: libraries of 64-bit ones are told by their names. */
const widths = [
  { suffix: "", integer: "int" },
  { suffix: "64_", integer: "int64_t" },
];

/**
 * The first library among `files` that has cblas_sgemm.
 *
 * @param {readonly string[]} files names that the system's loader knows, or paths
 * @returns {Promise<Library | null>} null when there is none
 * @throws Error when koffi is not there
 */
export async function openLibrary(files) {
  const { default: koffi } = await import("koffi");
  for (const file of files) {
    const library = tryTo(() => koffi.load(file));
    if (library === null) continue;
    for (const { suffix, integer } of widths) {
      const find = (/** @type {string} */ name, /** @type {string} */ result, /** @type {string[]} */ args) =>
        tryTo(() => library.func(name + suffix, result, args));
      const matrix = ["uintptr_t", integer];
      // biome-ignore format: order, transposes, sizes; alpha, A, B; beta, C.
      const sgemm = find("cblas_sgemm", "void", [
        "int", "int", "int", integer, integer, integer, "float", ...matrix, ...matrix, "float", ...matrix,
      ]);
      if (sgemm === null) continue;
      const maker = makers.find(({ mark }) => find(mark, "void", []) !== null);
      if (maker !== undefined) find(maker.threads, "void", [maker.integer])?.(1);
      const version = maker && find(maker.version, "str", [])?.();
      const title = typeof version === "string" ? titleOf(maker?.name ?? "", version) : maker?.name;
      return {
        file,
        title: title === undefined ? file : `${title} in ${file}`,
        known: maker !== undefined,
        sgemm,
        address: ({ buffer }) => Number(koffi.address(new Uint8Array(buffer))),
      };
    }
  }
  return null;
}

/**
 * "OpenBLAS 0.3.21" out of "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …".
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
 * @returns {T | null} null when it throws
 */
function tryTo(action) {
  try {
    return action();
  } catch {
    return null;
  }
}
