/** What tests run in a browser, on a page's main thread or in a worker: it opens a backend and trains the golden run. */
import { goldenRun } from "../../scripts/golden/run.ts";
import {
  type BrowserBackendName,
  type BrowserOptions,
  chooseThreads,
  openBackend,
} from "../../src/browser.ts";

export interface Task {
  readonly backend: BrowserBackendName;
  readonly threads: number;
  readonly options?: BrowserOptions;
  /** How many of the golden run's twenty steps to make. Default: all. */
  readonly steps?: number;
  /** How many pages of memory this browser grants at most, as if it were a smaller machine. */
  readonly mostPages?: number;
}

export interface Result {
  readonly losses: readonly number[];
  /** Of the backend. */
  readonly threads: number;
  /** Of `chooseThreads`. */
  readonly why: string | null;
  /** What the page's policy forbade; only in a worker. */
  readonly violations?: readonly string[];
}

export async function perform(task: Task): Promise<Result> {
  const { backend: name, threads, options, steps, mostPages } = task;
  if (mostPages !== undefined) limitMemory(mostPages);
  const { why } = chooseThreads(threads);
  const backend = await openBackend(name, threads, options);
  try {
    return { losses: await goldenRun(backend, "fused", steps), threads: backend.threads, why };
  } finally {
    await backend.close();
  }
}

function limitMemory(mostPages: number): void {
  WebAssembly.Memory = class extends WebAssembly.Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: true }) {
      if (descriptor.maximum > mostPages) throw new RangeError("could not allocate memory");
      super(descriptor);
    }
  };
}
