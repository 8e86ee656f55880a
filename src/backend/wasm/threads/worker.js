// @ts-check
/** A thread of the pool in Node. It may take some kernels from another module, such as those of a BLAS library. */
import { parentPort, workerData } from "node:worker_threads";
import { ownKernels, serveJobs } from "./loop.js";

/** @type {import("./loop.js").Start} */
const start = workerData;
const { memory, replacement } = start;
const functions = ownKernels(start);
if (replacement !== null) {
  const { replaceKernels } = await import(replacement.module);
  const replaced = await replaceKernels(Object.fromEntries(functions), memory, replacement.options);
  for (const [name, kernel] of Object.entries(replaced)) functions.set(name, kernel);
}

parentPort?.postMessage("ready");
serveJobs(start, functions);
