/** Leaves calls with little work to WebAssembly. */
import type { Heap } from "../wasm/host/heap.ts";
import type { KernelExports } from "../wasm/host/signatures.ts";
import { workOf } from "../wasm/threads/work-estimate.ts";
import { kernelsOfRows } from "./kernel-table.ts";

/** With fewer multiply-adds, or numbers moved, the call through koffi takes longer than it saves. */
const MIN_WORK = 1024;

/** @returns the kernels of `native`, with calls of less than `MIN_WORK` computed by those of `wasm` */
export function keepSmallCalls(native: KernelExports, wasm: KernelExports, heap: Heap): KernelExports {
  const replaced = { ...native };
  for (const name of kernelsOfRows) {
    const work = workOf(name);
    const choose = (...args: number[]): void => {
      const isFaster = work(args, heap.parameterWords) >= MIN_WORK;
      Reflect.apply(isFaster ? native[name] : wasm[name], undefined, args);
    };
    Object.assign(replaced, { [name]: choose });
  }
  return replaced;
}
