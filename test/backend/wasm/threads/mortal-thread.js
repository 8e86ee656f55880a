// @ts-check
/** A thread that ends at its first job: inside it, while taking chunks, or before entering it. */
import { parentPort, workerData } from "node:worker_threads";

/** @type {import("../../../../src/backend/wasm/threads/pool.ts").ThreadStart} */
const { control, layout } = workerData;
parentPort?.postMessage("ready");
Atomics.wait(control, layout.generation, 0);
if (import.meta.url.endsWith("?inside")) {
  Atomics.add(control, layout.active, 1);
  Atomics.add(control, layout.next, 1);
}
process.exit(1);
