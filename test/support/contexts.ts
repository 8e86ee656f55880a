/** Contexts and backends for tests, on the double-precision reference backend by default. */
import { Context, type ScopeMode } from "../../src/autograd/context.ts";
import type { Backend, Buffer } from "../../src/backend/backend.ts";
import { ReferenceBackend } from "../../src/backend/reference/reference-backend.ts";

export function doubleContext(): Context {
  return new Context(new ReferenceBackend("double"));
}

/** Runs `body` in a scope of a new double-precision context. */
export function inScope<T>(mode: ScopeMode, body: (context: Context) => T | Promise<T>): Promise<T> {
  const context = doubleContext();
  return context.scope(mode, () => body(context));
}

/** A backend with some methods replaced. */
export function withKernels(backend: Backend, replaced: Partial<Backend>): Backend {
  return new Proxy(backend, {
    get(target, name) {
      const value: unknown = Reflect.get(name in replaced ? replaced : target, name);
      return typeof value === "function" && !(name in replaced) ? value.bind(target) : value;
    },
  });
}

/** A record of a backend's memory use. Lengths count numbers. */
export interface MemoryLog {
  /** Buffers allocated and not yet freed. */
  readonly live: Set<Buffer>;
  /** Lengths of all allocations, in order. */
  readonly allocated: number[];
  /** The total length of live buffers, now and at the peak. */
  current: number;
  peak: number;
}

/** A reference backend that records its memory use. */
export function countingBackend(): { backend: Backend; memory: MemoryLog } {
  const inner = new ReferenceBackend("double");
  const memory: MemoryLog = { live: new Set(), allocated: [], current: 0, peak: 0 };
  const backend = withKernels(inner, {
    alloc(length) {
      const buffer = inner.alloc(length);
      memory.live.add(buffer);
      memory.allocated.push(length);
      memory.current += length;
      memory.peak = Math.max(memory.peak, memory.current);
      return buffer;
    },
    free(buffer) {
      inner.free(buffer);
      memory.live.delete(buffer);
      memory.current -= buffer.length;
    },
  });
  return { backend, memory };
}
