// @ts-check
/**
 * One thread of the pool: waits for jobs in shared memory and works on them (see pool.ts for the protocol). Plain
 * JavaScript, because Node must be able to load a thread's file directly, even if a tool compiles the rest of the
 * program on the fly. Imports nothing from the project except the replacement module.
 */
import { parentPort, workerData } from "node:worker_threads";

/** @type {import("./pool.ts").ThreadStart & { thread: number }} */
const { module, memory, control, jobArguments, thread, layout, spins, kernels, replacement } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
/** @type {Map<string, unknown>} */
const functions = new Map(Object.entries(exports));
if (replacement !== null) {
  const { replaceKernels } = await import(replacement.module);
  const replaced = await replaceKernels(exports, memory, replacement.options);
  for (const [name, kernel] of Object.entries(replaced)) functions.set(name, kernel);
}

parentPort?.postMessage("ready");

for (let seen = 0; ; ) {
  for (let turn = 0; turn < spins && Atomics.load(control, layout.generation) === seen; turn++);
  Atomics.wait(control, layout.generation, seen);
  seen = Atomics.load(control, layout.generation);
  Atomics.add(control, layout.active, 1);
  if (Atomics.load(control, layout.open) === 1) takePart();
  Atomics.sub(control, layout.active, 1);
  Atomics.notify(control, layout.active);
}

/** Runs chunks of the open job until none is left. */
function takePart() {
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
