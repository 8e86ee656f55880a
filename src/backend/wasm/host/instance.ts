/** The compiled kernels over one memory, typed. Each thread has an instance of its own over the same memory. */
import { BackendError } from "../../../errors.ts";
import { type KernelExports, signatures } from "./signatures.ts";

/** @throws BackendError when the module was built from other sources than this program */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  if (hasKernels(exports)) return exports;
  throw new BackendError(
    `wasm: kernels.wasm does not have ${strangers(exports).join(", ")}: build it anew with "npm run build:kernels"`,
  );
}

function hasKernels(exports: object): exports is KernelExports {
  return strangers(exports).length === 0;
}

/** The kernels that are not there, or take another number of arguments. */
function strangers(exports: object): string[] {
  const functions = new Map<string, unknown>(Object.entries(exports));
  return Object.entries(signatures).flatMap(([name, { length }]) => {
    const kernel = functions.get(name);
    return typeof kernel === "function" && kernel.length === length ? [] : [`${name} of ${length} arguments`];
  });
}
