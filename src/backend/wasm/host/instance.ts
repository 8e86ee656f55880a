/** Instantiates the compiled kernels with typed exports. Each thread has a separate instance over the same memory. */
import { BackendError } from "../../../errors.ts";
import { type KernelExports, signatures } from "./signatures.ts";

/** The kernels that captured calls can take from the host instead of the instance: see kernels/replay.ts. */
export const hostKernelNames = ["gemm", "attention"] as const;
export type HostKernels = { -readonly [Name in (typeof hostKernelNames)[number]]?: KernelExports[Name] };

/**
 * @param host for backends that compute these kernels elsewhere; may be filled in later
 * @throws BackendError if the module was built from different sources than this program
 */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  host: HostKernels = {},
): KernelExports {
  type Kernel = KernelExports["gemm"];
  // WebAssembly passes addresses from 2 GiB on as negative numbers.
  const hostGemm: Kernel = (parameters, begin, end, scratch) =>
    host.gemm?.(parameters >>> 0, begin, end, scratch >>> 0);
  const hostAttention: Kernel = (parameters, begin, end, scratch) =>
    host.attention?.(parameters >>> 0, begin, end, scratch >>> 0);
  const { exports } = new WebAssembly.Instance(module, { env: { memory, hostGemm, hostAttention } });
  if (hasKernels(exports)) return exports;
  throw new BackendError(
    `wasm: kernels.wasm does not have ${mismatches(exports).join(", ")}: rebuild it with "npm run build:kernels"`,
  );
}

function hasKernels(exports: object): exports is KernelExports {
  return mismatches(exports).length === 0;
}

/** The kernels that are missing or have a different number of arguments. */
function mismatches(exports: object): string[] {
  const functions = new Map<string, unknown>(Object.entries(exports));
  return Object.entries(signatures).flatMap(([name, { length }]) => {
    const kernel = functions.get(name);
    return typeof kernel === "function" && kernel.length === length ? [] : [`${name} of ${length} arguments`];
  });
}
