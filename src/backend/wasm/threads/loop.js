// @ts-check
/**
 * The work of one thread of the pool: it waits for jobs in shared memory and takes part in them (see pool.ts for the
 * protocol). worker.js runs it in Node, web-worker.js in a browser. Plain JavaScript, because a thread's file must load
 * as it is, even if a tool compiles the rest of the program on the fly. Imports nothing.
 */

/** @typedef {import("./pool.ts").ThreadStart & { thread: number }} Start */

/**
 * The kernels of this thread, by name: a separate instance over the shared memory. Captured calls of a replaced kernel
 * take the one that is in the map (see ../kernels/replay.ts).
 *
 * @param {Pick<Start, "module" | "memory">} start
 * @returns {Map<string, any>}
 */
export function ownKernels({ module, memory }) {
  /** @type {Map<string, any>} */
  const functions = new Map();
  // WebAssembly passes addresses from 2 GiB on as negative numbers.
  /** @type {(parameters: number, begin: number, end: number, scratch: number) => void} */
  const hostGemm = (parameters, begin, end, scratch) =>
    functions.get("gemm")(parameters >>> 0, begin, end, scratch >>> 0);
  /** @type {typeof hostGemm} */
  const hostAttention = (parameters, begin, end, scratch) =>
    functions.get("attention")(parameters >>> 0, begin, end, scratch >>> 0);
  const { exports } = new WebAssembly.Instance(module, { env: { memory, hostGemm, hostAttention } });
  for (const [name, kernel] of Object.entries(exports)) functions.set(name, kernel);
  return functions;
}

/**
 * Works on jobs until the thread is terminated; does not return.
 *
 * @param {Start} start
 * @param {ReadonlyMap<string, unknown>} functions
 */
export function serveJobs(start, functions) {
  const { control, layout, spins } = start;
  for (let seen = 0; ; ) {
    for (let turn = 0; turn < spins && Atomics.load(control, layout.generation) === seen; turn++);
    Atomics.wait(control, layout.generation, seen);
    seen = Atomics.load(control, layout.generation);
    Atomics.add(control, layout.active, 1);
    if (Atomics.load(control, layout.open) === 1) takePart(start, functions);
    Atomics.sub(control, layout.active, 1);
    Atomics.notify(control, layout.active);
  }
}

/**
 * Runs chunks of the open job until none is left.
 *
 * @param {Start} start
 * @param {ReadonlyMap<string, unknown>} functions
 */
function takePart({ control, layout, kernels, jobArguments, thread }, functions) {
  const kernel = kernels[control[layout.kernel]];
  const run = functions.get(kernel.name);
  const args = Array.from(jobArguments.subarray(0, kernel.count));
  const [begin, end] = [args[kernel.begin], args[kernel.begin + 1]];
  const [chunks, grain] = [control[layout.chunks], control[layout.grain]];
  const units = Math.ceil((end - begin) / grain);
  if (kernel.scratch >= 0) args[kernel.scratch] += thread * control[layout.scratchStride];
  try {
    if (typeof run !== "function") throw new TypeError(`no kernel ${kernel.name}`);
    for (;;) {
      const chunk = Atomics.add(control, layout.next, 1);
      if (chunk >= chunks) return;
      args[kernel.begin] = begin + grain * Math.floor((units * chunk) / chunks);
      args[kernel.begin + 1] = Math.min(end, begin + grain * Math.floor((units * (chunk + 1)) / chunks));
      run(...args);
    }
  } catch {
    Atomics.store(control, layout.failed, 1);
  }
}
