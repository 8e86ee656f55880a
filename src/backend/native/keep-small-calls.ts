/** Leaves calls with little work to WebAssembly. */
import type { Heap } from "../wasm/host/heap.ts";
import type { KernelExports } from "../wasm/host/signatures.ts";
import { workOf } from "../wasm/threads/work-estimate.ts";
import { nativeKernels } from "./kernel-table.ts";

/** With fewer multiply-adds, or numbers moved, the call through koffi takes longer than it saves. */
const MIN_WORK = 2048;

/** These two look closer: gemm.js and attention.js. */
const others: ReadonlySet<string> = new Set(["gemm", "attention", "attentionBackward"]);

/** @returns the kernels of `native`, with calls of less than `MIN_WORK` computed by those of `wasm` */
export function keepSmallCalls(native: KernelExports, wasm: KernelExports, heap: Heap): KernelExports {
  const replaced = { ...native };
  for (const name of nativeKernels.filter((name) => !others.has(name))) {
    const work = workOf(name);
    const choose = (...args: number[]): void => {
      const isFaster = work(args, heap.parameterWords) >= MIN_WORK;
      Reflect.apply(isFaster ? native[name] : wasm[name], undefined, args);
    };
    Object.assign(replaced, { [name]: choose });
  }
  return replaced;
}
