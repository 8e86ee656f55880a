/**
 * The peak of a core in plain WebAssembly SIMD: multiplications and additions of four numbers within registers. Its
 * "product" is a loop of these, so that it can take turns with the products measured against it.
 */
import { readFileSync } from "node:fs";
import { serve, timeEach } from "./protocol.js";

await serve({ products });

/** @param {{ wasmPath: string }} task */
async function products({ wasmPath }) {
  const module = await WebAssembly.compile(readFileSync(wasmPath));
  const { exports } = new WebAssembly.Instance(module, {});
  if (!("spin" in exports) || typeof exports.spin !== "function")
    throw new Error("the module does not export `spin`");
  const { spin } = exports;
  return {
    version: process.version,
    actions: {
      /** @param {{ passes: number, count: number, warmUp: number }} request */
      async product({ passes, ...request }) {
        return { times: await timeEach(request, () => spin(passes, 0.5, 0.25)), sum: spin(1, 0.5, 0.25) };
      },
    },
  };
}
