// @ts-check
/** A thread of the pool in a browser: a Web Worker, to which the first message brings what it shares. */
import { ownKernels, serveJobs } from "./loop.js";

/**
 * What is used of a worker's globals. TypeScript has them only in its libraries for browsers.
 *
 * @typedef {object} WorkerScope
 * @property {typeof Atomics} Atomics
 * @property {(type: "message", listener: (event: { data: import("./loop.js").Start }) => void) => void} [addEventListener]
 * @property {(message: string) => void} [postMessage]
 */

/** @type {WorkerScope} */
const scope = globalThis;
scope.addEventListener?.("message", ({ data: start }) => {
  const kernels = ownKernels(start);
  scope.postMessage?.("ready");
  serveJobs(start, kernels);
});
